// The `signal` and `timeout` of one statement of a transaction end that statement, and nothing of it is kept.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, TimeoutError, type Transaction, type TransactionOptions } from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

/** A node that can be made not to answer. */
class Stuck {
  #stuck: ((body: string) => boolean) | undefined;
  #waiting: (() => void)[] = [];
  readonly #node: typeof fetch;

  constructor(node: typeof fetch) {
    this.#node = node;
  }

  /** From here on requests whose body holds the text are not answered. */
  stop(text = ""): void {
    this.#stuck = (body) => body.includes(text);
  }

  /** Answers again, also what was asked meanwhile and not given up. */
  go(): void {
    this.#stuck = undefined;
    for (const tell of this.#waiting.splice(0)) tell();
  }

  /** Requests that wait and were not given up. */
  get waiting(): number {
    return this.#waiting.length;
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const body = init.body ? await new Response(init.body).text() : "";
    if (this.#stuck?.(body)) await this.#wait(init.signal);
    return await this.#node(input, { ...init, body });
  };

  #wait(signal: AbortSignal | null | undefined): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push(resolve);
      signal?.addEventListener("abort", () => {
        this.#waiting = this.#waiting.filter((one) => one !== resolve);
        reject(signal.reason);
      });
    });
  }
}

const SHORT = { timeout: 60 };

const later = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 20));

