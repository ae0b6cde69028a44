// Leadership over each kind of lock: what ends it, what is lost and found again, what is refused.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import {
  AuthenticationError,
  type Client,
  connect,
  ConnectionError,
  InterfaceError,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
} from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { lead, type Leadership } from "../../src/lead/mod.ts";
import { type AcquireOptions, LocalLock, type Lock } from "../../src/locks/mod.ts";
import { denoRedis, RedisLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { until } from "../support/http.ts";
import { skipWithoutRedis, startRedis } from "../support/redis.ts";
import { RespClient } from "../support/resp.ts";

/** A lock at work. */
interface World {
  /**
   * Another object each time, where several share the lock.
   *
   * @param leaseDuration Milliseconds; the default of the lock without it.
   */
  lock(leaseDuration?: number): Lock;
  /** Makes the holder lose it. */
  steal(): Promise<unknown>;
  close(): Promise<unknown>;
}

interface Target {
  readonly name: string;
  readonly skip: string | false;
  readonly leases: boolean;
  readonly fences: boolean;
  open(): Promise<World>;
}

const NAME = "jobs";

const targets: readonly Target[] = [
  {
    name: "LocalLock",
    skip: false,
    leases: false,
    fences: false,
    open: () => {
      const lock = new LocalLock(NAME);
      const nothing = () => Promise.resolve();
      return Promise.resolve({ lock: () => lock, steal: nothing, close: nothing });
    },
  },
  {
    name: "RqliteLock",
    skip: false,
    leases: true,
    fences: true,
    open: () => {
      const engine = embedded();
      const db = connect(engine);
      const clients = [db];
      return Promise.resolve({
        lock: (leaseDuration) => {
          const client = connect(engine);
          clients.push(client);
          return new RqliteLock({ name: NAME, client, leaseDuration, maxRetryDelay: 20 });
        },
        steal: () => db.execute("UPDATE _rqlite_lock SET owner = NULL, version = version + 1"),
        close: async () => {
          await Promise.all(clients.map((client) => client.close()));
          engine.close();
        },
      });
    },
  },
  {
    name: "RedisLock",
    skip: skipWithoutRedis("redis"),
    leases: true,
    fences: false,
    open: async () => {
      const server = await startRedis("redis");
      const client = await RespClient.connect(server.port);
      const command = denoRedis(client);
      return {
        lock: (leaseDuration) =>
          new RedisLock({
            name: NAME,
            command: (args, key) => command(args, key),
            leaseDuration,
            maxRetryDelay: 20,
          }),
        steal: () => client.sendCommand("DEL", [`rqlite:lock:${NAME}`]),
        close: async () => {
          await client.close();
          await server.stop();
        },
      };
    },
  },
];

/** Resolves when the signal fires. */
function fired(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

/** What a function throws; `undefined` if it returns. */
function thrownBy(fn: () => void): unknown {
  try {
    return void fn();
  } catch (error) {
    return error;
  }
}

/** A promise, and what resolves it. */
function gate(): { readonly opened: Promise<void>; open(): void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => open = resolve);
  return { opened, open: () => open() };
}

/** Somebody else leads at once, and for a moment. */
async function assertFree({ lock }: World): Promise<void> {
  let led = false;
  await lead(lock(), ({ signal }) => {
    led = !signal.aborted;
    return Promise.resolve();
  });
  assert.ok(led);
}

for (const { name, skip, leases, fences, open } of targets) {
  describe(`lead() over a ${name}`, { skip }, () => {
    let world: World;
    before(async () => {
      world = await open();
    });
    after(() => world?.close());

    it("ends when the function does, and others follow, one at a time", async () => {
      const told: (bigint | undefined)[] = [];
      let inside = 0;
      await Promise.all(
        [1, 2, 3].map(() =>
          lead(world.lock(), async ({ signal, fencingToken, throwIfLost }) => {
            assert.equal(++inside, 1);
            assert.equal(signal.aborted, false);
            throwIfLost();
            told.push(fencingToken);
            await Promise.resolve();
            inside--;
          })
        ),
      );
      assert.equal(told.length, 3);
      if (!fences) return assert.deepEqual(told, [undefined, undefined, undefined]);
      for (const [i, token] of told.entries()) {
        assert.equal(typeof token, "bigint");
        assert.ok(i === 0 || token! > told[i - 1]!, String(told));
      }
    });

    it("throws what the function throws, and lets others lead", async () => {
      const boom = new Error("boom");
      await assert.rejects(lead(world.lock(), () => Promise.reject(boom)), boom);
      await assert.rejects(
        lead(world.lock(), () => {
          throw boom;
        }),
        boom,
      );
      await assertFree(world);
    });

    it("ends with the reason of its signal: at once in the campaign, else behind the function", async () => {
      const [leader, standby] = [new AbortController(), new AbortController()];
      const [begun, last] = [gate(), gate()];
      // Noted, as nobody hears what the function throws when its signal has fired.
      let seen: unknown[] = [];
      const leading = lead(world.lock(), async ({ signal, throwIfLost }) => {
        begun.open();
        await fired(signal);
        seen = [signal.reason, thrownBy(throwIfLost)];
        await last.opened;
        throw new Error("Not heard by anybody");
      }, { signal: leader.signal });
      await begun.opened;
      const never = (): never => assert.fail("two lead");
      const waiting = lead(world.lock(), never, { signal: standby.signal });
      const enough = new Error("enough");
      standby.abort(enough);
      await assert.rejects(waiting, (error) => error === enough);
      await assert.rejects(
        lead(world.lock(), never, { signal: standby.signal }),
        (error) => error === enough,
      );
      const followed = assertFree(world);
      const reason = new Error("The process ends");
      leader.abort(reason);
      await fired(leader.signal);
      const atOnce = seen;
      last.open();
      await assert.rejects(leading, (error) => error === reason);
      await followed;
      assert.ok(atOnce.length === 2 && atOnce.every((one) => one === reason), String(atOnce));
    });

    if (!leases) return;

    it("steps aside when the lease is lost, and campaigns again when the function has ended", async () => {
      const tokens: (bigint | undefined)[] = [];
      const order: string[] = [];
      const last = gate();
      // Its loss is noticed within a third of it.
      const leading = lead(world.lock(900), async ({ signal, fencingToken }) => {
        tokens.push(fencingToken);
        order.push("leads");
        if (tokens.length === 3) return;
        if (tokens.length === 1) setTimeout(() => void world.steal());
        else await world.steal();
        await fired(signal);
        assert.ok(signal.reason instanceof LockLostError);
        if (tokens.length === 1) await last.opened;
        order.push("ended");
        if (tokens.length === 2) throw signal.reason;
      });
      await until("leader", () => Promise.resolve(order.length > 0 || undefined));
      // Whoever follows leads beside a function that has not ended yet.
      await until("loss", async () => {
        const handle = await world.lock().acquire({ timeout: 0 }).catch(() => undefined);
        await handle?.release();
        return handle && true;
      });
      assert.deepEqual(order, ["leads"]);
      last.open();
      await leading;
      assert.deepEqual(order, ["leads", "ended", "leads", "ended", "leads"]);
      if (fences) assert.ok(tokens[0]! < tokens[1]! && tokens[1]! < tokens[2]!, String(tokens));
      await assertFree(world);
    });

    it("knows by the clocks that it was stopped for too long, before its signal fires", async () => {
      const lease = 400;
      let runs = 0;
      // Noted, as nobody hears what the function throws then.
      let noted: unknown[] = [];
      await lead(world.lock(lease), ({ signal, throwIfLost }) => {
        if (++runs > 1) return Promise.resolve();
        throwIfLost();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, lease + 50);
        noted = [signal.aborted, thrownBy(throwIfLost) instanceof LockLostError, signal.aborted];
        return Promise.resolve();
      });
      assert.deepEqual(noted, [false, true, true]);
      assert.equal(runs, 2, "what returns then has not ended by itself");
    });
  });
}

