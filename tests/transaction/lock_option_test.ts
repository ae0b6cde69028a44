import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, InterfaceError, type Lock, type LockHandle } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

/** A lock that tells what was done with it. */
class ToldLock implements Lock {
  readonly name = "stock";
  readonly told: string[] = [];
  readonly lost = new AbortController();

  acquire(): Promise<LockHandle> {
    this.told.push("acquire");
    const release = (): Promise<boolean> => {
      this.told.push("release");
      return Promise.resolve(true);
    };
    return Promise.resolve({
      name: this.name,
      token: "t",
      held: !this.lost.signal.aborted,
      signal: this.lost.signal,
      throwIfLost: () => this.lost.signal.throwIfAborted(),
      release,
      [Symbol.asyncDispose]: async () => void await release(),
    });
  }
}

describe("the lock of a transaction", () => {
  const world = async () => {
    const db = connect(embedded());
    await db.execute("CREATE TABLE t(n INTEGER)");
    return { db, lock: new ToldLock() };
  };

  it("transaction() takes it once and releases it on every path", async () => {
    const { db, lock } = await world();
    await db.transaction((tx) => tx.execute("INSERT INTO t VALUES(1)"), { lock });
    await assert.rejects(
      db.transaction(() => Promise.reject(new Error("mine")), { lock }),
      /mine/,
    );
    assert.deepEqual(lock.told, ["acquire", "release", "acquire", "release"]);
    const { rows } = await db.query("SELECT name, version FROM _rqlite_version");
    assert.deepEqual(rows, [{ name: "lock:stock", version: 1 }]);
    await db.close();
  });

  it("begin() holds it until the transaction has ended", async () => {
    const { db, lock } = await world();
    const tx = await db.begin({ lock });
    await tx.execute("INSERT INTO t VALUES(1)");
    assert.deepEqual(lock.told, ["acquire"]);
    await tx.commit();
    assert.deepEqual(lock.told, ["acquire", "release"]);
    const undone = await db.begin({ lock });
    await undone.rollback();
    assert.equal(lock.told.length, 4);
    await db.close();
  });

  it("ends the transaction when it is lost, and nothing is kept", async () => {
    const { db, lock } = await world();
    const tx = await db.begin({ lock });
    await tx.execute("INSERT INTO t VALUES(1)");
    const reason = new InterfaceError("lost");
    lock.lost.abort(reason);
    assert.equal(tx.signal.reason, reason);
    await assert.rejects(tx.commit(), (error) => error === reason);
    assert.equal((await db.query("SELECT * FROM t")).rows.length, 0);
    assert.deepEqual(lock.told, ["acquire", "release"]);
    await db.close();
  });
});
