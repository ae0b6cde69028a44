/**
 * Drizzle at work: a migration by two processes at once, relations, a transaction that is undone.
 *
 *     deno run -A examples/drizzle/library.ts                               on a file of the embedded engine
 *     deno run -A examples/drizzle/library.ts --url http://localhost:4001   on an rqlite server (started with -fk)
 *
 * Also `bun examples/drizzle/library.ts` and `node examples/drizzle/library.ts`.
 */

import { execFile } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { asc, avg, eq, gt, sql } from "drizzle-orm";
// In your project: "@tangled/rqlite", "@tangled/rqlite-drizzle" and "@tangled/rqlite/embedded".
import { connect } from "../../mod.ts";
import { drizzle, type RqliteDatabase } from "../../packages/drizzle/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { done, heading, table } from "../terminal.ts";
import * as schema from "./schema.ts";

const { authors, books, booksTopics, topics } = schema;

/** Two instances of a service start, and both migrate. */
async function migrateTwice(place: string, db: RqliteDatabase): Promise<void> {
  const script = fileURLToPath(new URL("./migrate.ts", import.meta.url));
  const start = "deno" in process.versions ? ["run", "-A"] : [];
  const migrate = () => promisify(execFile)(process.execPath, [...start, script, place]);
  await Promise.all([migrate(), migrate()]);
  const applied = await db.values(sql`SELECT count(*) FROM demo_migrations`);
  done(`Two processes migrated at once: ${applied[0]![0]} migrations were applied, once each`);
}

async function fill(db: RqliteDatabase<typeof schema>): Promise<void> {
  await db.batch([
    db.insert(authors).values([{ id: 1, name: "Ursula" }, { id: 2, name: "Stanisław" }]),
    db.insert(books).values([
      { id: 1, authorId: 1, title: "The Dispossessed", price: 12 },
      { id: 2, authorId: 1, title: "The Lathe of Heaven", price: 9 },
      { id: 3, authorId: 2, title: "Solaris", price: 11 },
    ]),
    db.insert(topics).values([{ id: 1, name: "Utopia" }, { id: 2, name: "Dreams" }]),
    db.insert(booksTopics).values([
      { bookId: 1, topicId: 1 },
      { bookId: 2, topicId: 1 },
      { bookId: 2, topicId: 2 },
      { bookId: 3, topicId: 2 },
    ]),
  ]);
  done("Two authors, three books and two topics were written as one batch");
}

async function read(db: RqliteDatabase<typeof schema>): Promise<void> {
  const eager = await db.query.authors.findMany({
    with: { books: { with: { topics: { with: { topic: true } } }, orderBy: asc(books.id) } },
    orderBy: asc(authors.id),
  });
  done("Eager: authors with their books and those with their topics, in one request");
  table(eager.flatMap(({ name, books }) =>
    books.map(({ title, topics }) => ({
      author: name,
      book: title,
      topics: topics.map(({ topic }) => topic.name).join(", "),
    }))
  ));

  const solaris = await db.query.books.findFirst({ where: eq(books.title, "Solaris") });
  const author = await db.query.authors.findFirst({ where: eq(authors.id, solaris!.authorId) });
  done(`Lazy: first ${solaris!.title}, and when somebody asks, its author: ${author!.name}`);
}

async function change(db: RqliteDatabase<typeof schema>): Promise<void> {
  const ofUrsula = db.select({ id: authors.id }).from(authors).where(eq(authors.name, "Ursula"));
  const raised = await db.update(books).set({ price: sql`${books.price} + 1` })
    .where(eq(books.authorId, ofUrsula)).returning({ title: books.title });
  done(`Updated through the relation: ${raised.length} books of Ursula cost one more`);

  const limit = await db.transaction(async (tx) => {
    await tx.update(books).set({ price: sql`${books.price} * 10` });
    const [mean] = await tx.select({ price: avg(books.price) }).from(books);
    if (Number(mean!.price) > 50) tx.rollback();
    return mean;
  }).catch((error: Error) => error.message);
  const dear = await db.$count(books, gt(books.price, 50));
  done(
    `A transaction saw prices ten times as high, and undid them (${limit}): ${dear} are above 50`,
  );

  await db.delete(authors).where(eq(authors.name, "Ursula"));
  const left = [await db.$count(books), await db.$count(booksTopics)];
  done(`Cascade: without Ursula there are ${left[0]} book and ${left[1]} topic of it left`);
}

async function run(place: string): Promise<void> {
  const client = connect(/^https?:/.test(place) ? place : embedded(place, { foreignKeys: true }));
  const db = drizzle(client, { schema });
  heading("Migrate");
  await migrateTwice(place, drizzle(client));
  heading("Write and read");
  await fill(db);
  await read(db);
  heading("Change");
  await change(db);
  for (const name of ["books_topics", "topics", "books", "authors", "migrations"]) {
    await db.run(sql`DROP TABLE ${sql.identifier(`demo_${name}`)}`);
  }
  await client.close();
}

const { values } = parseArgs({ options: { url: { type: "string" } } });
const folder = mkdtempSync(join(tmpdir(), "rqlite-library-"));
try {
  await run(values.url ?? join(folder, "library.db"));
} finally {
  rmSync(folder, { recursive: true, force: true });
}