describe("lead() over a RqliteLock", () => {
  it("lets the database refuse what a leader of before has sent, when it comes late", async () => {
    const { fetch } = embedded();
    const [sent, last] = [gate(), gate()];
    const slow: typeof fetch = async (input, init) => {
      if (String(init?.body).includes("late")) {
        sent.open();
        await last.opened;
      }
      return await fetch(input, init);
    };
    const [one, two] = [connect({ fetch: slow }), connect({ fetch })];
    await two.execute("CREATE TABLE job(token INTEGER NOT NULL, by TEXT)");
    await two.execute("INSERT INTO job VALUES(0, NULL)");
    const write = async (db: Client, by: string, { fencingToken }: Leadership) => {
      const guarded = "UPDATE job SET token = :token, by = :by WHERE token <= :token";
      return (await db.execute(guarded, { by, token: fencingToken! })).rowsAffected;
    };
    const leading = lead(new RqliteLock({ name: NAME, client: one }), async (leadership) => {
      assert.equal(await write(one, "first", leadership), 1);
      assert.equal(await write(one, "first again", leadership), 1);
      assert.equal(await write(one, "late", leadership), 0);
    });
    await sent.opened;
    await two.execute("UPDATE _rqlite_lock SET owner = NULL");
    await lead(new RqliteLock({ name: NAME, client: two }), async (leadership) => {
      assert.equal(await write(two, "second", leadership), 1);
    });
    last.open();
    await leading;
    assert.equal(await two.value("SELECT by FROM job"), "second");
    await one.close();
    await two.close();
  });

  it("waits for a server that is away", async () => {
    const { fetch } = embedded();
    let refused = 0;
    const away: typeof fetch = (input, init) => {
      if (++refused <= 5) return Promise.reject(new TypeError("fetch failed"));
      return fetch(input, init);
    };
    const db = connect({ fetch: away, retries: 0 });
    let led = 0;
    await lead(new RqliteLock({ name: NAME, client: db }), () => {
      led++;
      return Promise.resolve();
    });
    assert.deepEqual([led, refused > 5], [1, true]);
    await db.close();
  });

  it("throws what does not pass: a wrong password, a client that is closed", async () => {
    const never = (): never => assert.fail("it leads");
    const stranger = connect({ fetch: () => Promise.resolve(new Response("", { status: 401 })) });
    await assert.rejects(
      lead(new RqliteLock({ name: NAME, client: stranger }), never),
      (error) =>
        error instanceof LockUnavailableError && error.cause instanceof AuthenticationError,
    );
    await stranger.close();
    await assert.rejects(
      lead(new RqliteLock({ name: NAME, client: stranger }), never),
      (error) => error instanceof LockUnavailableError && error.cause instanceof InterfaceError,
    );
  });
});

