import assert from "node:assert/strict";
import { connect, TimeoutError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { test } from "../support/test.ts";

const world = async () => {
  const db = connect(embedded());
  await db.execute("CREATE TABLE t(n INTEGER)");
  return db;
};

test("begin() leaves nothing behind when the transaction is abandoned", async () => {
  const db = await world();
  const tx = await db.begin({ signal: new AbortController().signal });
  await tx.execute("INSERT INTO t VALUES(1)");
  await db.close();
});

test("a transaction whose signal was looked at leaves nothing behind when it ended", async () => {
  const db = await world();
  await db.transaction(async (tx) => {
    assert.equal(tx.signal.aborted, false);
    await tx.execute("INSERT INTO t VALUES(1)");
  });
  const tx = await db.begin();
  assert.equal(tx.signal.aborted, false);
  await tx.rollback();
  assert.equal(tx.signal.aborted, false);
  await db.close();
});

test("a transaction is not committed behind its deadline", async () => {
  const db = await world();
  const late = db.transaction(async (tx) => {
    await tx.execute("INSERT INTO t VALUES(1)");
    await new Promise((resolve) => setTimeout(resolve, 60));
  }, { timeout: 50 });
  await assert.rejects(late, TimeoutError);
  assert.equal((await db.query("SELECT * FROM t")).rows.length, 0);
  await db.close();
});
