// A lease in rqlite: what is on the wire, copies that come late, holders that die or are slow.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  OperationalError,
  ProgrammingError,
} from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { withLock } from "../../src/locks/mod.ts";
import { sleep, until } from "../support/http.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { PLACES, type World } from "../transaction/world.ts";

const ROW = "SELECT owner, version, beat, lease FROM _rqlite_lock WHERE name = 'stock'";

interface Row {
  readonly owner: string | null;
  readonly version: number;
  readonly beat: number;
  readonly lease: number;
}

const rowOf = async (db: Client): Promise<Row> => (await db.query<Row>(ROW)).rows[0]!;

const stock = (client: Client, leaseDuration?: number): RqliteLock =>
  new RqliteLock({ name: "stock", client, ...(leaseDuration !== undefined && { leaseDuration }) });

/** Runs what a machine that stalls for a whole lease fails, and rightly so, until it passes. */
async function onceInFive(body: () => Promise<void>): Promise<void> {
  for (let left = 4;; left--) {
    try {
      return await body();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** A client that records its writes, and may break them. */
function recorded({ connect }: World, node: typeof fetch): {
  db: Client;
  writes: { path: string; url: string; body: string }[];
  plan: { (body: string): "pass" | "lose answer" | "delay" }[];
  deliver(i: number): Promise<void>;
} {
  const writes: { path: string; url: string; body: string }[] = [];
  const plan: ((body: string) => "pass" | "lose answer" | "delay")[] = [];
  const send = (url: string, body: string, init: RequestInit = {}): Promise<Response> =>
    node(url, { ...init, method: "POST", body, headers: { "content-type": "application/json" } });
  const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
    const url = String(input);
    const body = init.body ? await new Response(init.body).text() : "";
    const { pathname } = new URL(url);
    if (pathname !== "/db/execute") {
      return await node(url, { ...init, body: init.body ? body : null });
    }
    const i = writes.push({ path: pathname, url, body }) - 1;
    const fate = plan[i]?.(body) ?? "pass";
    if (fate === "delay") throw reset();
    if (body.includes("nullif")) await new Promise((r) => setTimeout(r, 60));
    const response = await node(url, { ...init, body });
    if (fate === "pass") return response;
    await response.body?.cancel();
    throw reset();
  };
  return {
    db: connect({ fetch: fetch as typeof globalThis.fetch, retries: 0 }),
    writes,
    plan,
    deliver: async (i) => void await (await send(writes[i]!.url, writes[i]!.body)).text(),
  };
}

function reset(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new TypeError("fetch failed", { cause });
}

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`RqliteLock on ${place.name}`, { skip: place.skip }, () => {
    test("makes its table, takes the lease, and frees it", async ({ db, other }) => {
      const handle = await stock(db).acquire();
      assert.deepEqual([handle.name, handle.held, handle.signal.aborted], ["stock", true, false]);
      assert.deepEqual(await rowOf(other), {
        owner: handle.token,
        version: 1,
        beat: 0,
        lease: 6_000,
      });
      await assert.rejects(stock(other).acquire({ timeout: 50 }), LockTimeoutError);
      assert.equal(await handle.release(), true);
      assert.equal(await handle.release(), false);
      assert.equal(handle.held, false);
      assert.equal((await rowOf(other)).owner, null);
      const next = await stock(other).acquire({ timeout: 0 });
      assert.equal((await rowOf(other)).version, 2);
      await next[Symbol.asyncDispose]();
    });

    test("shows itself every third of the lease, so that nobody takes it over", (world) =>
      onceInFive(async () => {
        const { db, other } = world;
        const handle = await stock(db, 600).acquire();
        try {
          const waiting = stock(other, 600).acquire({ timeout: 1_300 });
          await assert.rejects(waiting.then((taken) => taken.release()), LockTimeoutError);
          assert.equal(handle.held, true);
          assert.ok((await rowOf(other)).beat >= 2);
          assert.equal(await handle.release(), true);
        } finally {
          await handle.release();
        }
      }));

    test("shows itself for maxHoldTime, and is lost then", async ({ db, other }) => {
      const lock = new RqliteLock({
        name: "stock",
        client: db,
        leaseDuration: 200,
        maxHoldTime: 1,
      });
      const handle = await lock.acquire();
      const next = await stock(other).acquire();
      assert.equal(handle.held, false);
      assert.equal(await next.release(), true);
    });

    test("takes a dead holder's lease over after its length; a slow holder is told (locks test 22)", async (world) => {
      const { db, other, sql, value } = world;
      await sql("CREATE TABLE t(n INTEGER)");
      await sql("INSERT INTO t VALUES(0)");
      const slow = await db.begin({ lock: stock(db, 200) });
      await slow.query("SELECT n FROM t");
      await slow.execute("UPDATE t SET n = 100");
      // As if it had stopped to show itself: nobody hears its beats.
      await sql("UPDATE _rqlite_lock SET owner = 'gone', beat = 5");
      // It watches for the length of the holder's lease; its own would be too long.
      const handle = await stock(other, 60_000).acquire();
      await until("loss", () => Promise.resolve(slow.signal.aborted || undefined));
      assert.ok(slow.signal.reason instanceof LockLostError);
      await assert.rejects(slow.commit(), LockLostError);
      assert.equal(await value("SELECT n FROM t"), 0);
      assert.equal(await handle.release(), true);
    });

    test("goes on watching where an earlier attempt ended, and says since when there was no sign of life", async (world) => {
      const { db, other, sql } = world;
      await (await stock(other).acquire()).release();
      await sql("UPDATE _rqlite_lock SET owner = 'gone', lease = 700");
      const told: string[] = [];
      // None of them waits: only together they see the lease run out.
      const handle = await until("takeover", async () => {
        try {
          return await stock(db).acquire({ timeout: 0 });
        } catch (error) {
          assert.ok(error instanceof LockTimeoutError, String(error));
          told.push(error.message);
          return undefined;
        }
      });
      assert.equal((await rowOf(other)).owner, handle.token);
      const silences = told.map((text) =>
        Number(/no sign of life for (\d+) ms; after 700 ms of that, its lease/.exec(text)?.[1])
      );
      assert.ok(silences.length > 0);
      assert.deepEqual(
        silences,
        silences.toSorted((a, b) => a - b),
        "in one go: no NaN, never less",
      );
      assert.equal(await handle.release(), true);
    });

    test("begins to watch anew whenever the holder has shown itself between two attempts", async (world) => {
      const { db, other, sql } = world;
      await (await stock(other).acquire()).release();
      await sql("UPDATE _rqlite_lock SET owner = 'alive', lease = 60000");
      await assert.rejects(stock(db).acquire({ timeout: 0 }), LockTimeoutError);
      await sleep(100);
      // What would be over, had the holder not shown itself.
      for (const change of ["beat = beat + 1", "owner = 'another'", "version = version + 1"]) {
        await sql(`UPDATE _rqlite_lock SET ${change}, lease = 60`);
        await assert.rejects(stock(db).acquire({ timeout: 0 }), LockTimeoutError, change);
        await sql("UPDATE _rqlite_lock SET lease = 60000");
        await sleep(100);
      }
    });

    test("withLock() watches all holders that died at the same time", async ({ db, other, sql }) => {
      const locks = Array.from(
        { length: 6 },
        (_, i) => new RqliteLock({ name: `${i}`, client: db }),
      );
      const theirs = locks.map(({ name }) => new RqliteLock({ name, client: other }));
      await withLock(theirs, () => sql("UPDATE _rqlite_lock SET owner = 'gone', lease = 1500"));
      // One after the other would take nine seconds.
      const held = await withLock(locks, (handle) => Promise.resolve(handle.held), {
        timeout: 7_000,
      });
      assert.equal(held, true);
    });

    test("`fencingToken` is the row's version, and greater for each holder", async ({ db, other }) => {
      let last = 0n;
      for (const client of [db, other, db]) {
        const handle = await stock(client).acquire();
        assert.equal(typeof handle.fencingToken, "bigint");
        assert.equal(handle.fencingToken, BigInt((await rowOf(other)).version));
        assert.ok(handle.fencingToken! > last);
        last = handle.fencingToken!;
        await handle.release();
        assert.equal(handle.fencingToken, last, "known behind the release, too");
      }
    });

    test("look() takes nothing, and keeps nobody from taking it", async ({ db, other, value }) => {
      const lock = stock(db);
      const looking = lock.look();
      const handle = await lock.acquire({ timeout: 0 });
      await looking;
      await stock(other).look({ timeout: 0 });
      assert.equal(await value("SELECT owner FROM _rqlite_lock"), handle.token);
      assert.equal(await handle.release(), true);
      await assert.rejects(lock.look({ timeout: -1 }), RangeError);
    });

    test("a commit of a holder that was taken over is refused by its guard (locks test 22)", async (world) => {
      const { db, other, sql, value } = world;
      await sql("CREATE TABLE t(n INTEGER)");
      await sql("INSERT INTO t VALUES(0)");
      const add = async (tx: Pick<Client, "query" | "execute">): Promise<void> => {
        const { rows: [row] } = await tx.query<{ n: number }>("SELECT n FROM t");
        await tx.execute("UPDATE t SET n = ?", [row!.n + 1]);
      };
      const slow = await db.begin({ lock: stock(db), isolation: "none" });
      await add(slow);
      await sql("UPDATE _rqlite_lock SET owner = NULL");
      await other.transaction(add, { lock: stock(other), isolation: "none" });
      await assert.rejects(slow.commit(), /so nothing of it was kept/);
      assert.equal(await value("SELECT n FROM t"), 1);
    });

    test("rides in the commit: two writes for all of a transaction", async (world) => {
      const { db, network, sql, other, value } = world;
      await sql("CREATE TABLE t(n INTEGER)");
      const lock = stock(db);
      await db.transaction((tx) => tx.execute("INSERT INTO t VALUES(1)"), { lock });
      network.requests.length = 0;
      await db.transaction((tx) => tx.execute("INSERT INTO t VALUES(2)"), { lock, mode: "lazy" });
      const writes = network.requests.filter((path) => path !== "/db/query");
      assert.deepEqual(writes, ["/db/execute", "/db/execute"]);
      assert.equal((await rowOf(other)).owner, null);
      assert.equal(await value("SELECT count(*) FROM t"), 2);
      await (await lock.acquire({ timeout: 0 })).release();
    });

    test("rides in the fence where a refusal is reported", async (world) => {
      const { db, network, sql, other } = world;
      await sql("CREATE TABLE t(n INTEGER)");
      await sql("INSERT INTO t VALUES(0)");
      const lock = stock(db);
      await db.transaction((tx) => tx.execute("UPDATE t SET n = 1"), { lock });
      const tx = await db.begin({ lock });
      await tx.query("SELECT n FROM t");
      await tx.execute("UPDATE t SET n = 2");
      await sql("UPDATE t SET n = 50");
      network.requests.length = 0;
      await assert.rejects(tx.commit(), /so nothing of it was kept/);
      assert.deepEqual(network.requests, ["/db/execute", "/db/execute"], "commit and fence");
      assert.equal((await rowOf(other)).owner, null);
    });

    test("does not ride in a commit of another client", async ({ db, other, sql, value }) => {
      await sql("CREATE TABLE t(n INTEGER)");
      const handle = await stock(db).acquire();
      assert.equal(handle.releaseWith?.(other), undefined);
      await handle.release();
      await other.transaction((tx) => tx.execute("INSERT INTO t VALUES(1)"), { lock: stock(db) });
      assert.equal((await rowOf(other)).owner, null);
      assert.equal(await value("SELECT count(*) FROM t"), 1);
    });

    test("lets the tasks of a process in as they came, with one request each", async (world) => {
      const { db, network } = world;
      const lock = stock(db);
      await (await lock.acquire()).release();
      network.requests.length = 0;
      const order: number[] = [];
      const controller = new AbortController();
      const tasks = Array.from({ length: 8 }, async (_, i) => {
        // Another object each: they meet by name and client.
        const options = i === 3 ? { signal: controller.signal } : {};
        const handle = await stock(db).acquire(options);
        order.push(i);
        if (i === 1) controller.abort(new Error("enough"));
        await handle.release();
      });
      const settled = await Promise.allSettled(tasks);
      assert.deepEqual(order, [0, 1, 2, 4, 5, 6, 7]);
      assert.deepEqual(settled.map(({ status }) => status).indexOf("rejected"), 3);
      assert.equal(network.requests.length, 7 * 3, "a look, an acquisition and a release each");
    });

    test("refuses what is no name, lease, client or limit", async ({ db }) => {
      const make = (options: unknown) => () => new RqliteLock(options as never);
      assert.throws(make({ name: "", client: db }), TypeError);
      assert.throws(make({ client: db }), TypeError);
      assert.throws(make({ name: "a", client: db, leaseDuration: 9 }), RangeError);
      assert.throws(make({ name: "a", client: db, leaseDuration: NaN }), RangeError);
      assert.throws(make({ name: "a", client: db, leaseDuration: Infinity }), RangeError);
      assert.throws(make({ name: "a", client: db, maxHoldTime: 0 }), RangeError);
      assert.throws(make({ name: "a", client: db, maxHoldTime: "1" }), TypeError);
      assert.throws(make({ name: "a", client: db, maxRetryDelay: 0 }), RangeError);
      assert.throws(
        make({ name: "a", client: db, leaseDuraton: 9 }),
        /`leaseDuraton`.*`leaseDuration`/,
      );
      assert.throws(make({ name: "a", client: {} }), TypeError);
      assert.throws(make({ name: "a" }), TypeError);
      const tx = await db.begin();
      assert.throws(make({ name: "a", client: tx }), /transaction/);
      for (const timeout of [-1, NaN]) {
        await assert.rejects(stock(db).acquire({ timeout }), RangeError);
      }
      await assert.rejects(stock(db).acquire({ timeout: "1" as never }), TypeError);
      await assert.rejects(stock(db).acquire({ timout: 1 } as never), /`timout`.*`timeout`/);
      await assert.rejects(stock(db).acquire({ signal: {} as AbortSignal }), TypeError);
    });

    test("of a closed client is unavailable", async ({ connect, other }) => {
      const db = connect({});
      await db.close();
      await assert.rejects(stock(db).acquire(), LockUnavailableError);
      await (await stock(other).acquire()).release();
    });
  });
}

