// Every option with every method that takes options: seen by its effect, or refused before anything is sent.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  IntegrityError,
  LockTimeoutError,
  TransactionConflictError,
} from "../../mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { PLACES, type World } from "../transaction/world.ts";
import { type AnyOptions, type Name, READ, SURFACES, VALUES, type Way } from "./option_ways.ts";

/** What is seen of the requests, and a node that can be made not to answer. */
class Watched {
  readonly urls: URL[] = [];
  readonly bodies: string[] = [];
  stuck = false;
  readonly #node: typeof fetch;

  constructor(node: typeof fetch) {
    this.#node = node;
  }

  readonly fetch: typeof fetch = async (input, init = {}) => {
    const bytes = init.body ? await new Response(init.body).bytes() : undefined;
    const body = new TextDecoder().decode(bytes);
    this.urls.push(new URL(String(input)));
    this.bodies.push(body);
    // What a call asks for itself, not what comes before it.
    if (this.stuck && (body === "" || /(FROM|INTO) (t|\\"t\\")(?!\w)|asked/.test(body))) {
      await new Promise((_, reject) => {
        init.signal?.addEventListener("abort", () => reject(init.signal!.reason));
      });
    }
    return await this.#node(input, bytes ? { ...init, body: bytes } : init);
  };

  has(name: string, value?: string): boolean {
    return this.urls.some(({ searchParams }) =>
      value === undefined ? searchParams.has(name) : searchParams.get(name) === value
    );
  }
}

interface Situation {
  readonly db: Client;
  readonly other: Client;
  readonly node: Watched;
  readonly way: Way;
  /** Calls it with the options. */
  readonly run: (options: AnyOptions, sql?: string) => Promise<unknown[]>;
}

const RANDOM = "SELECT random() % 10 AS n";