for (const place of PLACES) {
  interface Situation {
    readonly node: Stuck;
    readonly db: Client;
    readonly rows: () => Promise<unknown[]>;
  }

  const test = (name: string, body: (situation: Situation) => Promise<void>) =>
    it(name, () =>
      place.run(async (world: World) => {
        await world.sql("CREATE TABLE t(n INTEGER)");
        const node = new Stuck(world.node);
        const db = world.connect({ fetch: node.fetch, retries: 0 });
        // What is known of the schema is asked for once.
        await db.execute("INSERT INTO t VALUES(0)");
        const rows = async () => {
          const found = await world.other.query<number[]>("SELECT n FROM t", [], { rows: "array" });
          return found.rows.flat();
        };
        await body({ node, db, rows });
      }));

  const MODES: Readonly<Record<string, TransactionOptions>> = {
    eager: {},
    "isolation none": { isolation: "none" },
    "timeout per statement": { timeoutPer: "statement", timeout: 20_000 },
  };

  describe(`limits of a statement on ${place.name}`, { skip: place.skip }, () => {
    for (const [mode, options] of Object.entries(MODES)) {
      test(`a write that takes too long is not kept, and the transaction goes on (${mode})`, async (s) => {
        const { node, db, rows } = s;
        await db.transaction(async (tx) => {
          await tx.execute("INSERT INTO t VALUES(1)");
          node.stop();
          await assert.rejects(tx.execute("INSERT INTO t VALUES(2)", [], SHORT), {
            name: "TimeoutError",
            message: /took longer than its `timeout`.*can go on/,
          });
          assert.equal(node.waiting, 0);
          node.go();
          await tx.execute("INSERT INTO t VALUES(3)");
          assert.deepEqual((await tx.query("SELECT n FROM t")).rows, [{ n: 0 }, { n: 1 }, {
            n: 3,
          }]);
        }, options);
        assert.deepEqual(await rows(), [0, 1, 3]);
      });
    }

    test("a read ends with the reason of its own signal, while it waits for the network", async (s) => {
      const { node, db, rows } = s;
      const controller = new AbortController();
      const reason = new Error("not needed any more");
      await db.transaction(async (tx) => {
        node.stop();
        const read = tx.query("SELECT n FROM t", [], { signal: controller.signal });
        await later();
        controller.abort(reason);
        await assert.rejects(read, (error) => error === reason);
        assert.equal(tx.signal.aborted, false);
        node.go();
        await tx.execute("INSERT INTO t VALUES(1)");
      });
      assert.deepEqual(await rows(), [0, 1]);
    });

    test("one that waits behind another in the queue ends by itself, and is never sent", async (s) => {
      const { node, db, rows } = s;
      const tx = await db.begin();
      await tx.query("SELECT 1");
      node.stop();
      const first = tx.batch(["INSERT INTO t VALUES(1)"]);
      const second = tx.execute("INSERT INTO t VALUES(2)", [], SHORT);
      const third = tx.batch(["INSERT INTO t VALUES(3)", "INSERT INTO t VALUES(4)"], SHORT);
      await Promise.all([second, third].map((one) => assert.rejects(one, TimeoutError)));
      node.go();
      await first;
      await tx.commit();
      assert.deepEqual(await rows(), [0, 1]);
    });

    test("those that share its request go on, as if it had not been there", async (s) => {
      const { node, db, rows } = s;
      const tx = await db.begin();
      await tx.query("SELECT 1");
      node.stop();
      const first = tx.execute("INSERT INTO t VALUES(1)");
      const given = tx.execute("INSERT INTO t VALUES(2)", [], SHORT);
      const read = tx.query("SELECT n FROM t WHERE n > 0", [], SHORT);
      const count = tx.query("SELECT count(*) AS n FROM t");
      await Promise.all([given, read].map((one) => assert.rejects(one, TimeoutError)));
      assert.equal(node.waiting, 1);
      node.go();
      await first;
      assert.deepEqual((await count).rows, [{ n: 2 }]);
      await tx.commit();
      assert.deepEqual(await rows(), [0, 1]);
    });

    test("a batch that is given up keeps none of its statements", async (s) => {
      const { node, db, rows } = s;
      await db.transaction(async (tx) => {
        await tx.execute("INSERT INTO t VALUES(1)");
        node.stop();
        const batch = tx.batch(["INSERT INTO t VALUES(2)", "SELECT n FROM t"], SHORT);
        await assert.rejects(batch, TimeoutError);
        node.go();
      });
      assert.deepEqual(await rows(), [0, 1]);
    });

    test("one that nobody looked at fails the commit", async (s) => {
      const { node, db, rows } = s;
      const tx = await db.begin();
      await tx.query("SELECT 1");
      node.stop();
      void tx.execute("INSERT INTO t VALUES(1)", [], SHORT);
      await new Promise((resolve) => setTimeout(resolve, 120));
      node.go();
      await assert.rejects(tx.commit(), TimeoutError);
      assert.deepEqual(await rows(), [0]);
    });

    test("the first statement may be given up, nested ones too", async (s) => {
      const { node, db, rows } = s;
      const give = async (tx: Transaction, n: number): Promise<void> => {
        node.stop();
        await assert.rejects(tx.execute("INSERT INTO t VALUES(?)", [n], SHORT), TimeoutError);
        node.go();
      };
      await db.transaction(async (tx) => {
        await give(tx, 1);
        await tx.transaction(async (inner) => {
          await give(inner, 2);
          await inner.execute("INSERT INTO t VALUES(3)");
        });
        const point = await tx.savepoint();
        await give(tx, 4);
        await tx.rollbackTo(point);
      });
      assert.deepEqual(await rows(), [0, 3]);
    });

    test("lazy: a write that is kept back needs no time, one that waits for DDL may be given up", async (s) => {
      const { node, db, rows } = s;
      await db.transaction(async (tx) => {
        await tx.execute("INSERT INTO t VALUES(1)", [], SHORT);
        await tx.execute("CREATE TABLE u(n INTEGER)");
        node.stop();
        await assert.rejects(tx.execute("INSERT INTO t VALUES(2)", [], SHORT), TimeoutError);
        node.go();
        await tx.execute("INSERT INTO t VALUES(3)");
      }, { mode: "lazy" });
      assert.deepEqual(await rows(), [0, 1, 3]);
    });

    test("one that is given up while the table of versions is made leaves that to the next", async (s) => {
      const { node, db, rows } = s;
      const tx = await db.begin({ scope: "numbers" });
      node.stop("EXISTS _rqlite_version");
      await assert.rejects(tx.query("SELECT n FROM t", [], SHORT), TimeoutError);
      node.go();
      await tx.execute("INSERT INTO t VALUES(1)");
      await tx.commit();
      assert.deepEqual(await rows(), [0, 1]);
    });

    test("its own `timeout` may be longer than that of each statement", async (s) => {
      const { node, db } = s;
      const tx = await db.begin({ timeoutPer: "statement", timeout: 60 });
      await tx.query("SELECT 1", [], { timeout: 20_000 });
      node.stop();
      const read = tx.query("SELECT n FROM t", [], { timeout: 20_000 });
      const passed = new Promise((resolve) => setTimeout(resolve, 120));
      assert.equal(await Promise.race([read, passed]), undefined);
      node.go();
      assert.deepEqual((await read).rows, [{ n: 0 }]);
      await tx.rollback();
    });

    test("a signal that has fired already refuses it before anything is sent", async (s) => {
      const { db, rows } = s;
      const tx = await db.begin();
      const signal = AbortSignal.abort(new Error("too late"));
      await assert.rejects(tx.execute("INSERT INTO t VALUES(1)", [], { signal }), /too late/);
      await tx.execute("INSERT INTO t VALUES(2)", [], { signal: new AbortController().signal });
      await tx.commit();
      assert.deepEqual(await rows(), [0, 2]);
    });
  });
}
