import { eq, relations } from "drizzle-orm";
import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import type { Client, Params } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { rqlite, type RqliteMiddlewareOptions, type RqliteVariables } from "../../src/hono/mod.ts";
import type { Rqlited } from "../../tests/support/rqlited.ts";
import { callAll, type Case } from "../measure.ts";
import { replay } from "../replay.ts";
import type { Bench, Scenario } from "../scenario.ts";
import { client } from "../ways.ts";

const authors = sqliteTable("authors", { id: integer().primaryKey(), name: text().notNull() });
const books = sqliteTable("books", {
  id: integer().primaryKey(),
  author: integer().notNull(),
  title: text().notNull(),
});
const counters = sqliteTable("counters", { id: integer().primaryKey(), n: integer().notNull() });
const authorsRelations = relations(authors, ({ many }) => ({ books: many(books) }));
const booksRelations = relations(books, ({ one }) => ({
  writer: one(authors, { fields: [books.author], references: [authors.id] }),
}));
const schema = { authors, books, authorsRelations, booksRelations };

interface Database {
  authors: { id: number; name: string };
  counters: { id: number; n: number };
}

/** 1,000 authors, every hundredth of whom wrote a thousand books; and a counter. */
const SCHEMA = [
  "CREATE TABLE authors(id INTEGER PRIMARY KEY, name TEXT NOT NULL)",
  "CREATE TABLE books(id INTEGER PRIMARY KEY, author INTEGER NOT NULL, title TEXT NOT NULL)",
  "CREATE INDEX books_author ON books(author)",
  "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1000) " +
  "INSERT INTO authors SELECT i, 'author ' || i FROM n",
  "WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) " +
  "INSERT INTO books SELECT i + 1, i / 10 + 1, 'book ' || i FROM n",
  "CREATE TABLE counters(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)",
  "INSERT INTO counters VALUES(1, 0)",
];

const CLIENT = "the client";

/** One row by its key, with and without what the network and the server take. */
function oneRow(db: Client, operations: number): Case[] {
  const byDrizzle = drizzle(db);
  const byKysely = new Kysely<Database>({ dialect: new RqliteDialect({ client: db }) });
  const select = () => byDrizzle.select().from(authors).where(eq(authors.id, 1));
  const prepared = select().prepare();
  const build = () => byKysely.selectFrom("authors").selectAll().where("id", "=", 1);
  const compiled = build().compile();
  const { sql, params } = select().toSQL();
  const against = { [CLIENT]: {} };
  const times = (call: () => Promise<unknown>) => () => callAll(1, operations, call);
  return [
    { name: CLIENT, run: times(() => db.query(sql, params as Params)) },
    { name: "Drizzle, prepared", run: times(() => prepared.all()), against },
    { name: "Drizzle", run: times(async () => await select()), against },
    { name: "Kysely, compiled", run: times(() => byKysely.executeQuery(compiled)), against },
    { name: "Kysely", run: times(() => build().execute()), against, close: () => db.close() },
  ];
}

/** The same rows and objects, made by hand of the same SQL. */
function relational(db: Client): Case[] {
  const query = drizzle(db, { schema }).query.authors.findMany({ with: { books: true } });
  const { sql, params } = query.toSQL();
  const hand = "the same SQL and objects by hand";
  return [
    {
      name: hand,
      async run() {
        const options = { rows: "array" } as const;
        const { rows } = await db.query<[number, string, string]>(sql, params as Params, options);
        rows.map(([id, name, list]) => ({
          id,
          name,
          books: (JSON.parse(list) as [number, number, string][])
            .map(([id, author, title]) => ({ id, author, title })),
        }));
      },
    },
    {
      name: "Drizzle",
      run: async () => void await query,
      against: { [hand]: { speed: 1 / 1.3 } },
      close: () => db.close(),
    },
  ];
}