/** How each option is seen. What was written is at least as current as any level. */
const EFFECTS: { readonly [N in Name]-?: (situation: Situation) => Promise<void> } = {
  signal: async ({ node, run }) => {
    const controller = new AbortController();
    const reason = new Error("not needed");
    node.stuck = true;
    const running = run({ signal: controller.signal });
    setTimeout(() => controller.abort(reason), 30);
    await assert.rejects(running, (error) => error === reason);
  },
  timeout: async ({ node, run }) => {
    node.stuck = true;
    // It ends: without the option that takes half a minute, and the runner's patience with it.
    const answer = await run({ timeout: 60 }).catch((error: unknown) => error);
    assert.ok(answer instanceof Error ? /Error$/.test(answer.name) : Array.isArray(answer));
  },
  integers: async ({ run }) => {
    const [row] = await run({ integers: "string" });
    assert.equal(typeof Object.values(row as object)[0], "string");
  },
  coalesce: async ({ node, run, way }) => {
    if (!way.shares) return void await run({ coalesce: false });
    const requests = async (coalesce: boolean): Promise<number> => {
      node.urls.length = 0;
      // What a server makes of other levels is found out by the first of them.
      const options = { coalesce, level: "weak" } as const;
      await Promise.all([run(options), run(options)]);
      return node.urls.length;
    };
    assert.deepEqual([await requests(false), await requests(true)], [2, 1]);
  },
  level: async ({ node, run, way }) => {
    await run({ level: "strong" });
    assert.ok(way.writes || node.has("level", "strong"));
  },
  freshness: async ({ node, run, way }) => {
    await run({ level: "none", freshness: 60_000 });
    assert.ok(way.writes || node.has("freshness", "60000ms"));
  },
  freshnessStrict: async ({ node, run, way }) => {
    await run({ level: "none", freshness: 60_000, freshnessStrict: true });
    assert.ok(way.writes || node.has("freshness_strict"));
  },
  rows: async ({ run }) => {
    assert.ok(Array.isArray((await run({ rows: "array" }))[0]));
  },
  id: async ({ db, run }) => {
    await run({ id: "mine" });
    assert.equal(await db.outcome("mine"), "committed");
  },
  exactlyOnce: async ({ node, run, way }) => {
    await run({ exactlyOnce: !way.writes });
    const entered = node.bodies.some((body) => body.includes("INTO _rqlite_commit"));
    assert.ok(!way.writes || !entered);
  },
  atomic: async ({ node, run, way }) => {
    await run({ atomic: false });
    const entered = node.bodies.some((body) => body.includes("INTO _rqlite_commit"));
    assert.ok(!way.writes || !entered, "one commit of all");
  },
  columns: async ({ run }) => {
    await run({ columns: ["n"] });
    await assert.rejects(run({ columns: ["n", "m"] }), /has not 2 values/);
  },
  onConflict: async ({ db, run }) => {
    await db.execute("CREATE UNIQUE INDEX one ON t(n)");
    await run({ onConflict: "error" });
    await assert.rejects(run({ onConflict: "error" }), IntegrityError);
    await run({ onConflict: "ignore" });
    await run({ onConflict: "replace" });
  },
  onProgress: async ({ run, way }) => {
    const told: number[] = [];
    await run({ onProgress: (count) => void told.push(count) });
    if (way.bytes) assert.ok(told.length > 0 && told.at(-1)! > 10);
    else assert.deepEqual(told, [1]);
  },
  pageSize: async ({ db, node, run }) => {
    await db.execute("INSERT INTO t VALUES(5), (6)");
    node.urls.length = 0;
    assert.equal((await run({ pageSize: 1 })).length, 3);
    assert.ok(node.urls.length >= 3);
  },
  by: async ({ db, run }) => {
    await db.execute("INSERT INTO t VALUES(-5)");
    assert.deepEqual(await run({ by: "n" }), [{ n: -5 }, { n: 1 }]);
  },
  nonVoters: async ({ node, run }) => {
    await run({ nonVoters: true });
    assert.ok(node.has("nonvoters"));
  },
  noLeader: async ({ node, run }) => {
    await run({ noLeader: true });
    assert.ok(node.has("noleader"));
  },
  sync: async ({ node, run }) => {
    await run({ sync: true });
    assert.ok(node.has("sync"));
  },
  to: async ({ node, run }) => {
    await run({ to: "2" });
    // Before it is told, as an old server would hand over to anybody.
    assert.ok(node.urls.some(({ href }) => href.endsWith("/leader")));
  },
  wait: async ({ node, run }) => {
    await run({ wait: false });
    assert.ok(!node.has("wait"));
    await run({ wait: true });
    assert.ok(node.has("wait"));
  },
  format: async ({ node, run }) => {
    await run({ format: "sql" });
    await run({ format: "delete" });
    assert.ok(node.has("fmt", "sql") && node.has("fmt", "delete"));
  },
  vacuum: async ({ node, run }) => {
    await run({ vacuum: true });
    assert.ok(node.has("vacuum"));
  },
  compress: async ({ node, run }) => {
    await run({ compress: true });
    assert.ok(node.has("compress"));
  },
  tables: async ({ node, run }) => {
    await run({ format: "sql", tables: ["t"] });
    assert.ok(node.has("tables"));
  },
  guard: async ({ run }) => {
    await assert.rejects(run({}, RANDOM), /guard/);
    assert.equal((await run({ guard: false }, RANDOM)).length, 1);
  },
  lock: async ({ run }) => {
    const lock = new LocalLock();
    const handle = await lock.acquire();
    await assert.rejects(run({ lock, timeout: 60 }), LockTimeoutError);
    await handle.release();
  },
  scope: async ({ db, way }) => {
    await way.inside!(db, { scope: "stock" }, async (tx) => {
      await tx.query(READ);
      assert.equal(typeof tx.fencingToken, "bigint");
      return [];
    });
  },
  isolation: async ({ db, way }) => {
    const random: Parameters<NonNullable<Way["inside"]>>[2] = async (tx) =>
      (await tx.query(RANDOM, [], { integers: "string" })).rows;
    assert.equal((await way.inside!(db, { isolation: "none" }, random)).length, 1);
  },
  mode: async ({ db, way }) => {
    await way.inside!(db, { mode: "lazy" }, async (tx) => {
      assert.equal((await tx.execute("INSERT INTO t VALUES(9)")).rowsAffected, -1);
      return [];
    });
  },
  readOnly: async ({ db, way }) => {
    await way.inside!(db, { readOnly: true }, async (tx) => {
      await assert.rejects(tx.execute("INSERT INTO t VALUES(9)"), /readOnly/);
      return [];
    }).catch((error) => assert.match(String(error), /readOnly/));
  },
  timeoutPer: async ({ db, way }) => {
    await way.inside!(db, { timeoutPer: "statement", timeout: 1000 }, async (tx) => {
      await tx.query(READ);
      await new Promise((resolve) => setTimeout(resolve, 1100));
      return (await tx.query(READ)).rows;
    });
  },
  retries: async ({ db, other, way }) => {
    let runs = 0;
    const colliding = way.inside!(db, { retries: 1 }, async (tx) => {
      runs++;
      await tx.query(READ);
      await tx.execute("INSERT INTO t VALUES(3)");
      await other.execute("UPDATE t SET n = n + 1");
      return [];
    });
    await assert.rejects(colliding, TransactionConflictError);
    assert.equal(runs, 2);
  },
  turns: (situation) => waits({ turns: true }, situation),
  driver: async (situation) => {
    // A request's nested transaction takes it and has no use for it, so that drivers need not know where they are.
    if (situation.way.inside === undefined) return void await situation.run({ driver: true });
    await waits({ driver: true }, situation);
  },
};

