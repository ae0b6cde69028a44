// The version of a lock as the guard of a commit: whatever the lock believed, what was read is current or nothing is done.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Transaction, TransactionConflictError } from "../../mod.ts";
import { ToldLock } from "./told_lock.ts";
import { PLACES, type World } from "./world.ts";

const VERSION = "SELECT version FROM _rqlite_version WHERE name = 'lock:stock'";

/** Under the lock, with nothing but its version as a guard: has read 1, and is about to write 2. */
async function begun({ db, sql }: World): Promise<Transaction> {
  await sql("CREATE TABLE t(n INTEGER)");
  await sql("INSERT INTO t VALUES(0)");
  const options = { lock: new ToldLock(), isolation: "none" } as const;
  await db.transaction((tx) => tx.execute("UPDATE t SET n = 1"), options);
  const tx = await db.begin(options);
  await tx.query("SELECT n FROM t");
  await tx.execute("UPDATE t SET n = 2");
  return tx;
}

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`the version guard on ${place.name}`, { skip: place.skip }, () => {
    test("lets a commit pass whose version is right, and raises it (locks test 17)", async (world) => {
      await (await begun(world)).commit();
      assert.deepEqual([await world.value("SELECT n FROM t"), await world.value(VERSION)], [2, 2]);
    });

    test("refuses a commit whose version is stale (locks test 17)", async (world) => {
      const tx = await begun(world);
      const options = { lock: new ToldLock(), isolation: "none" } as const;
      await world.other.transaction((second) => second.execute("UPDATE t SET n = 10"), options);
      await assert.rejects(tx.commit(), TransactionConflictError);
      assert.deepEqual([await world.value("SELECT n FROM t"), await world.value(VERSION)], [10, 2]);
    });

    test("refuses a commit whose version is missing (locks test 17)", async (world) => {
      const tx = await begun(world);
      await world.sql("DELETE FROM _rqlite_version");
      await assert.rejects(tx.commit(), TransactionConflictError);
      assert.equal(await world.value("SELECT n FROM t"), 1);
    });

    test("stands before every write, and the batch is one transaction (locks tests 17, 18)", async (world) => {
      await (await begun(world)).commit();
      const { copies } = world.network;
      assert.equal(copies.length, 2);
      for (const { url, body } of copies) {
        const { pathname, searchParams } = new URL(url);
        assert.equal(pathname, "/db/execute");
        assert.ok(searchParams.has("transaction"), url);
        assert.ok(!searchParams.has("queue"), url);
        const statements = (JSON.parse(body) as (string | [string])[]).map((one) => String(one));
        const at = (part: string): number => statements.findIndex((text) => text.includes(part));
        assert.ok(at("_rqlite_stale") >= 0 && at("_rqlite_stale") < at("UPDATE t SET"), body);
      }
    });

    test("cannot be talked out of that by options (locks test 18)", async (world) => {
      const { db, network } = world;
      await world.sql("CREATE TABLE t(n INTEGER)");
      const lock = new ToldLock();
      for (const name of ["queue", "wait", "transaction"]) {
        const option: object = { [name]: name !== "transaction" };
        const unknown = { name: "TypeError", message: new RegExp(`${name}.*no such option`) };
        await assert.rejects(db.transaction(() => Promise.resolve(), { lock, ...option }), unknown);
        await db.transaction(async (tx) => {
          await assert.rejects(tx.execute("INSERT INTO t VALUES(1)", [], option), unknown);
          await assert.rejects(tx.batch(["INSERT INTO t VALUES(2)"], option), unknown);
        }, { lock });
      }
      assert.equal(network.copies.length, 0);
    });
  });
}
