/** A library: an author has many books, a book has many topics and a topic many books. */

import { relations } from "drizzle-orm";
import { integer, primaryKey, real, sqliteTable, text } from "drizzle-orm/sqlite-core";

export const authors = sqliteTable("demo_authors", {
  id: integer().primaryKey(),
  name: text().notNull().unique(),
});

export const books = sqliteTable("demo_books", {
  id: integer().primaryKey(),
  authorId: integer("author_id").notNull().references(() => authors.id, { onDelete: "cascade" }),
  title: text().notNull(),
  price: real().notNull(),
});

export const topics = sqliteTable("demo_topics", {
  id: integer().primaryKey(),
  name: text().notNull(),
});

export const booksTopics = sqliteTable("demo_books_topics", {
  bookId: integer("book_id").notNull().references(() => books.id, { onDelete: "cascade" }),
  topicId: integer("topic_id").notNull().references(() => topics.id, { onDelete: "cascade" }),
}, (t) => [primaryKey({ columns: [t.bookId, t.topicId] })]);

export const authorsRelations = relations(authors, ({ many }) => ({ books: many(books) }));
export const booksRelations = relations(books, ({ one, many }) => ({
  author: one(authors, { fields: [books.authorId], references: [authors.id] }),
  topics: many(booksTopics),
}));
export const topicsRelations = relations(topics, ({ many }) => ({ books: many(booksTopics) }));
export const booksTopicsRelations = relations(booksTopics, ({ one }) => ({
  book: one(books, { fields: [booksTopics.bookId], references: [books.id] }),
  topic: one(topics, { fields: [booksTopics.topicId], references: [topics.id] }),
}));
