// In which order several locks are taken, and which of them are one.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { LocalLock, type Lock, withLock } from "../../src/locks/mod.ts";
import { ioRedis, type RedisCommand, RedisLock, ValkeyLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { PLACES } from "../transaction/world.ts";

/** A Redis in memory, as far as a lock sees one. */
function memoryRedis(): RedisCommand {
  const owners = new Map<string, string>();
  return ([name, script, , , token], key) => {
    if (name === "GET") return Promise.resolve(owners.get(key) ?? null);
    const owner = owners.get(key) ?? owners.set(key, token!).get(key);
    if (script!.includes("PTTL")) {
      return Promise.resolve(owner === token ? [1, token] : [0, 60_000]);
    }
    if (script!.includes("DEL") && owner === token) owners.delete(key);
    return Promise.resolve(owner === token ? 1 : 0);
  };
}

const redis = (command: RedisCommand, name = "a"): RedisLock => new RedisLock({ name, command });
const rqlite = (client: Client, name = "a"): RqliteLock => new RqliteLock({ name, client });

/** Every order of a list. */
function orders<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  return list.flatMap((one, i) => orders(list.toSpliced(i, 1)).map((rest) => [one, ...rest]));
}

/** Takes them in every order at once: who waits for another that waits for him does so until the end. */
async function takeInEveryOrder(locks: readonly Lock[]): Promise<void> {
  let inside = 0;
  await Promise.all(
    orders(locks).map((list) =>
      withLock(list, async () => {
        assert.equal(++inside, 1);
        await Promise.resolve();
        inside--;
      }, { timeout: 30_000 })
    ),
  );
}

/** A lock of the user's own. */
function own(name: string, key?: string): Lock {
  const lock = new LocalLock(name);
  return { name, ...(key !== undefined && { key }), acquire: (options) => lock.acquire(options) };
}

/** The names in the order in which the locks are taken. */
async function taken(locks: readonly Lock[]): Promise<string> {
  return await withLock(locks, ({ name }) => Promise.resolve(name));
}

/** A client that is asked for nothing. */
const clientOf = (...urls: string[]): Client => connect(urls);

describe("withLock() of locks with one name", () => {
  for (const place of PLACES) {
    it(`never waits for itself: local, in Redis and in two databases on ${place.name}`, {
      skip: place.skip,
    }, () =>
      place.run((one) =>
        place.run(async (two) => {
          const [local, command] = [new LocalLock("a"), memoryRedis()];
          await takeInEveryOrder([local, redis(command), rqlite(one.db), rqlite(two.db)]);
        })
      ));
  }

  it("never waits for itself: two LocalLocks, two engines, two servers of Redis, two locks of the user's", async () => {
    const clients = [connect(embedded()), connect(embedded())];
    await takeInEveryOrder([new LocalLock(), new LocalLock()]);
    await takeInEveryOrder(clients.map((client) => rqlite(client)));
    await takeInEveryOrder([redis(memoryRedis()), redis(memoryRedis())]);
    await takeInEveryOrder([own("a"), own("a"), new LocalLock("a"), own("a", "a")]);
    await Promise.all(clients.map((client) => client.close()));
  });

  it("takes another object of the same lock for the same", async () => {
    const [command, other] = [memoryRedis(), memoryRedis()];
    const pairs = [[redis(command), redis(other)], [redis(other), redis(command)]];
    let inside = 0;
    await Promise.all(pairs.map((pair) =>
      withLock(pair, async () => {
        assert.equal(++inside, 1);
        await Promise.resolve();
        inside--;
      })
    ));
  });
});

describe("withLock() of one lock twice", () => {
  const client = clientOf("http://a:4001", "http://b:4001");
  const engine = embedded();
  const connection = { call: () => Promise.reject(new Error("asked")) };
  const local = new LocalLock("a");
  const command = memoryRedis();
  const twice: Record<string, [Lock, Lock]> = {
    "a LocalLock": [local, local],
    "a RedisLock by one command": [redis(command), new ValkeyLock({ name: "a", command })],
    "a RedisLock by one client": [redis(ioRedis(connection)), redis(ioRedis(connection))],
    "a RedisLock of one key": [
      redis(command),
      new RedisLock({ name: "a", command, keyPrefix: "rqlite:lock:", leaseDuration: 50 }),
    ],
    "an RqliteLock by one client": [rqlite(client), rqlite(client)],
    "an RqliteLock by two clients of the same nodes": [
      rqlite(client),
      rqlite(clientOf("http://user:secret@b:4001/", "http://user:secret@a:4001")),
    ],
    "an RqliteLock of one engine": [
      rqlite(connect({ fetch: engine.fetch })),
      rqlite(connect({ fetch: engine.fetch })),
    ],
    "a lock of the user's with one key": [own("a", "mine"), own("b", "mine")],
  };
  for (const [what, pair] of Object.entries(twice)) {
    it(`refuses ${what}, and takes nothing`, async () => {
      const first = new LocalLock("!");
      let ran = false;
      const run = () => Promise.resolve(ran = true);
      await assert.rejects(withLock([first, ...pair], run), (error) => {
        assert.ok(error instanceof TypeError);
        return /^Cannot use `lock` as the lock "a" is in it twice/.test(error.message);
      });
      assert.equal(ran, false);
      await (await first.acquire({ timeout: 0 })).release();
    });
  }
});

