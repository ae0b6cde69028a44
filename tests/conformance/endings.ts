// How calls end early: close, abort, time.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { holdsId } from "../support/commits.ts";
import { freshTable, type Target, thrownBy, type Topic, valueOf } from "./target.ts";

/** A client whose requests never get an answer from the first on that fits, and a promise for that one. */
function silent(
  target: Target,
  fits: (body: string) => boolean = () => true,
): { db: Client; asked: Promise<void> } {
  const asked = Promise.withResolvers<void>();
  let over = false;
  const fetch = (async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
    over ||= fits(init?.body ? await new Response(init.body).text() : "");
    if (!over) return await target.fetch(input, init);
    asked.resolve();
    return await new Promise((_, reject) => {
      init?.signal?.addEventListener("abort", () => reject(init.signal!.reason), { once: true });
    });
  }) as typeof globalThis.fetch;
  return { db: connect(target.url, { fetch }), asked: asked.promise };
}

/** Ways to write, each with what tells a request of it. */
const WAYS: readonly [exactlyOnce: boolean, sends: (body: string) => boolean][] = [
  [true, holdsId],
  [false, (body) => body.includes("DELETE FROM")],
];

export const endings: Topic = (target) => {
  closing(target);
  aborting(target);
  timing(target);
};

const closing: Topic = (target) => {
  const another = (): Client => connect(target().url, { fetch: target().fetch });
  describe("close()", () => {
    it("ends a read in flight with an InterfaceError", async () => {
      const { db, asked } = silent(target());
      const read = thrownBy(db.query("SELECT 1"));
      await asked;
      await db.close();
      assert.equal((await read).name, "InterfaceError");
    });

    it("leaves a write in flight unknown", async () => {
      const table = await freshTable(target(), "a");
      const writes = [
        (db: Client, exactlyOnce: boolean) =>
          db.execute(`DELETE FROM ${table}`, [], { exactlyOnce }),
        (db: Client, exactlyOnce: boolean) =>
          db.batch([`DELETE FROM ${table}`, `DELETE FROM ${table}`], { exactlyOnce }),
      ];
      for (const [exactlyOnce, sends] of WAYS) {
        for (const write of writes) {
          const { db, asked } = silent(target(), sends);
          const outcome = thrownBy(write(db, exactlyOnce));
          await asked;
          await db.close();
          const error = await outcome as Error & { retryable: boolean };
          assert.deepEqual([error.name, error.retryable], ["OutcomeUnknownError", false]);
          const causes = causesOf(error);
          assert.equal(causes.at(-1)!.name, "InterfaceError", causes.join());
        }
      }
    });

    it("ends a write that was not sent yet with an InterfaceError", async () => {
      const { db, asked } = silent(target());
      const outcome = thrownBy(db.execute("DELETE FROM t"));
      await asked;
      await db.close();
      assert.equal((await outcome).name, "InterfaceError");
    });

    it("makes every later call an InterfaceError", async () => {
      const db = another();
      assert.equal(db.closed, false);
      const rows = db.iterate("SELECT name FROM sqlite_schema");
      await db.close();
      assert.equal(db.closed, true);
      const expected = { name: "InterfaceError", code: "ERR_INTERFACE", message: /closed/ };
      await assert.rejects(db.query("SELECT 1"), expected);
      await assert.rejects(db.query(""), expected);
      await assert.rejects(db.execute("DELETE FROM t"), expected);
      await assert.rejects(db.batch([]), expected);
      assert.throws(() => db.iterate("SELECT a FROM t"), expected);
      await assert.rejects(rows.next(), expected);
    });

    it("may be called twice, and is what `await using` calls", async () => {
      const db = another();
      await Promise.all([db.close(), db.close()]);
      await db.close();
      await db[Symbol.asyncDispose]();
      const other = another();
      await other[Symbol.asyncDispose]();
      assert.equal(other.closed, true);
    });

    it("calls the option `close` once", async () => {
      let calls = 0;
      const db = connect(target().url, { fetch: target().fetch, close: () => calls++ });
      await db.close();
      await db.close();
      assert.equal(calls, 1);
    });

    it("does not touch other clients", async () => {
      const db = another();
      await db.query("SELECT 1");
      await db.close();
      assert.equal(await valueOf(target().db, "SELECT 1"), 1);
    });
  });
};

