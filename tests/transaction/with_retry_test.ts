import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  connect,
  IntegrityError,
  OutcomeUnknownError,
  TransactionConflictError,
  withRetry,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

describe("withRetry()", () => {
  const failing = (times: number, error: Error) => {
    let runs = 0;
    return () => ++runs > times ? Promise.resolve(runs) : Promise.reject(error);
  };
  const conflict = new TransactionConflictError("conflict");

  it("runs again while the error is retryable, up to `retries` times", async () => {
    assert.equal(await withRetry(failing(3, conflict)), 4);
    await assert.rejects(withRetry(failing(3, conflict), { retries: 2 }), (e) => e === conflict);
    await assert.rejects(withRetry(failing(1, conflict), { retries: 0 }), (e) => e === conflict);
    const violation = new IntegrityError("unique", { constraint: "unique" });
    await assert.rejects(withRetry(failing(1, violation)), (e) => e === violation);
    await assert.rejects(withRetry(failing(0, conflict), { retries: -1 }), RangeError);
  });

  it("looks for a retryable error behind those that an ORM wraps around it", async () => {
    const wrapped = new Error("Failed query", { cause: new Error("failed", { cause: conflict }) });
    assert.equal(await withRetry(failing(3, wrapped)), 4);
    const unknown = new Error("x", { cause: new OutcomeUnknownError("?", { cause: conflict }) });
    await assert.rejects(withRetry(failing(1, unknown)), (e) => e === unknown);
    const circle = new Error("circle");
    circle.cause = circle;
    await assert.rejects(withRetry(failing(1, circle)), (e) => e === circle);
  });

  it("ends with the signal's reason", async () => {
    const controller = new AbortController();
    const reason = new Error("stop");
    let runs = 0;
    const work = withRetry(() => {
      if (++runs === 2) controller.abort(reason);
      return Promise.reject(conflict);
    }, { signal: controller.signal });
    await assert.rejects(work, (error) => error === reason);
    assert.equal(runs, 2);
  });

  it("gets every one of many transactions through", async () => {
    const db = connect(embedded());
    await db.execute("CREATE TABLE t(n INTEGER)");
    await db.execute("INSERT INTO t VALUES(0)");
    const increment = () =>
      withRetry(async () => {
        const tx = await db.begin();
        const { rows } = await tx.query<{ n: number }>("SELECT n FROM t");
        await tx.execute("UPDATE t SET n = ?", [rows[0]!.n + 1]);
        await tx.commit();
      }, { retries: 100 });
    await Promise.all(Array.from({ length: 12 }, increment));
    assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 12 }]);
    await db.close();
  });
});
