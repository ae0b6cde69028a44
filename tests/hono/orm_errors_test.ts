// What ORMs make of an error of the database is answered as that itself.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql } from "drizzle-orm";
import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
import { Hono } from "hono";
import { Kysely } from "kysely";
import { type Client, connect, IntegrityError } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { onRqliteError } from "../../src/hono/mod.ts";

const users = sqliteTable("users", { id: integer().primaryKey(), age: integer() });

/** Inserts by an ORM, in its own ways. */
type Insert = (client: Client, row: { id: number; age: number }) => Promise<unknown>;

const kysely = (client: Client) =>
  new Kysely<{ users: { id: number; age: number } }>({ dialect: new RqliteDialect({ client }) });

const ORMS: Record<string, Insert> = {
  "Drizzle's insert()": async (client, row) => await drizzle(client).insert(users).values(row),
  "Drizzle's batch()": (client, row) => {
    const db = drizzle(client);
    return db.batch([db.insert(users).values(row)]);
  },
  "Drizzle's transaction()": (client, row) =>
    drizzle(client).transaction((tx) => tx.transaction((inner) => inner.insert(users).values(row))),
  "Drizzle's sql": (client, { id, age }) =>
    drizzle(client).run(sql`INSERT INTO users VALUES(${id}, ${age})`),
  "Kysely's insertInto()": (client, row) =>
    kysely(client).insertInto("users").values(row).execute(),
  "Kysely's transaction()": (client, row) =>
    kysely(client).transaction().execute((tx) => tx.insertInto("users").values(row).execute()),
};

describe("onRqliteError() for errors of ORMs", () => {
  for (const [what, insert] of Object.entries(ORMS)) {
    it(`answers what is behind an error of ${what}`, async () => {
      const client = connect(embedded());
      await client.execute(
        "CREATE TABLE users(id INTEGER PRIMARY KEY, age INTEGER CHECK(age > 17))",
      );
      const app = new Hono();
      app.onError(onRqliteError);
      app.post("/:id/:age", async (c) => {
        await insert(client, { id: Number(c.req.param("id")), age: Number(c.req.param("age")) });
        return c.text("made", 201);
      });
      const post = async (path: string): Promise<[number, unknown]> => {
        const answer = await app.request(path, { method: "POST" });
        return [answer.status, answer.status === 201 ? undefined : (await answer.json()).code];
      };
      assert.deepEqual(await post("/1/18"), [201, undefined]);
      assert.deepEqual(await post("/1/18"), [409, "SQLITE_CONSTRAINT_UNIQUE"]);
      assert.deepEqual(await post("/2/17"), [422, "SQLITE_CONSTRAINT_CHECK"]);
      await client.close();
    });
  }

  it("answers what an error of Prisma has in its meta, where its driver has put it", async () => {
    const error = new IntegrityError("UNIQUE constraint failed: users.id", {
      constraint: "unique",
      code: "SQLITE_CONSTRAINT_UNIQUE",
    });
    const made = Object.assign(new Error("Unique constraint failed on the fields: (`id`)"), {
      name: "PrismaClientKnownRequestError",
      code: "P2002",
      meta: { modelName: "User", driverAdapterError: Object.assign(new Error(), { error }) },
    });
    for (const thrown of [made, new Error("wrapped", { cause: made })]) {
      const answer = onRqliteError(thrown);
      assert.equal(answer.status, 409);
      assert.equal((await answer.json()).code, "SQLITE_CONSTRAINT_UNIQUE");
    }
  });
});