function causesOf(error: Error): Error[] {
  return error.cause instanceof Error ? [error.cause, ...causesOf(error.cause)] : [];
}

const aborting: Topic = (target) => {
  describe("a signal", () => {
    const reasons: readonly [string, unknown][] = [
      ["an Error", new Error("enough")],
      ["a text", "enough"],
      ["an object", { enough: true }],
    ];
    for (const [what, reason] of reasons) {
      it(`that was aborted with ${what} ends a call before it is sent, with that very reason`, async () => {
        const { db, asked } = silent(target());
        let sent = false;
        void asked.then(() => sent = true);
        const signal = AbortSignal.abort(reason);
        const calls = [
          () => db.query("SELECT 1", [], { signal }),
          () => db.execute("DELETE FROM t", [], { signal }),
          () => db.batch(["DELETE FROM t"], { signal }),
        ];
        for (const call of calls) {
          await assert.rejects(call, (error) => error === reason);
        }
        assert.equal(sent, false);
        await db.close();
      });

      it(`that is aborted with ${what} ends a call in flight, with that very reason`, async () => {
        const calls = [
          (db: Client, signal: AbortSignal) => db.query("SELECT 1", [], { signal }),
          (db: Client, signal: AbortSignal) => db.execute("DELETE FROM t", [], { signal }),
          (db: Client, signal: AbortSignal) => db.batch(["SELECT 1", "DELETE FROM t"], { signal }),
        ];
        for (const call of calls) {
          const { db, asked } = silent(target());
          const controller = new AbortController();
          const ended = assert.rejects(
            call(db, controller.signal),
            (error) => error === reason,
          );
          await asked;
          controller.abort(reason);
          await ended;
        }
      });
    }

    it("of the client ends its calls, and that of a call wins", async () => {
      const own = new AbortController();
      const db = connect(target().url, { fetch: target().fetch, signal: own.signal });
      assert.equal(await valueOf(db, "SELECT 1"), 1);
      own.abort(new Error("all"));
      await assert.rejects(db.query("SELECT 1"), { message: "all" });
      const { signal } = new AbortController();
      assert.equal((await db.query("SELECT 1", [], { signal })).rows.length, 1);
    });

    it("has no effect on a call that is done", async () => {
      const controller = new AbortController();
      const { rows } = await target().db.query("SELECT 1 AS a", [], { signal: controller.signal });
      controller.abort();
      assert.deepEqual(rows, [{ a: 1 }]);
    });
  });
};

const timing: Topic = (target) => {
  describe("timeout", () => {
    it("ends a read with a TimeoutError, and leaves a write unknown", async () => {
      const { db } = silent(target());
      await assert.rejects(db.query("SELECT 1", [], { timeout: 40 }), {
        name: "TimeoutError",
        code: "ERR_TIMEOUT",
        retryable: true,
      });
      await db.close();
      const table = await freshTable(target(), "a");
      for (const [exactlyOnce, sends] of WAYS) {
        const { db } = silent(target(), sends);
        const write = db.execute(`DELETE FROM ${table}`, [], { timeout: 2000, exactlyOnce });
        await assert.rejects(write, {
          name: "OutcomeUnknownError",
          code: "ERR_OUTCOME_UNKNOWN",
          retryable: false,
        });
        await db.close();
      }
    });

    it("ends a write that was not sent yet with a TimeoutError", async () => {
      const { db } = silent(target());
      await assert.rejects(db.execute("DELETE FROM t", [], { timeout: 40 }), {
        name: "TimeoutError",
        code: "ERR_TIMEOUT",
        retryable: true,
      });
      await db.close();
    });

    it("may be Infinity", async () => {
      const { rows } = await target().db.query("SELECT 1 AS a", [], { timeout: Infinity });
      assert.deepEqual(rows, [{ a: 1 }]);
    });

    it("does not keep what was done within it", async () => {
      const table = await freshTable(target(), "a");
      await target().db.execute(`INSERT INTO ${table} VALUES(1)`, [], { timeout: 20_000 });
      assert.equal(await valueOf(target().db, `SELECT count(*) FROM ${table}`), 1);
    });
  });
};