describe("copies of a lease's writes", { skip: skipWithoutRqlited() }, () => {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () => PLACES[1]!.run(body));

  test("an acquisition whose answer was lost is held", async (world) => {
    await (await stock(world.other).acquire()).release();
    const { db, plan, writes } = recorded(world, fetch);
    plan[0] = () => "lose answer";
    const handle = await stock(db).acquire();
    assert.equal(writes.length, 1);
    const { owner, version } = await rowOf(world.other);
    assert.deepEqual([owner, version], [handle.token, Number(handle.fencingToken)]);
    assert.equal(await handle.release(), true);
  });

  test("an acquisition that arrives after it was released takes nothing", async (world) => {
    await (await stock(world.other).acquire()).release();
    const { db, deliver } = recorded(world, fetch);
    await (await stock(db).acquire()).release();
    await deliver(0);
    assert.deepEqual((await rowOf(world.other)).owner, null);
  });

  test("an acquisition that was given up takes nothing when it arrives", async (world) => {
    for (const prepared of [true, false]) {
      if (prepared) await (await stock(world.other).acquire()).release();
      else await world.sql("DELETE FROM _rqlite_lock");
      const before = prepared ? (await rowOf(world.other)).version : 0;
      const { db, plan, deliver } = recorded(world, fetch);
      plan[0] = () => "delay";
      await assert.rejects(stock(db).acquire({ timeout: 0 }), LockTimeoutError);
      const version = await until("effect of the withdrawal", async () => {
        const row = await rowOf(world.other);
        return row !== undefined && row.version > before ? row.version : undefined;
      });
      await deliver(0);
      await deliver(1);
      assert.deepEqual(
        await rowOf(world.other).then(({ owner, version }) => ({ owner, version })),
        { owner: null, version },
      );
    }
  });

  test("a write that is sent when time is up does not take the time of a request", async (world) => {
    let [still, silent] = [false, false];
    const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
      const { promise, reject } = Promise.withResolvers<Response>();
      if (silent) {
        init.signal!.addEventListener("abort", () => reject(init.signal!.reason));
        return await promise;
      }
      const response = await world.node(input, init);
      const body = await response.text();
      // The process stands still between the answer to its look and the write that takes the lease.
      silent = still;
      if (still) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 300);
      return new Response(body, response);
    };
    const db = world.connect({ fetch: fetch as typeof globalThis.fetch });
    await (await stock(db).acquire()).release();
    still = true;
    const acquired = stock(db).acquire({ timeout: 200 }).catch((error: unknown) => error);
    const first = await Promise.race([acquired, sleep(4_000)]);
    assert.ok(first instanceof LockTimeoutError, String(first));
    await db.close();
  });

  test("a release that arrives late frees nobody else", async (world) => {
    const { db, deliver, writes } = recorded(world, fetch);
    await (await stock(db).acquire()).release();
    const release = writes.length - 1;
    const handle = await stock(world.other).acquire();
    await deliver(release);
    assert.equal((await rowOf(world.other)).owner, handle.token);
    assert.equal(await handle.release(), true);
  });

  test("a beat that arrives late turns nothing back and revives nobody", async (world) => {
    const { db, deliver, writes } = recorded(world, fetch);
    const handle = await stock(db, 900).acquire();
    const beats = (): number[] =>
      writes.flatMap(({ body }, i) =>
        body.includes("SET beat") && body.includes("max(") ? [i] : []
      );
    await until("beats", () => Promise.resolve(beats().length >= 3 || undefined));
    await until("beats", async () => (await rowOf(world.other)).beat >= 2 || undefined);
    await deliver(beats()[0]!);
    assert.ok((await rowOf(world.other)).beat >= 2);
    await handle.release();
    const next = await stock(world.other).acquire();
    await deliver(beats()[0]!);
    assert.deepEqual((await rowOf(world.other)).owner, next.token);
    await next.release();
  });
});

