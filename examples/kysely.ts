/**
 * Kysely on rqlite: relations, transactions, and a migration that two processes run at once.
 *
 *     deno run -A examples/kysely.ts                               on a database in a temporary file
 *     deno run -A examples/kysely.ts --url http://localhost:4001   on an rqlite server (with -fk)
 *
 * Also `bun examples/kysely.ts` and `node examples/kysely.ts`.
 */

import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type Generated, Kysely, ParseJSONResultsPlugin, sql } from "kysely";
import { jsonArrayFrom, jsonObjectFrom } from "kysely/helpers/sqlite";
import { type Migration, Migrator, NO_MIGRATIONS } from "kysely/migration";
// In your project these three are "@tangled/rqlite", "@tangled/rqlite/embedded" and "@tangled/rqlite-kysely".
import { type Client, connect } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";
import { batch, RqliteDialect, transaction } from "../packages/kysely/mod.ts";
import { detail, done, heading, table } from "./terminal.ts";

/** An author has many books; books and tags have many of each other. */
interface Database {
  demo_authors: { id: Generated<number>; name: string };
  demo_books: { id: Generated<number>; author_id: number; title: string; stock: number };
  demo_tags: { id: Generated<number>; name: string };
  demo_book_tags: { book_id: number; tag_id: number };
}

const MIGRATIONS: Record<string, Migration> = {
  "001 tables": {
    async up(db) {
      await db.schema.createTable("demo_authors")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull().unique()).execute();
      await db.schema.createTable("demo_books")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn(
          "author_id",
          "integer",
          (c) => c.notNull().references("demo_authors.id").onDelete("cascade"),
        )
        .addColumn("title", "text", (c) => c.notNull())
        .addColumn("stock", "integer", (c) => c.notNull().check(sql`stock >= 0`)).execute();
      await db.schema.createTable("demo_tags")
        .addColumn("id", "integer", (c) => c.primaryKey())
        .addColumn("name", "text", (c) => c.notNull().unique()).execute();
      await db.schema.createTable("demo_book_tags")
        .addColumn(
          "book_id",
          "integer",
          (c) => c.notNull().references("demo_books.id").onDelete("cascade"),
        )
        .addColumn(
          "tag_id",
          "integer",
          (c) => c.notNull().references("demo_tags.id").onDelete("cascade"),
        )
        .addPrimaryKeyConstraint("demo_book_tags_pk", ["book_id", "tag_id"]).execute();
    },
    async down(db) {
      for (const name of ["demo_book_tags", "demo_tags", "demo_books", "demo_authors"]) {
        await db.schema.dropTable(name).execute();
      }
    },
  },
  "002 an index": {
    async up(db) {
      await db.schema.createIndex("demo_books_author").on("demo_books").column("author_id")
        .execute();
    },
    async down(db) {
      await db.schema.dropIndex("demo_books_author").execute();
    },
  },
};

function migratorOf(db: Kysely<Database>): Migrator {
  return new Migrator({
    db,
    provider: { getMigrations: () => Promise.resolve(MIGRATIONS) },
    migrationTableName: "demo_migration",
    migrationLockTableName: "demo_migration_lock",
  });
}

/** What another process does: it migrates, and tells how many migrations it ran. */
async function migrate(db: Kysely<Database>): Promise<void> {
  const { error, results = [] } = await migratorOf(db).migrateToLatest();
  if (error !== undefined) throw error;
  console.log(results.length);
}

function startMigrator(place: readonly string[]): Promise<number> {
  const run = "deno" in process.versions ? ["run", "-A"] : [];
  const file = fileURLToPath(import.meta.url);
  const child = spawn(process.execPath, [...run, file, "--migrate", ...place], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  return new Promise((resolve, reject) => {
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text);
    child.once("error", reject);
    child.once(
      "close",
      (code) => code === 0 ? resolve(Number(output)) : reject(new Error("failed")),
    );
  });
}

async function migrateTwice(place: readonly string[]): Promise<void> {
  heading("A migration by two processes at once");
  const ran = await Promise.all([startMigrator(place), startMigrator(place)]);
  const [none, all] = ran.sort((a, b) => a - b);
  done(`One process ran ${all} migrations, the other waited for it and ran ${none}`);
}

async function insert(db: Kysely<Database>, client: Client): Promise<void> {
  heading("Rows and their relations");
  const { id: ursula } = await db.insertInto("demo_authors").values({ name: "Ursula" })
    .returning("id").executeTakeFirstOrThrow();
  const { insertId: stanislaw } = await db.insertInto("demo_authors").values({ name: "Stanisław" })
    .executeTakeFirstOrThrow();
  const [books, tags] = await batch(client, [
    db.insertInto("demo_books").values([
      { author_id: ursula, title: "The Dispossessed", stock: 3 },
      { author_id: ursula, title: "A Wizard of Earthsea", stock: 5 },
      { author_id: Number(stanislaw), title: "Solaris", stock: 2 },
    ]).returning("id"),
    db.insertInto("demo_tags").values([{ name: "classic" }, { name: "space" }]).returning("id"),
  ]);
  const [dispossessed, earthsea, solaris] = books.map(({ id }) => id);
  const [classic, space] = tags.map(({ id }) => id);
  await db.insertInto("demo_book_tags").values([
    { book_id: dispossessed!, tag_id: space! },
    { book_id: earthsea!, tag_id: classic! },
    { book_id: solaris!, tag_id: classic! },
    { book_id: solaris!, tag_id: space! },
  ]).execute();
  done(
    `2 authors, ${books.length} books and ${tags.length} tags, of which 5 in one atomic request`,
  );
}

