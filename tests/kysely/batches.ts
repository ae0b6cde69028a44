import assert from "node:assert/strict";
import { it } from "node:test";
import { sql } from "kysely";
import { IntegrityError, InterfaceError } from "../../mod.ts";
import { batch } from "../../packages/kysely/mod.ts";
import { fill, names, type Topic } from "./target.ts";

export const batches: Topic = (target) => {
  it("batch() answers for each query what its execute() would", async () => {
    const db = await fill(target());
    const [inserted, returned, updated, deleted, rows, raw] = await batch(target().client, [
      db.insertInto("users").values({ name: "Dan" }),
      db.insertInto("users").values({ name: "Eve" }).returning("id").compile(),
      db.updateTable("users").set({ age: 1 }).where("id", ">", 3),
      db.deleteFrom("users").where("id", "=", 3),
      db.selectFrom("users").select(["name", "active"]).orderBy("id", "desc").limit(1),
      sql<{ n: number }>`select count(*) as n from users`.compile(db),
    ]);
    assert.equal(inserted[0]!.insertId, 4n);
    assert.equal(inserted[0]!.numInsertedOrUpdatedRows, 1n);
    assert.deepEqual(returned, [{ id: 5 }]);
    assert.equal(updated[0]!.numUpdatedRows, 2n);
    assert.equal(deleted[0]!.numDeletedRows, 1n);
    assert.deepEqual(rows, [{ name: "Eve", active: 1 }]);
    assert.deepEqual(raw, [{ n: 4 }]);
  });

  it("batch() keeps nothing where one query fails, and says which", async () => {
    const db = await fill(target());
    const run = batch(target().client, [
      db.deleteFrom("users").where("id", "=", 3),
      db.insertInto("users").values({ name: "Ada" }).returning("id"),
    ]);
    await assert.rejects(
      run,
      (error) => error instanceof IntegrityError && error.statementIndex === 1,
    );
    assert.equal((await names(db)).length, 3);
  });

  it("batch() runs in a transaction of the client", async () => {
    const db = await fill(target());
    await target().client.transaction(async (tx) => {
      await batch(tx, [db.insertInto("users").values({ name: "Dan" })]);
    });
    assert.equal((await names(db)).length, 4);
  });

  it("batch() runs by a Kysely, in its transaction, which sees it and takes it back", async () => {
    const db = await fill(target());
    const [[inserted]] = await batch(db, [db.insertInto("users").values({ name: "Dan" })]);
    assert.equal(inserted!.insertId, 4n);
    const run = db.transaction().execute(async (trx) => {
      const [, rows] = await batch(trx, [
        trx.insertInto("users").values({ name: "Eve" }),
        trx.selectFrom("users").select("name").orderBy("id", "desc").limit(1),
      ]);
      assert.deepEqual(rows, [{ name: "Eve" }]);
      const failing = batch(trx, [
        trx.insertInto("users").values({ name: "Fay" }),
        trx.insertInto("users").values({ name: "Ada" }),
      ]);
      await assert.rejects(failing, IntegrityError);
      assert.deepEqual(await names(trx), ["Ada", "Bob", "Cleo", "Dan", "Eve"]);
      throw new Error("no");
    });
    await assert.rejects(run, /no/);
    assert.deepEqual(await names(db), ["Ada", "Bob", "Cleo", "Dan"]);
  });

  it("batch() that its transaction does not await is not kept, nor is the transaction", async () => {
    const db = await fill(target());
    let forgotten: Promise<unknown> | undefined;
    const run = db.transaction().execute((trx) => {
      forgotten = batch(trx, [trx.deleteFrom("users")]).catch(() => {});
      return Promise.resolve();
    });
    await assert.rejects(run, InterfaceError);
    await forgotten;
    assert.equal((await names(db)).length, 3);
  });

  it("batch() of nothing sends nothing, and refuses what is no query", async () => {
    assert.deepEqual(await batch(target().client, []), []);
    for (const wrong of ["select 1", null, 7, {}, { sql: "select 1" }]) {
      await assert.rejects(batch(target().client, [wrong as never]), TypeError);
    }
    await assert.rejects(
      batch(target().client, sql`select 1` as never),
      { name: "TypeError", message: /must be an array/ },
    );
  });
};