describe("RqliteLock where its table is missing", () => {
  /** A client that hears late of that, and notes how long each request may take. */
  function slow(): { client: Client; limits: number[] } {
    const limits: number[] = [];
    const call = async (_sql: string, _params: unknown, { timeout }: { timeout: number }) => {
      limits.push(timeout);
      await sleep(30);
      throw new ProgrammingError(
        limits.length === 1 ? "no such table: _rqlite_lock" : "not authorized",
      );
    };
    const client = { query: call, execute: call, batch: call } as unknown as Client;
    return { client, limits };
  }

  it("makes it in the time that the read has left", async () => {
    for (const ask of ["acquire", "look"] as const) {
      const { client, limits } = slow();
      await assert.rejects(stock(client)[ask]({ timeout: 4_000 }), LockUnavailableError);
      assert.ok(limits[1]! <= limits[0]! - 29, `${ask}: ${limits}`);
    }
  });
});

describe("RqliteLock that got its answer too late", () => {
  it("ends in its time, whatever becomes of what undoes that", async () => {
    let reads = 0;
    const seen = { owner: "another", version: 1, beat: 0, lease: 60_000 };
    const undone = Promise.withResolvers<void>();
    const client = {
      query: () => Promise.resolve({ rows: reads++ === 0 ? [] : [seen] }),
      execute: async () => {
        await sleep(30); // longer than the lease
        return { rowsAffected: 1 };
      },
      batch: () => undone.promise,
    } as unknown as Client;
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      undone.resolve();
    }, 4_000);
    await assert.rejects(stock(client, 10).acquire({ timeout: 60 }), LockTimeoutError);
    clearTimeout(timer);
    undone.resolve();
    assert.equal(late, false);
  });
});