describe("lead() over a lock of your own", () => {
  it("campaigns again where the lock gave up, and throws what does not pass", async () => {
    const local = new LocalLock();
    const failures: Error[] = [
      new LockTimeoutError("Others held it", { lock: "own" }),
      new ConnectionError("No node was reached"),
    ];
    const asked: (AcquireOptions | undefined)[] = [];
    const lock: Lock = {
      name: "own",
      acquire: (options) => {
        asked.push(options);
        const failure = failures.shift();
        return failure === undefined ? local.acquire(options) : Promise.reject(failure);
      },
    };
    let token: bigint | undefined = 0n;
    const once = ({ fencingToken }: Leadership): Promise<void> => {
      token = fencingToken;
      return Promise.resolve();
    };
    await lead(lock, once);
    assert.deepEqual(asked, [1, 2, 3].map(() => ({ timeout: Infinity, lasting: true })));
    assert.equal(token, undefined);
    const broken = new Error("It is broken");
    failures.push(broken);
    await assert.rejects(lead(lock, once), broken);
  });

  it("runs nothing where the lease has run out before it could", async () => {
    const local = new LocalLock();
    let [asked, runs] = [0, 0];
    const lock: Lock = {
      name: "own",
      acquire: async () => {
        const handle = await local.acquire();
        if (asked++ === 0) await handle.release();
        return handle;
      },
    };
    await lead(lock, () => {
      runs++;
      return Promise.resolve();
    });
    assert.deepEqual([asked, runs], [2, 1]);
  });
});

describe("lead()", () => {
  it("refuses what is no lock, function or signal, before it takes anything", async () => {
    const lock: Lock = { name: "own", acquire: () => assert.fail("it was taken") };
    const fn = () => Promise.resolve();
    for (const wrong of [undefined, null, "jobs", {}, { name: "a" }, { acquire: fn }]) {
      await assert.rejects(lead(wrong as never, fn), /`lock`.*RqliteLock/);
    }
    for (const wrong of [undefined, null, 5, {}]) {
      await assert.rejects(lead(lock, wrong as never), /`fn`.*lead\(lock, async/);
    }
    await assert.rejects(lead(lock, fn, { signal: {} as AbortSignal }), /`signal`.*AbortSignal/);
    await assert.rejects(lead(lock, fn, { timeout: 5 } as never), /`timeout`/);
    await assert.rejects(lead(lock, fn, null as never), TypeError);
  });
});