/** Reads and writes one row, by callers who all want it; drivers let them take turns. */
function increments(db: Client, callers: number, each: number): Case[] {
  const byDrizzle = drizzle(db);
  const byKysely = new Kysely<Database>({ dialect: new RqliteDialect({ client: db }) });
  const app = new Hono<{ Variables: RqliteVariables }>();
  app.use(rqlite(db, { transaction: true }));
  const one = eq(counters.id, 1);
  const READ = "SELECT n FROM counters WHERE id = 1";
  const WRITE = "UPDATE counters SET n = ? WHERE id = 1";
  app.post("/", async (c) => {
    const n = await c.var.db.value<number>(READ);
    await c.var.db.execute(WRITE, [n! + 1]);
    return c.text("raised");
  });
  const ways: Readonly<Record<string, () => Promise<unknown>>> = {
    [CLIENT]: () =>
      db.transaction(async (tx) => {
        const n = await tx.value<number>(READ);
        await tx.execute(WRITE, [n! + 1]);
      }, { retries: 1_000, timeout: 120_000 }),
    Drizzle: () =>
      byDrizzle.transaction(async (tx) => {
        const [row] = await tx.select().from(counters).where(one);
        await tx.update(counters).set({ n: row!.n + 1 }).where(one);
      }),
    Kysely: () =>
      byKysely.transaction().execute(async (trx) => {
        const { n } = await trx.selectFrom("counters").select("n").where("id", "=", 1)
          .executeTakeFirstOrThrow();
        await trx.updateTable("counters").set({ n: n + 1 }).where("id", "=", 1).execute();
      }),
    async Hono() {
      const response = await app.request("/", { method: "POST" });
      if (response.status !== 200) throw new Error(`answered ${response.status}`);
    },
  };
  return Object.entries(ways).map(([name, call]): Case => ({
    name,
    run: () => callAll(callers, each, call),
    ...(name === CLIENT ? { close: () => db.close() } : { against: { [CLIENT]: {} } }),
  }));
}

/** What the middleware adds to a request that wants nothing of the database. */
function requests(db: Client, operations: number): Case[] {
  const app = (...middlewares: readonly RqliteMiddlewareOptions[]) => {
    const made = new Hono();
    for (const options of middlewares) made.use(rqlite(db, options));
    made.get("/", (c) => c.text("hello"));
    const request = new Request("http://localhost/");
    return async () => {
      for (let i = 0; i < operations; i++) await made.fetch(request);
    };
  };
  const bare = "without the middleware";
  const against = { [bare]: {} };
  return [
    { name: bare, run: app() },
    { name: "rqlite(db)", run: app({}), against },
    { name: "rqlite(db, { transaction: true })", run: app({ transaction: true }), against },
  ];
}

async function withoutNetwork(bench: Bench, server: Rqlited): Promise<void> {
  const operations = bench.quick ? 50 : 500;
  await bench.contest({
    title: "one row, without a network",
    operations,
    rounds: bench.quick ? 3 : 21,
    cases: () => oneRow(client(server.url, { fetch: replay().fetch }), operations),
  });
  const db = client(server.url);
  await bench.contest({
    title: "Hono, one request",
    operations: operations * 2,
    rounds: bench.quick ? 3 : 21,
    cases: () => requests(db, operations * 2),
  });
  await db.close();
}

const drivers: Scenario = async (bench) => {
  const server = await bench.server();
  await server.sql(...SCHEMA);
  const rounds = bench.quick ? 2 : 15;
  const operations = bench.quick ? 20 : 100;
  await bench.contest({
    title: "one row",
    operations,
    rounds,
    server,
    cases: (url) => oneRow(client(url), operations),
  });
  await withoutNetwork(bench, server);
  await bench.contest({
    title: "1,000 rows with 10 of another table each",
    operations: 1,
    rounds,
    server,
    cases: (url) => relational(client(url)),
  });
  const each = bench.quick ? 1 : 8;
  await bench.contest({
    title: "read and write, 8 callers, one row",
    operations: 8 * each,
    rounds: bench.quick ? 2 : 9,
    server,
    cases: (url) => increments(client(url), 8, each),
  });
};

export default drivers;
