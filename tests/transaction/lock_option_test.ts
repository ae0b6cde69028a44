import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  LockLostError,
  LockTimeoutError,
  NotSupportedError,
  OperationalError,
  TimeoutError,
  TransactionConflictError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { holdsId } from "../support/commits.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { ToldLock } from "./told_lock.ts";

interface World {
  readonly db: Client;
  readonly lock: ToldLock;
  readonly network: FaultyNetwork;
  /** What n of the only row is. */
  readonly n: () => Promise<unknown>;
  readonly set: (n: number) => Promise<unknown>;
}

async function inWorld(body: (world: World) => Promise<void>): Promise<void> {
  const engine = embedded();
  const network = new FaultyNetwork(engine.fetch);
  const db = connect({ fetch: network.fetch as typeof fetch, retries: 0 });
  const other = connect({ fetch: engine.fetch });
  await other.execute("CREATE TABLE t(n INTEGER)");
  await other.execute("INSERT INTO t VALUES(0)");
  try {
    await body({
      db,
      lock: new ToldLock(),
      network,
      n: async () => (await db.query<{ n: number }>("SELECT n FROM t")).rows[0]!.n,
      set: (n) => other.execute("UPDATE t SET n = ?", [n]),
    });
  } finally {
    await db.close();
    engine.close();
  }
}

const test = (name: string, body: (world: World) => Promise<void>) => it(name, () => inWorld(body));

const ONCE = ["acquire", "release"];

const add = async (tx: Pick<Client, "query" | "execute">): Promise<void> => {
  const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
  await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
};

/** A transaction that collided and has its turn until it is woken. */
async function takeTurn({ db, set }: World): Promise<{ ended: Promise<void>; wake: () => void }> {
  let [wake, began] = [(): void => {}, (): void => {}];
  const woken = new Promise<void>((resolve) => wake = resolve);
  const running = new Promise<void>((resolve) => began = resolve);
  let runs = 0;
  const ended = db.transaction(async (tx) => {
    await add(tx);
    if (++runs === 1) return void await set(Math.random());
    began();
    await woken;
  });
  await running;
  return { ended: ended.catch(() => {}), wake };
}