/** For the transaction that has the turn. */
async function waits(options: AnyOptions, { db, run }: Situation): Promise<void> {
  const first = await db.begin({ turns: true });
  await assert.rejects(run({ ...options, timeout: 60 }), /turn/);
  await first.rollback();
  await run(options);
}

const TABLE = [
  "DROP TABLE IF EXISTS t",
  "CREATE TABLE t(n INTEGER)",
  "INSERT INTO t VALUES(1)",
];

/** A table as it is expected, and a client that knows it. */
async function prepare(world: World, way: Way): Promise<Situation> {
  await world.other.batch(TABLE);
  const node = new Watched(world.node);
  const db = world.connect({ fetch: node.fetch, retries: 0 });
  await db.begin().then((tx) => tx.query(READ));
  const run: Situation["run"] = (options, sql) => way.call(db, options, sql);
  return { db, other: world.other, node, way, run };
}

// What the client makes of options is the same everywhere; a server also tells what it makes of what is sent.
for (const place of PLACES.slice(-1)) {
  describe(`every option on ${place.name}`, { skip: place.skip }, () => {
    for (const [surface, methods] of Object.entries(SURFACES)) {
      for (const [method, way] of Object.entries(methods)) {
        it(`${surface}${method}() honours or refuses each`, () =>
          place.run(async (world) => {
            // A call that is refused leaves the table and the client as they were.
            let unused: Situation | undefined;
            for (const name of Object.keys(VALUES) as Name[]) {
              const situation = unused ?? await prepare(world, way);
              try {
                await (way.takes[name] ? EFFECTS[name](situation) : refuses(name, situation));
              } catch (error) {
                throw new Error(`${surface}${method}({ ${name} }): ${error}`, { cause: error });
              } finally {
                if (way.takes[name]) await situation.db.close();
                unused = way.takes[name] ? undefined : situation;
              }
            }
            await unused?.db.close();
          }));
      }
    }
  });
}

/** A TypeError that names it, before the call has sent anything of its own. */
async function refuses(name: Name, { node, run }: Situation): Promise<void> {
  const error = await run({ [name]: VALUES[name] }).then(
    () => undefined,
    (error: unknown) => error,
  );
  assert.ok(error instanceof TypeError, `it was not refused: ${error}`);
  assert.ok(error.message.includes(`\`${name}\``), error.message);
  assert.ok(!node.bodies.some((body) => /INSERT INTO (t|\\"t)/.test(body)));
}
