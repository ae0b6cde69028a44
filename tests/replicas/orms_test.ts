// What Kysely, Drizzle and the DB-API make of their own calls, over tables whose rows tell the time.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { desc, eq, relations, sql } from "drizzle-orm";
import { integer, real, sqliteTable, text } from "drizzle-orm/sqlite-core";
import { type Generated, Kysely } from "kysely";
import { type Client, connect } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { storeRaw } from "./raw.ts";

const ROUNDS = 8;

const CREATE = [
  `CREATE TABLE authors(id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), name TEXT NOT NULL UNIQUE,
    seen_at TEXT DEFAULT CURRENT_TIMESTAMP)`,
  `CREATE TABLE notes(id INTEGER PRIMARY KEY, author TEXT NOT NULL REFERENCES authors(id) ON DELETE CASCADE,
    body TEXT NOT NULL, price REAL NOT NULL DEFAULT 0.1, token TEXT NOT NULL DEFAULT (hex(randomblob(8))),
    created_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)`,
  "INSERT INTO authors(id, name) VALUES('x', 'Xenia')",
  // Each node has tokens of its own here.
  "INSERT INTO notes(author, body) VALUES('x', 'one'), ('x', 'two')",
];

interface Tables {
  authors: { id: Generated<string>; name: string; seen_at: Generated<string> };
  notes: {
    id: Generated<number>;
    author: string;
    body: string;
    price: Generated<number>;
    token: Generated<string>;
    created_at: Generated<string>;
  };
}

const authors = sqliteTable("authors", {
  id: text().primaryKey().default(sql`(lower(hex(randomblob(16))))`),
  name: text().notNull().unique(),
  seenAt: text("seen_at").default(sql`CURRENT_TIMESTAMP`),
});

const notes = sqliteTable("notes", {
  id: integer().primaryKey(),
  author: text().notNull().references(() => authors.id, { onDelete: "cascade" }),
  body: text().notNull(),
  price: real().notNull().default(0.1),
  token: text().notNull().default(sql`(hex(randomblob(8)))`),
  createdAt: text("created_at").notNull().default(sql`CURRENT_TIMESTAMP`),
});

const schema = {
  authors,
  notes,
  authorsRelations: relations(authors, ({ many }) => ({ notes: many(notes) })),
  notesRelations: relations(notes, ({ one }) => ({
    author: one(authors, { fields: [notes.author], references: [authors.id] }),
  })),
};

describe("statements that a driver makes, on three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let client: Client;

  before(async () => {
    cluster = await startCluster(3, { args: ["-fk"] });
    client = connect(cluster.urls);
    await storeRaw(cluster, CREATE);
  });

  after(async () => {
    await client?.close();
    await cluster?.stop();
  });

  async function everywhere(name: string): Promise<void> {
    const count = `SELECT count(*) FROM notes WHERE body LIKE '${name} %'`;
    assert.deepEqual(await rowsOfEach(cluster, count), cluster.nodes.map(() => [[ROUNDS]]));
    await equalReplicas(cluster, {
      except: { notes: ["token", "created_at"], authors: ["seen_at"] },
    });
    const own = "SELECT id, token, created_at FROM notes WHERE id > 2 ORDER BY id";
    const [first, ...others] = await rowsOfEach(cluster, own);
    for (const rows of others) assert.deepEqual(rows, first);
  }

  it("Kysely inserts, upserts, reads, updates and deletes, and nothing is refused", async () => {
    const db = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });
    for (let n = 0; n < ROUNDS; n++) {
      await db.transaction().execute(async (trx) => {
        const author = await trx.insertInto("authors").values({ name: "Kay" })
          .onConflict((conflict) => conflict.column("name").doUpdateSet({ name: "Kay" }))
          .returningAll().executeTakeFirstOrThrow();
        const note = await trx.insertInto("notes").values({
          author: author.id,
          body: `kysely ${n}`,
        })
          .returning(["id", "token", "created_at"]).executeTakeFirstOrThrow();
        const read = await trx.selectFrom("notes").selectAll().where("id", "=", note.id)
          .executeTakeFirstOrThrow();
        assert.deepEqual([read.token, read.created_at], [note.token, note.created_at]);
        await trx.selectFrom("notes").innerJoin("authors", "authors.id", "notes.author")
          .selectAll("notes").select("authors.seen_at").orderBy("notes.created_at", "desc").limit(3)
          .execute();
        await trx.updateTable("notes").set({ price: read.price * 1.1 }).where("id", "=", 1)
          .execute();
        await trx.insertInto("authors").values({ name: `gone ${n}` }).execute();
        await trx.deleteFrom("authors").where("name", "=", `gone ${n}`).executeTakeFirstOrThrow();
      });
    }
    await everywhere("kysely");
  });

  it("Drizzle inserts, upserts, reads relations, updates and deletes, and nothing is refused", async () => {
    const db = drizzle(client, { schema });
    for (let n = 0; n < ROUNDS; n++) {
      await db.transaction(async (tx) => {
        const [author] = await tx.insert(authors).values({ name: "Dee" })
          .onConflictDoUpdate({ target: authors.name, set: { name: "Dee" } }).returning();
        const [note] = await tx.insert(notes).values({ author: author!.id, body: `drizzle ${n}` })
          .returning();
        const [read] = await tx.select().from(notes).where(eq(notes.id, note!.id));
        assert.deepEqual(read, note);
        const found = await tx.query.authors.findMany({
          with: { notes: { orderBy: desc(notes.createdAt), limit: 2 } },
        });
        assert.ok(found.some(({ notes }) => notes.length > 0));
        await tx.update(notes).set({ price: read!.price * 1.1 }).where(eq(notes.id, 2));
        await tx.insert(authors).values({ name: `gone ${n}` });
        await tx.delete(authors).where(eq(authors.name, `gone ${n}`));
      });
    }
    await everywhere("drizzle");
  });

  it("Drizzle's batch and Kysely's calls without a transaction leave equal replicas", async () => {
    const db = drizzle(client, { schema });
    const kysely = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });
    for (let n = 0; n < ROUNDS; n++) {
      await db.batch([
        db.insert(notes).values([{ author: "x", body: `batch ${n}` }, {
          author: "x",
          body: "more",
        }]),
        db.select().from(notes).orderBy(desc(notes.createdAt)).limit(2),
      ]);
      await kysely.insertInto("notes").values([{ author: "x", body: "a" }, {
        author: "x",
        body: "b",
      }])
        .execute();
    }
    await everywhere("batch");
  });

  it("the DB-API inserts many rows and counts them, with and without a transaction", async () => {
    for (const autocommit of [false, true]) {
      const connection = connectDbapi(cluster.urls, { autocommit });
      const cursor = connection.cursor();
      const name = `many ${autocommit}`;
      const rows = Array.from({ length: ROUNDS }, (_, n) => ["x", `${name} ${n}`]);
      await cursor.executeMany("INSERT INTO notes(author, body) VALUES(?, ?)", rows);
      await cursor.execute("SELECT * FROM notes WHERE body LIKE ?", [`${name} %`]);
      assert.equal((await cursor.fetchAll()).length, ROUNDS);
      await connection.commit();
      await connection.close();
      await everywhere(name);
    }
  });
});