describe("RqliteLock where the server refuses", { skip: skipWithoutRqlited() }, () => {
  it("says what to run where the account may not create the table", async () => {
    const users = [
      { username: "reader", password: "r", perms: ["query"] },
    ];
    const server = await startRqlited({ auth: users });
    try {
      const { connect } = await import("../../mod.ts");
      const db = connect(server.url, { username: "reader", password: "r" });
      const failed = stock(db).acquire();
      await assert.rejects(
        failed,
        (error) => error instanceof LockUnavailableError && /CREATE TABLE/.test(error.message),
      );
      await db.close();
    } finally {
      await server.stop();
    }
  });

  it("gives up in time while the server is away, and goes on when it is back", async () => {
    const server = await startRqlited();
    try {
      const { connect } = await import("../../mod.ts");
      const db = connect(server.url, { retries: 0 });
      await (await stock(db).acquire()).release();
      await server.kill();
      await assert.rejects(stock(db).acquire({ timeout: 200 }), (error) => {
        assert.ok(error instanceof LockTimeoutError);
        assert.ok(error.cause instanceof OperationalError);
        return true;
      });
      const waiting = stock(db).acquire({ timeout: 20_000 });
      await server.restart();
      assert.equal(await (await waiting).release(), true);
      await db.close();
    } finally {
      await server.stop();
    }
  });
});
