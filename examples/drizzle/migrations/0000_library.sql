CREATE TABLE `demo_authors` (
	`id` integer PRIMARY KEY NOT NULL,
	`name` text NOT NULL
);
--> statement-breakpoint
CREATE UNIQUE INDEX `demo_authors_name_unique` ON `demo_authors` (`name`);--> statement-breakpoint
CREATE TABLE `demo_books` (
	`id` integer PRIMARY KEY NOT NULL,
	`author_id` integer NOT NULL,
	`title` text NOT NULL,
	`price` real NOT NULL,
	FOREIGN KEY (`author_id`) REFERENCES `demo_authors`(`id`) ON UPDATE no action ON DELETE cascade
);