describe("withLock() of one lock by two ways that do not tell", () => {
  /** The second is known when the first is held, not when time is up. */
  async function refused(pair: readonly [Lock, Lock]): Promise<void> {
    let ran = false;
    for (const list of [pair, pair.toReversed()]) {
      const taking = withLock(list, () => Promise.resolve(ran = true), { timeout: Infinity });
      await assert.rejects(taking, /^TypeError: Cannot use `lock` as the lock "a" is in it twice/);
    }
    assert.equal(ran, false);
    for (const lock of pair) await (await lock.acquire({ timeout: 10_000 })).release();
  }

  it("refuses a RedisLock by two clients, or by two factories", async () => {
    const command = memoryRedis();
    await refused([redis(command), redis((args, key) => command(args, key))]);
    const factory = (): RedisLock => new RedisLock({ name: "a", command: () => command });
    await refused([factory(), factory()]);
    await refused([factory(), redis(command)]);
  });

  for (const place of PLACES) {
    it(
      `refuses an RqliteLock by two clients on ${place.name}`,
      { skip: place.skip },
      () => place.run(({ db, other }) => refused([rqlite(db), rqlite(other)])),
    );
  }

  it("asks no lock of another name, and leaves what is wrong with a server to the acquisition", async () => {
    const sent: string[] = [];
    const working = memoryRedis();
    const told: RedisCommand = (args, key) => {
      sent.push(args[0]);
      return working(args, key);
    };
    await withLock([redis(working), redis(told, "b")], () => Promise.resolve());
    assert.deepEqual(sent, ["EVAL", "EVAL"]);
    const deaf: RedisCommand = (args, key) =>
      args[0] === "GET" ? Promise.reject(new Error("NOPERM")) : told(args, key);
    const answer = await withLock([redis(memoryRedis()), redis(deaf)], () => Promise.resolve(1));
    assert.equal(answer, 1);
  });
});

describe("`key` of a lock", () => {
  it("is the same in every process: kind, then name, and the place only between equal names", () => {
    const { key } = rqlite(clientOf("http://user:secret@b:4001", "http://user:secret@a:4001"));
    assert.equal(key, '["rqlite","a","http://a:4001 http://b:4001"]');
    const far = rqlite(clientOf("http://z:4001"), "a").key;
    const near = rqlite(clientOf("http://c:4001"), "b").key;
    assert.ok(far < near, "by the name, however a process calls the place");
    assert.ok(key < far, "by the place where the names are equal");
    assert.ok(new LocalLock("z").key < redis(memoryRedis()).key);
    assert.ok(redis(memoryRedis(), "z").key < key);
  });

  it("tells names and prefixes apart, whatever is in them", () => {
    const command = memoryRedis();
    const names = ["a", "a\0", "a ", '"', '","', "é", "e\u0301", "\u{1F512}"];
    const keys = names.flatMap((name) => [
      redis(command, name).key,
      new RedisLock({ name, command, keyPrefix: "pyrqlite:lock:" }).key,
      new LocalLock(name).key,
      rqlite(clientOf("http://a:4001"), name).key,
    ]);
    assert.equal(new Set(keys).size, keys.length);
  });

  it("orders a user's lock; without one it is ordered by its name, before all others", async () => {
    const locks = [own("x", "~"), new LocalLock("l"), own("z"), own("y"), own("w", "!")];
    assert.equal(await taken(locks), "w, y, z, l, x");
    assert.equal(await taken(locks.toReversed()), "w, y, z, l, x");
  });

  it("that is no text is refused", async () => {
    for (const key of [5, "", null]) {
      const lock = { ...own("a"), key } as unknown as Lock;
      await assert.rejects(withLock(lock, () => Promise.resolve()), /`lock\.key`/);
    }
  });
});

describe("names of an RqliteLock", () => {
  const names = ["a", "a\0", "a\0b", "a ", "A", "é", "e\u0301", "\u{1F512}", "'", '"', "\n"];

  for (const place of PLACES) {
    it(
      `never meet in one row on ${place.name}`,
      { skip: place.skip },
      () =>
        place.run(async ({ db, other, value }) => {
          const handles = await Promise.all(
            names.map((name) => rqlite(db, name).acquire({ timeout: 30_000 })),
          );
          assert.equal(await value("SELECT count(*) FROM _rqlite_lock"), names.length);
          for (const name of names) {
            await assert.rejects(rqlite(other, name).acquire({ timeout: 0 }), {
              name: "LockTimeoutError",
            });
          }
          assert.deepEqual(
            await Promise.all(handles.map((handle) => handle.release())),
            names.map(() => true),
          );
        }),
    );
  }

  it("are refused where a server would not keep them apart", () => {
    for (const name of ["\ud800", "a\udfff", "\udc00\ud800"]) {
      assert.throws(() => rqlite(clientOf("http://a:4001"), name), TypeError);
      assert.throws(() => new LocalLock(name), TypeError);
    }
  });
});