/** Books with their author and tags, in one request. */
async function loadEagerly(db: Kysely<Database>): Promise<void> {
  heading("Eager loading: nested rows in one query");
  const books = await db.withPlugin(new ParseJSONResultsPlugin()).selectFrom("demo_books as b")
    .select((eb) => [
      "title",
      "stock",
      jsonObjectFrom(
        eb.selectFrom("demo_authors as a").select("name").whereRef("a.id", "=", "b.author_id"),
      ).$notNull().as("author"),
      jsonArrayFrom(
        eb.selectFrom("demo_tags as t").innerJoin("demo_book_tags as bt", "bt.tag_id", "t.id")
          .select("t.name").whereRef("bt.book_id", "=", "b.id").orderBy("t.name"),
      ).as("tags"),
    ]).orderBy("b.title").execute();
  table(books.map(({ title, stock, author, tags }) => ({
    title,
    stock,
    author: author.name,
    tags: tags.map(({ name }) => name).join(", "),
  })));
}

/** The author first; the books when somebody asks for them. */
async function loadLazily(db: Kysely<Database>): Promise<void> {
  heading("Lazy loading: a query per relation");
  const author = await db.selectFrom("demo_authors").selectAll().where("name", "=", "Ursula")
    .executeTakeFirstOrThrow();
  const books = () =>
    db.selectFrom("demo_books").select("title").where("author_id", "=", author.id)
      .orderBy("title").execute();
  done(`${author.name} wrote ${(await books()).map(({ title }) => title).join(" and ")}`);
}

async function updateThroughRelations(db: Kysely<Database>): Promise<void> {
  heading("Update and delete through relations");
  const { numUpdatedRows } = await db.updateTable("demo_books")
    .set((eb) => ({ stock: eb("stock", "+", 10) }))
    .where(
      "id",
      "in",
      (eb) =>
        eb.selectFrom("demo_book_tags as bt").innerJoin("demo_tags as t", "t.id", "bt.tag_id")
          .select("bt.book_id").where("t.name", "=", "classic"),
    )
    .executeTakeFirstOrThrow();
  done(`10 more of each classic: ${numUpdatedRows} books`);
  await db.deleteFrom("demo_authors").where("name", "=", "Stanisław").execute();
  const left = await db.selectFrom("demo_books").select("title").orderBy("title").execute();
  if (left.length < 3) done(`Without Stanisław, his books are gone too: ${left.length} are left`);
  else detail("The server was started without -fk: it does not cascade");
}

async function transact(db: Kysely<Database>): Promise<void> {
  heading("Transactions");
  const take = async (title: string, n: number): Promise<number> =>
    await transaction(db, async (trx) => {
      const { id, stock } = await trx.updateTable("demo_books")
        .set((eb) => ({ stock: eb("stock", "-", n) })).where("title", "=", title)
        .returning(["id", "stock"]).executeTakeFirstOrThrow();
      await trx.insertInto("demo_tags").values({ name: `order of ${n} of book ${id}` }).execute();
      if (n > 3) throw new Error("Nobody needs that many");
      return stock;
    }, { retries: 10 });
  done(`Took 2: ${await take("The Dispossessed", 2)} left`);
  await take("A Wizard of Earthsea", 4).catch(({ message }: Error) =>
    done(`Took 4, and rolled back: ${message}`)
  );
  await take("The Dispossessed", 2).catch(({ code }: Error & { code: string }) =>
    done(`Took 2 of the last one: ${code}`)
  );
  const orders = await db.selectFrom("demo_tags").select("name").where("name", "like", "order%")
    .execute();
  done(`${orders.length} order was kept`);

  const trx = await db.startTransaction().execute();
  const saved = await trx.savepoint("before").execute();
  await saved.deleteFrom("demo_books").execute();
  await (await saved.rollbackToSavepoint("before").execute()).commit().execute();
  done("Deleted every book, went back to the savepoint, and committed");
}

async function dropAll(db: Kysely<Database>): Promise<void> {
  const { error } = await migratorOf(db).migrateTo(NO_MIGRATIONS);
  if (error !== undefined) throw error;
  await db.schema.dropTable("demo_migration").execute();
  await db.schema.dropTable("demo_migration_lock").execute();
}

const { values } = parseArgs({
  options: {
    url: { type: "string" },
    file: { type: "string" },
    migrate: { type: "boolean", default: false },
  },
});
const folder = values.url === undefined && values.file === undefined
  ? mkdtempSync(join(tmpdir(), "kysely-"))
  : undefined;
const file = values.file ?? join(folder ?? "", "demo.db");
const client = connect(values.url ?? embedded(file, { foreignKeys: true }));
const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
try {
  if (values.migrate) {
    await migrate(db);
  } else {
    await migrateTwice(values.url === undefined ? ["--file", file] : ["--url", values.url]);
    await insert(db, client);
    await loadEagerly(db);
    await loadLazily(db);
    await updateThroughRelations(db);
    await transact(db);
    await dropAll(db);
  }
} finally {
  await client.close();
  if (folder !== undefined) rmSync(folder, { recursive: true });
}