describe("the lock of a transaction is taken once and released once (locks test 24)", () => {
  test("by transaction(fn) that commits, and the version guard is on", async ({ db, lock }) => {
    await db.transaction(async (tx) => {
      assert.deepEqual(lock.told, ["acquire"]);
      await add(tx);
    }, { lock });
    assert.deepEqual(lock.told, ONCE);
    const { rows } = await db.query("SELECT name, version FROM _rqlite_version");
    assert.deepEqual(rows, [{ name: "lock:stock", version: 1 }]);
  });

  test("by transaction(fn) that throws", async ({ db, lock, n }) => {
    const failed = db.transaction(async (tx) => {
      await add(tx);
      throw new Error("mine");
    }, { lock });
    await assert.rejects(failed, /mine/);
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });

  test("by transaction(fn) whose statement or commit fails", async ({ db, lock, network }) => {
    await assert.rejects(
      db.transaction((tx) => tx.execute("INSERT INTO gone VALUES(1)"), { lock }),
      /no such table/,
    );
    assert.deepEqual(lock.told.splice(0), ONCE);
    await db.transaction(add);
    network.plan = () => "delay";
    await assert.rejects(db.transaction(add, { lock, timeout: 300 }), OperationalError);
    assert.deepEqual(lock.told, ONCE);
  });

  test("by transaction(fn) that only reads, also inside, or ends itself", async ({ db, lock }) => {
    await db.transaction((tx) => tx.query("SELECT 1"), { lock });
    await db.transaction((tx) => tx.transaction(add), { lock });
    await db.transaction(async (tx) => {
      await add(tx);
      await tx.commit();
    }, { lock });
    await db.transaction((tx) => tx.rollback(), { lock });
    assert.deepEqual(lock.told, [...ONCE, ...ONCE, ...ONCE, ...ONCE]);
  });

  test("over all runs of transaction(fn) that conflict", async ({ db, lock, n, set }) => {
    let runs = 0;
    await db.transaction(async (tx) => {
      await add(tx);
      if (++runs < 3) await set(10 * runs);
      assert.deepEqual(lock.told, ["acquire"]);
    }, { lock });
    assert.equal(runs, 3);
    assert.equal(await n(), 21);
    assert.deepEqual(lock.told, ONCE);
  });

  test("by transaction(fn) that gives up", async ({ db, lock, set }) => {
    const conflicts = db.transaction(async (tx) => {
      await add(tx);
      await set(Math.random());
    }, { lock, retries: 1 });
    await assert.rejects(conflicts, TransactionConflictError);
    assert.deepEqual(lock.told, ONCE);
  });

  test("when the caller aborts", async ({ db, lock, n }) => {
    const controller = new AbortController();
    const { signal } = controller;
    const aborted = db.transaction(async (tx) => {
      await add(tx);
      controller.abort(new Error("enough"));
    }, { lock, signal });
    await assert.rejects(aborted, /enough/);
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });

  test("when time is up, even before the function notices", async ({ db, lock, n }) => {
    let wake = (): void => {};
    const woken = new Promise<void>((resolve) => wake = resolve);
    const late = db.transaction(async (tx) => {
      await add(tx);
      await woken;
    }, { lock, timeout: 200 });
    while (lock.told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    wake();
    await assert.rejects(late, TimeoutError);
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });

  test("at once when the caller aborts or the lock is lost while others have their turn", async (world) => {
    const { db, lock, set } = world;
    const controller = new AbortController();
    for (const end of [() => lock.lose(), () => controller.abort(new Error("enough"))]) {
      const { ended, wake } = await takeTurn(world);
      const waiting = db.transaction(async (tx) => {
        await add(tx);
        await set(Math.random());
      }, { lock, signal: controller.signal });
      const order: string[] = [];
      const settled = waiting.catch(() => order.push("waiting"));
      await new Promise((resolve) => setTimeout(resolve, 50));
      end();
      setTimeout(wake, 500);
      await Promise.all([settled, ended.then(() => order.push("turn"))]);
      assert.deepEqual(order, ["waiting", "turn"]);
      assert.deepEqual(lock.told.splice(0), ONCE);
    }
  });

  test("by begin(): commit, rollback, disposal, a failed commit, and time", async (world) => {
    const { db, lock, set } = world;
    const committed = await db.begin({ lock });
    await add(committed);
    assert.deepEqual(lock.told, ["acquire"]);
    await committed.commit();
    await committed[Symbol.asyncDispose]();
    assert.deepEqual(lock.told.splice(0), ONCE);
    await (await db.begin({ lock })).rollback();
    assert.deepEqual(lock.told.splice(0), ONCE);
    await (await db.begin({ lock }))[Symbol.asyncDispose]();
    assert.deepEqual(lock.told.splice(0), ONCE);
    const refused = await db.begin({ lock });
    await add(refused);
    await set(50);
    await assert.rejects(refused.commit(), TransactionConflictError);
    assert.deepEqual(lock.told.splice(0), ONCE);
    const late = await db.begin({ lock, timeout: 50 });
    while (lock.told.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(late.state, "rolledback");
    assert.deepEqual(lock.told, ONCE);
  });

  test("and what release() throws does not hide that it was committed", async (world) => {
    const { db, lock, n } = world;
    const acquire = lock.acquire.bind(lock);
    lock.acquire = async (options) => ({
      ...await acquire(options),
      held: true,
      release: () => Promise.reject(new Error("the lock is broken")),
    });
    await db.transaction(add, { lock });
    const tx = await db.begin({ lock });
    await add(tx);
    await tx.commit();
    assert.equal(await n(), 2);
  });

  test("and a release that hangs does not hang the transaction", async ({ db, lock, n }) => {
    const acquire = lock.acquire.bind(lock);
    lock.acquire = async (options) => ({
      ...await acquire(options),
      held: true,
      release: () => new Promise(() => {}),
    });
    await db.transaction(add, { lock, timeout: 1000 });
    const controller = new AbortController();
    const aborted = db.transaction(async (tx) => {
      await add(tx);
      controller.abort(new Error("enough"));
    }, { lock, signal: controller.signal });
    await assert.rejects(aborted, /enough/);
    const tx = await db.begin({ lock, timeout: 1000 });
    await add(tx);
    await tx.commit();
    assert.equal(await n(), 2);
  });

  test("and a lock that could not be had is not released", async ({ db, lock, network }) => {
    let runs = 0;
    lock.acquire = () => Promise.reject(new LockTimeoutError("Not in time", { lock: "stock" }));
    const before = network.requests.length;
    await assert.rejects(
      db.transaction(() => Promise.resolve(runs++), { lock }),
      LockTimeoutError,
    );
    await assert.rejects(db.begin({ lock }), LockTimeoutError);
    assert.deepEqual([runs, lock.told, network.requests.length], [0, [], before]);
  });
});

describe("the wait for the lock of a transaction", () => {
  test("does not begin with something else than a lock", async ({ db, network }) => {
    const before = network.requests.length;
    for (const wrong of [null, "stock", {}, { name: "", acquire() {} }, { name: "stock" }]) {
      const options = { lock: wrong as unknown as ToldLock };
      const message = /Cannot use `lock` as it must be a lock, such as `new RqliteLock\(…\)`/;
      await assert.rejects(db.transaction(add, options), { name: "TypeError", message });
      await assert.rejects(db.begin(options), { name: "TypeError", message });
    }
    assert.equal(network.requests.length, before);
  });

  test("has the lock's own limit, or the transaction's where that is given", async (world) => {
    const { db, lock } = world;
    const { signal } = new AbortController();
    await db.transaction(add, { lock });
    await db.transaction(add, { lock, timeout: 60_000, signal });
    await db.transaction(add, { lock, timeout: 5_000 });
    const limits = lock.asked.map(({ timeout }) => timeout!);
    assert.equal(limits[0], 10_000);
    assert.ok(limits[1]! > 50_000 && limits[1]! <= 60_000, String(limits[1]));
    assert.ok(limits[2]! <= 5_000, String(limits[2]));
    assert.equal(lock.asked[1]!.signal, signal);
  });

  test("counts into the transaction's time", async ({ db, lock, n }) => {
    const acquire = lock.acquire.bind(lock);
    lock.acquire = async (options) => {
      await new Promise((resolve) => setTimeout(resolve, 150));
      return await acquire(options);
    };
    await assert.rejects(db.transaction(add, { lock, timeout: 100 }), TimeoutError);
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });
});

describe("the loss of the lock of a transaction", () => {
  test("ends begin() and fires its signal; nothing is kept", async ({ db, lock, n }) => {
    const tx = await db.begin({ lock });
    await add(tx);
    const reason = lock.lose();
    assert.equal(tx.signal.reason, reason);
    await assert.rejects(tx.commit(), (error) => error === reason);
    assert.equal(tx.state, "rolledback");
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });

  test("ends transaction(fn), which does not run again", async ({ db, lock, n, network }) => {
    let runs = 0;
    const lost = db.transaction(async (tx) => {
      runs++;
      await add(tx);
      lock.lose();
      await assert.rejects(tx.query("SELECT 1"), LockLostError);
    }, { lock });
    await assert.rejects(lost, LockLostError);
    assert.equal(runs, 1);
    assert.equal(network.copies.length, 0);
    assert.deepEqual(lock.told, ONCE);
    assert.equal(await n(), 0);
  });

  test("is seen by the clocks before the commit is sent, without a signal", async (world) => {
    const { db, lock, n, network } = world;
    const expire = async (tx: Parameters<typeof add>[0]): Promise<void> => {
      await add(tx);
      lock.expired = true;
    };
    await assert.rejects(db.transaction(expire, { lock }), LockLostError);
    const tx = await db.begin({ lock });
    await expire(tx);
    await assert.rejects(tx.query("SELECT 1"), LockLostError);
    await assert.rejects(tx.commit(), LockLostError);
    assert.equal(network.copies.length, 0);
    assert.equal(await n(), 0);
  });

  test("while the commit is under way says nothing: it was committed", async (world) => {
    const { db, lock, n, network } = world;
    network.plan = () => void lock.lose();
    await db.transaction(add, { lock });
    const tx = await db.begin({ lock });
    await add(tx);
    await tx.commit();
    assert.equal(tx.state, "committed");
    let sent = 0;
    network.plan = () => {
      lock.lose();
      return ++sent === 1 ? "lose answer" : "pass";
    };
    await db.transaction(add, { lock });
    assert.equal(await n(), 3);
  });

  test("while the commit is under way says nothing: it was refused", async (world) => {
    const { db, lock, n, network } = world;
    let runs = 0;
    const holder = db.transaction(async (tx) => {
      runs++;
      await add(tx);
      network.plan = () => "pass";
      await db.transaction((other) => other.execute("UPDATE t SET n = 100"), {
        scope: "lock:stock",
      });
      network.plan = () => void lock.lose();
    }, { lock });
    await assert.rejects(holder, LockLostError);
    assert.equal(runs, 1);
    assert.equal(await n(), 100);
    const tx = await db.begin({ lock });
    await add(tx);
    network.plan = () => "delay";
    const failed = tx.commit();
    network.plan = (copy) => {
      lock.lose();
      return copy.body.includes("UPDATE t") ? "delay" : "pass";
    };
    await assert.rejects(failed, OperationalError);
    assert.equal(tx.state, "rolledback");
    assert.equal(await n(), 100);
  });

  test("between two runs first settles what an earlier one sent", async (world) => {
    const { db, lock, n, set, network } = world;
    await db.transaction(add);
    const first = network.copies.length;
    const lost = db.transaction(async (tx) => {
      await add(tx);
      await set(50);
      network.plan = () => void lock.lose();
    }, { lock });
    await assert.rejects(lost, LockLostError);
    assert.equal(network.copies.length, first + 2, "the commit and its fence");
    await set(1);
    await network.deliver(network.copies[first]!);
    assert.equal(await n(), 1, "a late copy is refused");
  });

  test("between two runs is not reported where an earlier one took effect late", async (world) => {
    const { lock, n, set, network } = world;
    const isFence = (init?: RequestInit): boolean =>
      holdsId(String(init?.body)) &&
      !String(init?.body).includes("UPDATE t");
    const slow = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      if (isFence(init)) {
        await set(0);
        await network.deliver(network.copies.at(-1)!);
      }
      return await network.fetch(input, init);
    };
    const db = connect({ fetch: slow as typeof fetch });
    let runs = 0;
    const result = await db.transaction(async (tx) => {
      await add(tx);
      await set(50);
      network.plan = () => void lock.lose();
      return ++runs;
    }, { lock });
    assert.deepEqual([result, runs, await n()], [1, 1, 1]);
    assert.deepEqual(lock.told, ONCE);
    await db.close();
  });
});

describe("the version of a transaction with a lock", () => {
  test("is its fencing token once something was read, and grows", async ({ db, lock }) => {
    const tokens: (bigint | undefined)[] = [];
    for (let i = 0; i < 2; i++) {
      await db.transaction(async (tx) => {
        if (i === 0) assert.equal(tx.fencingToken, undefined);
        await add(tx);
        tokens.push(tx.fencingToken);
      }, { lock });
    }
    assert.deepEqual(tokens, [1n, 2n]);
  });

  test("answers for reads that nobody checks: they are linearizable", async ({ network, lock }) => {
    const levels: (string | null)[] = [];
    const fetch = (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const url = new URL(String(input));
      if (url.pathname === "/db/query") levels.push(url.searchParams.get("level"));
      return network.fetch(input, init);
    };
    const db = connect({ fetch: fetch as typeof globalThis.fetch, level: "none" });
    await db.transaction((tx) => tx.query("SELECT n FROM t"), { lock, isolation: "none" });
    assert.deepEqual(levels, ["weak", "linearizable"], "what asks for the schema, and the read");
    await db.close();
  });

  test("lies in a table that a transaction may not touch, nor that of leases", async ({ db }) => {
    for (const table of ["_rqlite_version", "_rqlite_lock"]) {
      await assert.rejects(
        db.transaction((tx) => tx.query(`SELECT * FROM ${table}`)),
        NotSupportedError,
      );
    }
  });
});
