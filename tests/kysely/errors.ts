// Errors: their class and code, at the await of the statement.
import assert from "node:assert/strict";
import process from "node:process";
import { it } from "node:test";
import { Kysely, sql } from "kysely";
import { ConnectionError, IntegrityError, NotSupportedError, ProgrammingError } from "../../mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { type Database, fill, names, type Topic } from "./target.ts";

type Violation = (db: Kysely<Database>) => { execute(): Promise<unknown> };

const VIOLATIONS: Readonly<Record<string, Violation>> = {
  SQLITE_CONSTRAINT_UNIQUE: (db) => db.insertInto("users").values({ name: "Ada" }),
  SQLITE_CONSTRAINT_NOTNULL: (db) => db.insertInto("users").values({ name: null as never }),
  SQLITE_CONSTRAINT_CHECK: (db) => db.updateTable("users").set({ age: -1 }),
  SQLITE_CONSTRAINT_FOREIGNKEY: (db) => db.insertInto("posts").values({ author: 99, title: "x" }),
};

const CONTROL = [
  "begin",
  "BEGIN IMMEDIATE",
  "commit",
  "end",
  "rollback",
  "savepoint a",
  "release a",
];

export const errors: Topic = (target) => {
  for (const [code, violate] of Object.entries(VIOLATIONS)) {
    it(`${code} is the code of an IntegrityError`, async () => {
      const db = await fill(target());
      await assert.rejects(
        violate(db).execute(),
        (error) => error instanceof IntegrityError && error.code === code,
      );
    });

    it(`${code} in a transaction comes at its own await, and the rest goes on`, async () => {
      const db = await fill(target());
      await db.transaction().execute(async (trx) => {
        await trx.insertInto("users").values({ name: "Dan" }).execute();
        await assert.rejects(
          violate(trx).execute(),
          (error) => error instanceof IntegrityError && error.code === code,
        );
        await trx.insertInto("users").values({ name: "Eve" }).execute();
      });
      assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo", "Dan", "Eve"]);
    });
  }

  it("SQL that does not compile is a ProgrammingError at its await", async () => {
    const db = await fill(target());
    const query = sql`select nonsense from users`;
    await assert.rejects(query.execute(db), ProgrammingError);
    await db.transaction().execute(async (trx) => {
      await assert.rejects(query.execute(trx), ProgrammingError);
    });
  });

  // JavaScriptCore follows `await`, but not a promise that is returned, as Kysely does.
  it("an error has its caller in the stack", { skip: "bun" in process.versions }, async () => {
    const db = await fill(target());
    async function caller(on: Kysely<Database>): Promise<void> {
      await sql`select nonsense from users`.execute(on);
    }
    const named = (error: unknown) => error instanceof Error && /caller/.test(error.stack ?? "");
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 50;
    try {
      await assert.rejects(caller(db), named);
      await assert.rejects(db.transaction().execute(caller), named);
    } finally {
      Error.stackTraceLimit = limit;
    }
  });

  for (const control of CONTROL) {
    it(`raw ${control} is refused, and says what to use`, async () => {
      const db = await fill(target());
      const refused = { name: "ProgrammingError", message: /db\.transaction\(\)/ };
      await assert.rejects(sql.raw(control).execute(db), refused);
      await assert.rejects(
        db.transaction().execute((trx) => sql.raw(control).execute(trx)),
        refused,
      );
      await assert.rejects(
        db.connection().execute((one) => sql.raw(control).execute(one)),
        refused,
      );
    });
  }

  it("several statements in one text are refused", async () => {
    const db = await fill(target());
    const two = sql`insert into tags(name) values ('a'); insert into tags(name) values ('b')`;
    await assert.rejects(two.execute(db), ProgrammingError);
  });

  it("what only one node would do, or the server forbids, is refused", async () => {
    const db = await fill(target());
    for (
      const text of [
        "attach 'x' as y",
        "pragma journal_mode = delete",
        "pragma foreign_keys = off",
        "insert or rollback into tags(name) values ('x')",
      ]
    ) {
      await assert.rejects(sql.raw(text).execute(db), NotSupportedError);
    }
  });

  it("what has no part in a transaction is refused there", async () => {
    const db = await fill(target());
    for (const text of ["pragma foreign_keys = off", "vacuum", "create temp table x(a)"]) {
      const run = db.transaction().execute((trx) => sql.raw(text).execute(trx));
      await assert.rejects(run, NotSupportedError);
    }
  });

  it("a dead server is a ConnectionError, also for the introspector", async () => {
    const db = new Kysely<Database>({
      dialect: new RqliteDialect({ url: { url: "http://127.0.0.1:1", retries: 0 } }),
    });
    await assert.rejects(db.selectFrom("users").selectAll().execute(), ConnectionError);
    await assert.rejects(db.introspection.getTables(), ConnectionError);
    await db.destroy();
  });
};
