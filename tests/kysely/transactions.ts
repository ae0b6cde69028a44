// Transactions: commit, rollback, savepoints, conflicts.
import assert from "node:assert/strict";
import { it } from "node:test";
import { type IsolationLevel, Kysely, sql } from "kysely";
import { NotSupportedError, ProgrammingError, TransactionConflictError } from "../../mod.ts";
import { RqliteDialect, withRetry } from "../../packages/kysely/mod.ts";
import { type Database, fill, names, type Topic } from "./target.ts";

export const transactions: Topic = (target) => {
  const dan = { name: "Dan" };

  it("transaction() commits, and nobody else sees it before", async () => {
    const db = await fill(target());
    const result = await db.transaction().execute(async (trx) => {
      await trx.insertInto("users").values(dan).execute();
      assert.deepEqual(await names(trx), ["Ada", "Bob", "Cleo", "Dan"]);
      assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo"]);
      return "done";
    });
    assert.equal(result, "done");
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo", "Dan"]);
  });

  it("transaction() rolls back what throws, and throws it unchanged", async () => {
    const db = await fill(target());
    const problem = new Error("no");
    const run = db.transaction().execute(async (trx) => {
      await trx.deleteFrom("users").execute();
      throw problem;
    });
    await assert.rejects(run, (error) => error === problem);
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo"]);
  });

  it("transaction() keeps nothing where its commit is refused", async () => {
    const db = await fill(target());
    await sql`create table if not exists later(user references users(id) deferrable initially deferred)`
      .execute(db);
    const run = db.transaction().execute(async (trx) => {
      await trx.insertInto("users").values(dan).execute();
      await sql`insert into later values (99)`.execute(trx);
    });
    await assert.rejects(run, { code: "SQLITE_CONSTRAINT_FOREIGNKEY" });
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo"]);
    await sql`drop table later`.execute(db);
  });

  it("transaction() may hold DDL, which is rolled back with it", async () => {
    const db = await fill(target());
    const run = db.transaction().execute(async (trx) => {
      await trx.schema.createTable("made").addColumn("a", "integer").execute();
      await sql`insert into made values (1)`.execute(trx);
      throw new Error("no");
    });
    await assert.rejects(run, /no/);
    await assert.rejects(sql`select * from made`.execute(db), /no such table/);
  });

  it("startTransaction() commits, and refuses what comes later", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await trx.insertInto("users").values(dan).execute();
    await trx.commit().execute();
    await assert.rejects(trx.selectFrom("users").selectAll().execute(), /committed/);
    assert.equal((await names(db)).length, 4);
  });

  it("savepoints nest, roll back and release", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await trx.insertInto("users").values(dan).execute();
    const one = await trx.savepoint("one").execute();
    await one.deleteFrom("users").execute();
    const two = await one.savepoint("two").execute();
    await two.insertInto("users").values({ name: "Eve" }).execute();
    assert.deepEqual(await names(two), ["Eve"]);
    const back = await two.rollbackToSavepoint("one").execute();
    assert.deepEqual(await names(back), ["Ada", "Bob", "Cleo", "Dan"]);
    const three = await back.savepoint("three").execute();
    await three.insertInto("users").values({ name: "Fay" }).execute();
    await (await three.releaseSavepoint("three").execute()).commit().execute();
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo", "Dan", "Fay"]);
  });

  it("a savepoint that is not there is an error, and the transaction goes on", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    const unknown = trx.rollbackToSavepoint("nope" as never);
    await assert.rejects(unknown.execute(), ProgrammingError);
    await trx.insertInto("users").values(dan).execute();
    await trx.commit().execute();
    assert.equal((await names(db)).length, 4);
  });

  it("rollback() forgets everything", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await trx.deleteFrom("users").execute();
    await trx.rollback().execute();
    assert.equal((await names(db)).length, 3);
  });

  it("connection() takes transactions one after the other", async () => {
    const db = await fill(target());
    await db.connection().execute(async (one) => {
      await one.transaction().execute((trx) => trx.insertInto("users").values(dan).execute());
      assert.equal((await names(one)).length, 4);
      const failed = one.transaction().execute(async (trx) => {
        await trx.deleteFrom("users").execute();
        throw new Error("no");
      });
      await assert.rejects(failed, /no/);
      assert.equal((await names(one)).length, 4);
    });
  });

  it("a commit conflicts where another client changed what was read", async () => {
    const db = await fill(target());
    const other = new Kysely<Database>({
      dialect: new RqliteDialect({ client: target().connect() }),
    });
    const run = db.transaction().execute(async (trx) => {
      const { age } = await trx.selectFrom("users").select("age").where("id", "=", 1)
        .executeTakeFirstOrThrow();
      await other.updateTable("users").set({ age: 50 }).where("id", "=", 1).execute();
      await trx.updateTable("users").set({ age: age! + 1 }).where("id", "=", 1).execute();
    });
    await assert.rejects(
      run,
      (error) => error instanceof TransactionConflictError && error.retryable,
    );
    const row = await db.selectFrom("users").select("age").where("id", "=", 1).executeTakeFirst();
    assert.deepEqual(row, { age: 50 });
  });

  it("a refused commit of startTransaction() leaves it to be rolled back", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await trx.selectFrom("users").selectAll().execute();
    await trx.insertInto("users").values(dan).execute();
    await db.deleteFrom("users").where("id", "=", 3).execute();
    await assert.rejects(trx.commit().execute(), TransactionConflictError);
    await trx.rollback().execute();
    assert.deepEqual(await names(db), ["Ada", "Bob"]);
  });

  it("withRetry() runs a transaction again until it commits", async () => {
    const db = await fill(target());
    const others = Array.from(
      { length: 4 },
      () => new Kysely<Database>({ dialect: new RqliteDialect({ client: target().connect() }) }),
    );
    const raise = (on: Kysely<Database>) =>
      withRetry(() =>
        on.transaction().execute(async (trx) => {
          const { age } = await trx.selectFrom("users").select("age").where("id", "=", 1)
            .executeTakeFirstOrThrow();
          await trx.updateTable("users").set({ age: age! + 1 }).where("id", "=", 1).execute();
        }), { retries: 1000 });
    await Promise.all(others.flatMap((on) => [raise(on), raise(on), raise(on)]));
    const row = await db.selectFrom("users").select("age").where("id", "=", 1).executeTakeFirst();
    assert.deepEqual(row, { age: 48 });
  });

  it("transactions of one Kysely take turns, and do not conflict", async () => {
    const db = await fill(target());
    const runs = Array.from({ length: 9 }, (_, i) =>
      db.transaction().execute(async (trx) => {
        const { id } = await trx.insertInto("users").values({ name: `u${i}` }).returning("id")
          .executeTakeFirstOrThrow();
        await trx.insertInto("posts").values({ author: id, title: `p${i}` }).execute();
        if (i % 3 === 0) throw new Error("no");
      }));
    const settled = await Promise.allSettled(runs);
    assert.equal(settled.filter(({ status }) => status === "fulfilled").length, 6);
    const { rows: [row] } = await sql<{ n: number }>`select count(*) as n from users join posts
      on author = users.id where title = 'p' || substr(name, 2)`.execute(db);
    assert.deepEqual(row, { n: 6 });
  });

  it("a query beside a transaction does not wait for it", async () => {
    const db = await fill(target());
    await db.transaction().execute(async (trx) => {
      await trx.insertInto("users").values(dan).execute();
      await db.insertInto("tags").values({ name: "beside" }).execute();
    });
    const tags = await db.selectFrom("tags").select("name").where("id", "=", 3).execute();
    assert.deepEqual(tags, [{ name: "beside" }]);
  });

  it("setAccessMode() of read only refuses writes", async () => {
    const db = await fill(target());
    const run = db.transaction().setAccessMode("read only").execute(async (trx) => {
      assert.equal((await names(trx)).length, 3);
      await trx.deleteFrom("users").execute();
    });
    await assert.rejects(run, NotSupportedError);
  });

  it("counts are told also where the client's own transactions are lazy", async () => {
    const filled = await fill(target());
    await filled.destroy();
    const client = target().connect({ transaction: { mode: "lazy", rows: "array" } });
    const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    await db.transaction().execute(async (trx) => {
      const result = await trx.updateTable("users").set({ age: 1 }).executeTakeFirstOrThrow();
      assert.equal(result.numUpdatedRows, 3n);
      assert.equal((await names(trx)).length, 3);
    });
  });

  it("isolation of none is taken from the client, unless a level is asked for", async () => {
    const other = await fill(target());
    const client = target().connect({ transaction: { isolation: "none" } });
    const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    const race = async (trx: Kysely<Database>, age: number) => {
      await trx.selectFrom("users").select("age").where("id", "=", 1).execute();
      await other.updateTable("users").set({ age }).where("id", "=", 1).execute();
      await trx.insertInto("tags").values({ name: `age ${age}` }).execute();
    };
    await db.transaction().execute((trx) => race(trx, 51));
    const checked = db.transaction().setIsolationLevel("serializable")
      .execute((trx) => race(trx, 52));
    await assert.rejects(checked, TransactionConflictError);
  });

  const levels: IsolationLevel[] = [
    ...["read uncommitted", "read committed", "repeatable read"] as const,
    ...["snapshot", "serializable"] as const,
  ];
  for (const level of levels) {
    it(`setIsolationLevel() takes ${level}, and checks what was read`, async () => {
      const db = await fill(target());
      const other = new Kysely<Database>({
        dialect: new RqliteDialect({ client: target().connect() }),
      });
      const raise = async (meanwhile: () => Promise<unknown>) =>
        await db.transaction().setIsolationLevel(level).execute(async (trx) => {
          await trx.selectFrom("users").select("age").where("id", "=", 1).execute();
          await meanwhile();
          await trx.insertInto("users").values(dan).execute();
        });
      const change = () => other.updateTable("users").set({ age: 50 }).execute();
      await assert.rejects(raise(change), TransactionConflictError);
      await raise(() => Promise.resolve());
      assert.equal((await names(db)).length, 4);
    });
  }

  it("setIsolationLevel() refuses what is no level", async () => {
    const db = await fill(target());
    const run = async () =>
      await db.transaction().setIsolationLevel("chaos" as never).execute(() => assert.fail());
    await assert.rejects(run(), /isolation level/);
  });
};
