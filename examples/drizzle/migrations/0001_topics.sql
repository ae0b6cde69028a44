CREATE TABLE `demo_topics` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE TABLE `demo_books_topics` (
	`book_id` integer NOT NULL,
	`topic_id` integer NOT NULL,
	PRIMARY KEY(`book_id`, `topic_id`),
	FOREIGN KEY (`book_id`) REFERENCES `demo_books`(`id`) ON UPDATE no action ON DELETE cascade,
	FOREIGN KEY (`topic_id`) REFERENCES `demo_topics`(`id`) ON UPDATE no action ON DELETE cascade
);
