/**
 * Tables that belong together: authors, books and tags, written as one unit and read by joins.
 *
 *     deno run -A examples/relationship.ts                               on a database in memory
 *     deno run -A examples/relationship.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project this is "@tangled/rqlite".
import { connect, type Transaction } from "../mod.ts";
import { done, heading, table } from "./terminal.ts";
import { target } from "./target.ts";

const TABLES = ["demo_book_tags", "demo_tags", "demo_books", "demo_authors"];

const db = connect(target());
const dropTables = () => db.batch(TABLES.map((name) => `DROP TABLE IF EXISTS ${name}`));

await dropTables();
await db.batch([
  "CREATE TABLE demo_authors(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
  `CREATE TABLE demo_books(
     id INTEGER PRIMARY KEY,
     title TEXT NOT NULL,
     author INTEGER NOT NULL REFERENCES demo_authors(id) ON DELETE CASCADE)`,
  "CREATE TABLE demo_tags(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
  `CREATE TABLE demo_book_tags(
     book INTEGER NOT NULL REFERENCES demo_books(id) ON DELETE CASCADE,
     tag INTEGER NOT NULL REFERENCES demo_tags(id),
     PRIMARY KEY(book, tag))`,
]);

/** The id of a tag, made if there is none of that name. */
async function tagId(tx: Transaction, name: string): Promise<number> {
  const { rows: [known] } = await tx.query<{ id: number }>(
    "SELECT id FROM demo_tags WHERE name = ?",
    [name],
  );
  if (known !== undefined) return known.id;
  const { lastInsertId } = await tx.execute("INSERT INTO demo_tags(name) VALUES(?)", [name]);
  return Number(lastInsertId);
}

interface Book {
  title: string;
  tags: readonly string[];
}

/** An author with all books and tags, or nothing of it. */
async function addAuthor(name: string, books: readonly Book[]): Promise<void> {
  await db.transaction(async (tx) => {
    const author = await tx.execute("INSERT INTO demo_authors(name) VALUES(?)", [name]);
    for (const { title, tags } of books) {
      const book = await tx.execute(
        "INSERT INTO demo_books(title, author) VALUES(?, ?)",
        [title, author.lastInsertId!],
      );
      for (const tag of tags) {
        const id = await tagId(tx, tag);
        await tx.execute("INSERT INTO demo_book_tags VALUES(?, ?)", [book.lastInsertId!, id]);
      }
    }
  });
}

heading("Write what belongs together");
await addAuthor("Ursula", [
  { title: "The Dispossessed", tags: ["novel", "utopia"] },
  { title: "Steering the Craft", tags: ["writing"] },
]);
await addAuthor("Stanisław", [{ title: "Solaris", tags: ["novel"] }]);
done("Two authors, three books, three tags");
await addAuthor("Ursula", [{ title: "Lost", tags: ["novel"] }]).catch((error: Error) => {
  done(`The same author again: ${error.name}, and no book of it was kept`);
});

heading("Read it by joins");
const { rows } = await db.query(`
  SELECT a.name AS author, b.title AS book, group_concat(t.name, ', ') AS tags
    FROM demo_authors AS a
    JOIN demo_books AS b ON b.author = a.id
    JOIN demo_book_tags AS bt ON bt.book = b.id
    JOIN demo_tags AS t ON t.id = bt.tag
   GROUP BY b.id ORDER BY b.id`);
table(rows);

heading("Move a book, remove an author");
await db.execute(
  `UPDATE demo_books SET author = (SELECT id FROM demo_authors WHERE name = ?) WHERE title = ?`,
  ["Stanisław", "Steering the Craft"],
);
// Foreign keys are enforced only by servers that were started with -fk: this does not rely on it.
await db.transaction(async (tx) => {
  const books =
    "SELECT b.id FROM demo_books AS b JOIN demo_authors AS a ON a.id = b.author WHERE a.name = ?";
  await tx.execute(`DELETE FROM demo_book_tags WHERE book IN (${books})`, ["Ursula"]);
  await tx.execute(`DELETE FROM demo_books WHERE id IN (${books})`, ["Ursula"]);
  await tx.execute("DELETE FROM demo_authors WHERE name = ?", ["Ursula"]);
});
const { rows: left } = await db.query<{ title: string }>(
  "SELECT title FROM demo_books ORDER BY title",
);
done(`Left: ${left.map(({ title }) => title).join(", ")}`);

await dropTables();
await db.close();
