/**
 * What Drizzle costs on top of the client, and its transactions on a server.
 *
 *     deno run -A bench/drizzle.ts     also with `bun` and `node`
 */

import process from "node:process";
import { eq, relations } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { connect, type Params } from "../mod.ts";
import { drizzle } from "../packages/drizzle/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../tests/support/rqlited.ts";
import { interleave } from "./support/interleave.ts";

const authors = sqliteTable("authors", { id: integer().primaryKey(), name: text().notNull() });
const books = sqliteTable("books", {
  id: integer().primaryKey(),
  author: integer().notNull(),
  title: text().notNull(),
});
const authorsRelations = relations(authors, ({ many }) => ({ books: many(books) }));
const booksRelations = relations(books, ({ one }) => ({
  writer: one(authors, { fields: [books.author], references: [authors.id] }),
}));
const schema = { authors, books, authorsRelations, booksRelations };

const CREATE = [
  "CREATE TABLE authors(id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  "CREATE TABLE books(id INTEGER PRIMARY KEY, author INTEGER NOT NULL, title TEXT NOT NULL)",
  "CREATE INDEX books_author ON books(author)",
];

function print(line: string): void {
  process.stdout.write(`${line}\n`);
}

// The client looks at the schema in front of a read.
const ROW = '{"results":[{"columns":["1"],"types":[""],"values":[[1]]},' +
  '{"columns":["id","name"],"types":["integer","text"],"values":[[1,"Ada"]]}]}';

/** A fetch that answers one row at once, so that what is left is the client and Drizzle. */
const instant = (): Promise<Response> =>
  Promise.resolve(new Response(ROW, { headers: { "content-type": "application/json" } }));

async function overhead(): Promise<void> {
  const client = connect("http://localhost:4001", {
    fetch: instant as typeof fetch,
    level: "weak",
  });
  const db = drizzle(client);
  const built = db.select().from(authors).where(eq(authors.id, 1));
  const { sql, params } = built.toSQL();
  const prepared = built.prepare();
  const many = async (run: () => Promise<unknown>): Promise<void> => {
    for (let i = 0; i < 100; i++) await run();
  };
  const times = await interleave({
    client: () => many(() => client.query(sql, params as Params)),
    prepared: () => many(() => prepared.all()),
    driver: () => many(async () => await db.select().from(authors).where(eq(authors.id, 1))),
    builder: () =>
      many(() => Promise.resolve(db.select().from(authors).where(eq(authors.id, 1)).toSQL())),
  }, 200);
  print("One query of one row, without a server, in µs");
  for (const [name, milliseconds] of Object.entries(times)) {
    print(`  ${name.padEnd(12)} ${(milliseconds * 10).toFixed(1).padStart(7)}`);
  }
  const over = (time: number): string => ((time - times.client) * 10).toFixed(1);
  print(
    `  over client.query: prepared ${over(times.prepared)}, built each time ${over(times.driver)}`,
  );
  print(
    `  of which Drizzle's own building of the query ${(times.builder * 10).toFixed(1)}; goal ≤ 30`,
  );
  await client.close();
}

async function relational(url: string): Promise<void> {
  const client = connect(url, { level: "weak" });
  const db = drizzle(client, { schema });
  const parents = Array.from({ length: 1000 }, (_, i) => ({ id: i + 1, name: `author ${i}` }));
  await db.insert(authors).values(parents);
  for (const { id } of parents.filter(({ id }) => id % 100 === 1)) {
    const children = Array.from({ length: 1000 }, (_, i) => ({
      author: id + Math.floor(i / 10),
      title: `book ${i}`,
    }));
    await db.insert(books).values(children);
  }
  const query = db.query.authors.findMany({ with: { books: true } });
  const { sql, params } = query.toSQL();
  const read = () =>
    client.query<[number, string, string]>(sql, params as Params, { rows: "array" });
  const times = await interleave({
    hand: async () => {
      const { rows } = await read();
      return rows.map(([id, name, books]) => ({
        id,
        name,
        books: (JSON.parse(books) as [number, number, string][])
          .map(([id, author, title]) => ({ id, author, title })),
      }));
    },
    drizzle: () => query.execute(),
    rows: read,
  }, 30);
  const ratio = (times.drizzle / times.hand).toFixed(2);
  print(`\nOne relational query of 1,000 × 10 rows: ${times.drizzle.toFixed(1)} ms`);
  print(`  the same SQL and objects by hand ${times.hand.toFixed(1)} ms: ${ratio} ×, goal ≤ 1.3 ×`);
  print(`  the same SQL alone ${times.rows.toFixed(1)} ms`);
  await client.close();
}

async function transactions(url: string): Promise<void> {
  const seen = { requests: 0, statements: 0, bytes: 0 };
  const counting = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    if (init?.body) seen.bytes += (await new Response(init.body).arrayBuffer()).byteLength;
    return await fetch(input, init);
  };
  const client = connect(url, {
    fetch: counting as typeof fetch,
    onRequest: ({ statements }) => {
      seen.requests++;
      seen.statements += statements;
    },
  });
  const db = drizzle(client);
  await db.transaction((tx) => tx.insert(authors).values({ name: "first" }));
  const titles = ["requests", "statements", "bytes", "ms"].map((title) => title.padStart(11));
  print(`\n${"sequential inserts, one transaction".padEnd(36)}${titles.join("")}`);
  for (
    const [count, mode] of [[10, "eager"], [100, "eager"], [300, "eager"], [10, "lazy"], [
      1000,
      "lazy",
    ]] as const
  ) {
    Object.assign(seen, { requests: 0, statements: 0, bytes: 0 });
    const start = performance.now();
    await db.transaction(async (tx) => {
      for (let i = 0; i < count; i++) await tx.insert(authors).values({ name: `${i}` });
    }, { mode });
    const time = performance.now() - start;
    const figures = [seen.requests, seen.statements, seen.bytes, Math.round(time)]
      .map((figure) => String(figure).padStart(11));
    print(`${`${count}, ${mode}`.padEnd(36)}${figures.join("")}`);
  }
  await client.close();
}

await overhead();
const absent = skipWithoutRqlited();
if (absent) print(`\nrqlited is left out: ${absent}`);
else {
  const server = await startRqlited();
  try {
    const client = connect(server.url);
    await client.batch(CREATE);
    await client.close();
    await relational(server.url);
    await transactions(server.url);
  } finally {
    await server.stop();
  }
}
