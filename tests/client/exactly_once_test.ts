// Every write is a commit: whatever a network does to its requests, it is applied once, and the caller is told so.
import assert from "node:assert/strict";
import { describe, it, mock } from "node:test";
import {
  AuthenticationError,
  type Client,
  connect,
  IntegrityError,
  OutcomeUnknownError,
  ProgrammingError,
  RqliteError,
  type Statement,
} from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { sleep, until } from "../support/http.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { PLACES, type World } from "../transaction/world.ts";
import { applied, COUNTS, INSERT, RAISE, SCHEMA, WRITES } from "./counted_writes.ts";

/**
 * What happens to one request:
 * - `"lose"`: it arrives, its answer is lost, and a copy arrives after the next requests.
 * - `"delay"`: it is lost now, and arrives after the next requests.
 * - `"double"`: it arrives twice, and the second answer is told.
 * - `"again"`: it is answered, and a copy arrives after the next requests.
 * - `"gateway"`: it arrives, and a proxy answers 502 in its place.
 */
const FATES = ["lose", "delay", "double", "again", "gateway"] as const;
type Fate = typeof FATES[number] | "pass";

/** After how many requests a copy arrives that is under way. */
const UNDER_WAY = 3;

/** A network that does to the requests what a plan says, whatever is in them. */
class UnrulyNetwork {
  /** Asked for each request with its number from 0. */
  plan: (index: number) => Fate = () => "pass";
  /** The bodies that were sent. */
  readonly bodies: string[] = [];
  readonly #node: typeof fetch;
  #copies: { readonly due: number; readonly deliver: () => Promise<unknown> }[] = [];

  constructor(node: typeof fetch) {
    this.#node = node;
  }

  readonly fetch = (async (input: string | URL | Request, init: RequestInit = {}) => {
    const body = init.body ? await new Response(init.body).text() : undefined;
    const { signal: _, ...kept } = init;
    const whole: RequestInit = { ...kept, ...(body !== undefined && { body }) };
    const url = String(input instanceof Request ? input.url : input);
    const index = this.bodies.push(body ?? "") - 1;
    await this.#arrive((due) => due <= index);
    const send = () => this.#node(url, whole);
    const drop = async (): Promise<void> => void await (await send()).text();
    const later = (): void => void this.#copies.push({ due: index + UNDER_WAY, deliver: drop });
    const fate = this.plan(index);
    if (fate === "lose" || fate === "delay" || fate === "again") later();
    if (fate === "lose" || fate === "gateway" || fate === "double") await drop();
    if (fate === "lose" || fate === "delay") throw lost();
    if (fate === "gateway") return new Response("<html>Bad Gateway</html>", { status: 502 });
    return await send();
  }) as typeof fetch;

  /** Lets everything arrive that is still under way. */
  settle(): Promise<void> {
    return this.#arrive(() => true);
  }

  async #arrive(ripe: (due: number) => boolean): Promise<void> {
    const due = this.#copies.filter((copy) => ripe(copy.due));
    this.#copies = this.#copies.filter((copy) => !ripe(copy.due));
    for (const { deliver } of due) await deliver();
  }
}

function lost(): TypeError {
  const cause = Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
  return new TypeError("fetch failed", { cause });
}

/** Numbers from 0 to below 1, the same in every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 1_103_515_245 + 12_345) % 2_147_483_648) / 2_147_483_648;
}

/** A fate for every third request at most, so that the cluster can be reached in between. */
function storm(seed: number): (index: number) => Fate {
  const next = random(seed);
  return (index) => index % 3 === 0 ? FATES[Math.floor(next() * FATES.length)]! : "pass";
}

interface Target {
  readonly world: World;
  /** Sends statements past every client of ours. */
  readonly raw: (...statements: unknown[]) => Promise<unknown[][][]>;
  readonly unruly: (options?: { retries?: number }) => { db: Client; network: UnrulyNetwork };
}

/** Posts statements to a node; the rows of each. */
async function post(
  node: typeof fetch,
  origin: string,
  statements: unknown[],
): Promise<unknown[][][]> {
  const response = await node(`${origin}/db/request?level=strong`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(statements),
  });
  const text = await response.text();
  assert.ok(response.ok && !text.includes('"error":'), text);
  const { results } = JSON.parse(text) as { results: { values?: unknown[][] }[] };
  return results.map(({ values }) => values ?? []);
}

async function targetOf(world: World): Promise<Target> {
  let origin = "";
  const probe = world.connect({ onRequest: (event) => void (origin = event.node) });
  await probe.query("SELECT 1");
  await probe.close();
  const node = world.network.fetch as typeof fetch;
  return {
    world,
    raw: (...statements) => post(node, origin, statements),
    unruly: (options) => {
      const network = new UnrulyNetwork(node);
      return { db: world.connect({ fetch: network.fetch, timeout: 10_000, ...options }), network };
    },
  };
}

const HELPER = "SELECT count(*) FROM sqlite_schema WHERE name = '_rqlite_commit'";

/** The table of commits as the first versions made it. */
const OLDER_TABLE = `CREATE TABLE _rqlite_commit(
  n INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE,
  state INTEGER NOT NULL
    CONSTRAINT _rqlite_commit_done CHECK (state <> -1)
    CONSTRAINT _rqlite_commit_fenced CHECK (state <> -2)
    CONSTRAINT _rqlite_commit_expired CHECK (state <> -3))`;

for (const place of PLACES) {
  describe(`writes on ${place.name}`, { skip: place.skip }, () => {
    const test = (name: string, body: (target: Target) => Promise<void>) =>
      it(name, () =>
        place.run(async (world) => {
          const target = await targetOf(world);
          await target.raw(...SCHEMA);
          await body(target);
        }));

    for (const [name, write] of Object.entries(WRITES)) {
      test(`${name} is applied once, whatever happens to any of its requests`, async (target) => {
        for (const fate of FATES) {
          for (let hit = 0, met = true; met; hit++) {
            await target.raw(...SCHEMA);
            const { db, network } = target.unruly();
            met = false;
            network.plan = (index) => {
              if (index === hit) met = true;
              return index === hit ? fate : "pass";
            };
            await applied(write, db, "first");
            await applied(write, db, "second");
            await applied(write, db, "third");
            await network.settle();
            await db.close();
            const what = `request ${hit}: ${fate}`;
            const [counts] = await target.raw(COUNTS);
            assert.deepEqual(counts, [[3 * write.hits, 3 * write.raised]], what);
          }
        }
      });
    }

    test("writes in a storm are counted exactly, one after another and at once", async (target) => {
      for (const atOnce of [false, true]) {
        await target.raw(...SCHEMA);
        // One request in five or so is lost, and sixty calls share the bad luck.
        const { db, network } = target.unruly({ retries: 20 });
        network.plan = storm(atOnce ? 7 : 11);
        const all: Promise<void>[] = [];
        let [hits, raised] = [0, 0];
        for (let i = 0; i < 60; i++) {
          const write = Object.values(WRITES)[i % Object.keys(WRITES).length]!;
          hits += write.hits;
          raised += write.raised;
          const one = applied(write, db, `label ${i}`);
          all.push(one);
          if (!atOnce) await one;
        }
        const failed = (await Promise.allSettled(all)).filter(({ status }) =>
          status === "rejected"
        );
        assert.deepEqual(failed, []);
        await network.settle();
        await db.close();
        assert.deepEqual(await target.raw(COUNTS), [[[hits, raised]]]);
        const [twice] = await target.raw(
          "SELECT label, count(*) FROM hits GROUP BY label HAVING count(*) > 2",
        );
        assert.deepEqual(twice, []);
      }
    });

    test("a write that fails is told once, and no late copy applies it", async ({ raw, unruly }) => {
      await raw("CREATE TABLE IF NOT EXISTS once(id INTEGER UNIQUE)", "INSERT INTO once VALUES(1)");
      for (const fate of FATES) {
        for (const hit of [0, 1, 2, 3]) {
          const { db, network } = unruly();
          await db.execute(RAISE);
          const start = network.bodies.length;
          network.plan = (index) => index === start + hit ? fate : "pass";
          await assert.rejects(db.execute("INSERT INTO once VALUES(1)"), IntegrityError);
          await raw("DELETE FROM once");
          await network.settle();
          assert.deepEqual(await raw("SELECT count(*) FROM once"), [[[0]]], `${fate} ${hit}`);
          await raw("INSERT INTO once VALUES(1)");
          await db.close();
        }
      }
    });

    test("an id of the caller's own is applied once, by whoever uses it", async ({ world, raw }) => {
      const [a, b] = [world.connect({}), world.connect({})];
      const id = "order-1";
      assert.equal((await a.execute(INSERT, ["x"], { id })).rowsAffected, 1);
      assert.equal((await a.execute(INSERT, ["x"], { id })).rowsAffected, -1);
      assert.equal((await b.execute(INSERT, ["x"], { id })).rowsAffected, -1);
      const batch: Statement[] = [[INSERT, "y"], RAISE];
      for (const db of [a, a, b]) await db.batch(batch, { id: "order-2" });
      const hit = (db: Client) => db.execute(INSERT, ["z"], { id: "order-3" });
      const many = await Promise.all([hit(a), hit(b), hit(a), hit(b), hit(a)]);
      const first = many.filter(({ rowsAffected }) => rowsAffected === 1);
      assert.ok(first.length <= 1, JSON.stringify(many));
      assert.deepEqual(await raw(COUNTS), [[[3, 1]]]);
      assert.equal(await b.outcome(id), "committed");
      await a.close();
      await b.close();
    });

    test("an id of the caller's own stands for one statement and its values", async ({ world, raw }) => {
      const [a, b] = [world.connect({}), world.connect({})];
      await a.execute(INSERT, ["x"], { id: "one" });
      await a.batch([[INSERT, "y"], RAISE], { id: "two" });
      const others: ((db: Client) => Promise<unknown>)[] = [
        (db) => db.execute(INSERT, ["other"], { id: "one" }),
        (db) => db.execute(INSERT, [1], { id: "one" }),
        (db) => db.execute(INSERT, ["1"], { id: "two" }),
        (db) => db.execute(RAISE, [], { id: "one" }),
        (db) => db.execute(`${INSERT} RETURNING label`, ["x"], { id: "one" }),
        (db) => db.batch([[INSERT, "y"]], { id: "two" }),
        (db) => db.batch([RAISE, [INSERT, "y"]], { id: "two" }),
        (db) => db.batch([[INSERT, "z"], RAISE], { id: "two" }),
      ];
      for (const [i, other] of others.entries()) {
        for (const db of [a, b]) await assert.rejects(other(db), ProgrammingError, String(i));
      }
      assert.deepEqual(await raw(COUNTS), [[[2, 1]]]);
      await a.close();
      await b.close();
    });

    test("an id of the caller's own holds for values that SQLite computes", async ({ world, raw }) => {
      const sql = "INSERT INTO hits VALUES(hex(randomblob(8)) || ? || datetime('now'))";
      await world.db.execute(sql, ["x"], { id: "random" });
      await world.db.execute(sql, ["x"], { id: "random" });
      assert.deepEqual(await raw("SELECT count(*) FROM hits"), [[[1]]]);
    });

    test("exactlyOnce: false sends nothing of ours, for a client or a call", async ({ world, raw }) => {
      const plainly = { exactlyOnce: false, timeout: 10_000 };
      for (const client of [plainly, { timeout: 10_000 }]) {
        const network = new UnrulyNetwork(world.network.fetch as typeof fetch);
        const db = world.connect({ fetch: network.fetch, ...client });
        const call = client === plainly ? {} : plainly;
        await db.execute(INSERT, ["x"], call);
        await db.execute(`${INSERT} RETURNING label`, ["x"], call);
        await db.batch([[INSERT, "x"], RAISE], call);
        assert.ok(network.bodies.length >= 3);
        for (const body of network.bodies) assert.doesNotMatch(body, /_rqlite_/);
        network.plan = () => "lose";
        await assert.rejects(db.execute(INSERT, ["x"], call), OutcomeUnknownError);
        await db.close();
      }
      assert.deepEqual(await raw(HELPER, COUNTS), [[[0]], [[8, 2]]]);
    });

    test("a client makes the helper table once, and its writes stay there", async ({ world, raw }) => {
      const [a, b] = [world.connect({}), world.connect({})];
      await Promise.all([a, b].flatMap((db) => [1, 2, 3].map(() => db.execute(RAISE))));
      assert.deepEqual(await raw(HELPER, COUNTS), [[[1]], [[0, 6]]]);
      await a.close();
      await b.close();
    });

    test("VACUUM, PRAGMA and changes of the schema work", async ({ world, raw }) => {
      const db = world.connect({});
      await db.execute(INSERT, ["x"]);
      for (
        const sql of [
          "VACUUM",
          "PRAGMA user_version = 7",
          "ANALYZE",
          "REINDEX",
          "CREATE TABLE made(n)",
          "ALTER TABLE made ADD COLUMN m",
          "CREATE INDEX made_n ON made(n)",
          "CREATE VIEW seen AS SELECT n FROM made",
          "CREATE TRIGGER made_t AFTER INSERT ON made BEGIN UPDATE counter SET n = n + 1; END",
          "INSERT INTO made(n) VALUES(1)",
          "DROP TABLE made",
        ]
      ) await db.execute(sql).catch((error: Error) => assert.fail(`${sql}: ${error.message}`));
      const { rows } = await db.query("PRAGMA user_version");
      assert.deepEqual(rows, [{ user_version: 7 }]);
      assert.deepEqual(await raw(COUNTS), [[[1, 1]]]);
      await db.close();
    });

    test("a fresh client may begin with VACUUM or PRAGMA", async ({ world }) => {
      for (const sql of ["VACUUM", "PRAGMA optimize", "PRAGMA user_version = 9"]) {
        const db = world.connect({});
        await db.execute(sql);
        await db.close();
      }
    });

    const START = "INSERT INTO _rqlite_commit(n, id, state) VALUES(5000, '0.start', 0)";
    const older = (raw: Target["raw"]) =>
      raw(
        OLDER_TABLE,
        START,
        "INSERT INTO _rqlite_commit(id, state) VALUES('done', 1), ('fenced', 0)",
      );

    test("an older helper table is altered in place, and its rows keep their meaning", async ({ world, raw }) => {
      await older(raw);
      // The altered table counts on far behind its rows, so that the one commit in 256 which prunes would take them away.
      const random = mock.method(Math, "random", () => 0.5);
      const db = world.connect({});
      assert.equal(await db.outcome("done"), "committed");
      assert.equal(await db.outcome("fenced"), "not committed");
      await db.execute(INSERT, ["new"]);
      await db.batch([[INSERT, "new"], RAISE]);
      await db.transaction((tx) => tx.execute(INSERT, ["new"]));
      // It cannot be known whether it was the same statement: only that it is not applied again.
      await db.execute(INSERT, ["again"], { id: "done" }).catch((error: unknown) => {
        assert.ok(error instanceof ProgrammingError, String(error));
      });
      await assert.rejects(db.execute(INSERT, ["never"], { id: "fenced" }), RqliteError);
      assert.equal(await db.outcome("done"), "committed");
      const [columns, rows, counts] = await raw(
        "SELECT name FROM pragma_table_info('_rqlite_commit')",
        "SELECT n, id, state FROM _rqlite_commit WHERE n <= 5002 ORDER BY n",
        COUNTS,
      );
      for (const name of ["n", "id", "state", "hash", "wrote"]) {
        assert.ok(columns!.flat().includes(name), name);
      }
      assert.deepEqual(rows, [[5000, "0.start", 0], [5001, "done", 1], [5002, "fenced", 0]]);
      assert.deepEqual(counts, [[3, 1]]);
      await db.close();
      random.mock.restore();
    });

    test("clients at once alter an older helper table, and lost answers do not matter", async (target) => {
      const { raw, unruly } = target;
      for (const fate of FATES) {
        for (const hit of [0, 1, 2, 3]) {
          await raw(...SCHEMA);
          await older(raw);
          const clients = [unruly(), unruly(), unruly()];
          clients[0]!.network.plan = (index) => index === hit ? fate : "pass";
          await Promise.all(clients.map(({ db }) => db.execute(RAISE)));
          for (const { db } of clients) await db.execute(RAISE);
          for (const { network } of clients) await network.settle();
          for (const { db } of clients) await db.close();
          assert.deepEqual(await raw(COUNTS), [[[0, 6]]], `request ${hit}: ${fate}`);
        }
      }
    });

    /** What somebody does by hand to the helper table between the writes of a client. */
    const BY_HAND: Record<string, string[]> = {
      "rows are deleted": ["DELETE FROM _rqlite_commit"],
      "the newest rows are deleted": [
        "DELETE FROM _rqlite_commit WHERE n > (SELECT max(n) - 2 FROM _rqlite_commit)",
      ],
      "the oldest rows are deleted": [
        "DELETE FROM _rqlite_commit WHERE n < (SELECT max(n) FROM _rqlite_commit)",
      ],
      "the sequence lags": [
        "DELETE FROM _rqlite_commit WHERE n > (SELECT max(n) - 3 FROM _rqlite_commit)",
        "UPDATE sqlite_sequence SET seq = seq - 3 WHERE name = '_rqlite_commit'",
      ],
      "the sequence runs ahead": [
        "UPDATE sqlite_sequence SET seq = seq + 1000 WHERE name = '_rqlite_commit'",
      ],
    };
    for (const [what, statements] of Object.entries(BY_HAND)) {
      test(`writes go on when ${what} between them`, async ({ world, raw }) => {
        const network = new UnrulyNetwork(world.network.fetch as typeof fetch);
        const db = world.connect({ fetch: network.fetch });
        network.plan = (index) => index % 4 === 3 ? "again" : "pass";
        for (let round = 0; round < 3; round++) {
          for (let i = 0; i < 5; i++) await db.execute(RAISE);
          await db.batch([RAISE, [INSERT, "x"]]);
          await db.transaction((tx) => tx.execute(RAISE));
          // What is still under way was sent before.
          await network.settle();
          await raw(...statements);
        }
        await db.execute(RAISE);
        await db.close();
        assert.deepEqual(await raw(COUNTS), [[[3, 22]]]);
      });
    }

    test("writes go on when the table is dropped between them", async ({ world, raw }) => {
      const db = world.connect({});
      let [told, unknown] = [0, 0];
      for (let round = 0; round < 3; round++) {
        for (let i = 0; i < 4; i++) {
          // Whether an earlier copy was applied may have been written there: only the first write can be in doubt.
          await db.execute(RAISE).then(() => told++, (error: unknown) => {
            assert.ok(error instanceof OutcomeUnknownError && i === 0 && round > 0, String(error));
            unknown++;
          });
        }
        await sleep(5);
        await raw("DROP TABLE _rqlite_commit");
      }
      await db.close();
      const [[[raised]]] = await raw("SELECT n FROM counter") as [[[number]]];
      assert.ok(told <= raised && raised <= told + unknown, `${raised}: ${told}, ${unknown}`);
    });

    test("close() leaves a write that is waited for unknown, under an id", async ({ world, raw }) => {
      let met: () => void;
      const waiting = new Promise<void>((resolve) => met = resolve);
      const silent = (async (input: string | URL | Request, init: RequestInit = {}) => {
        const body = init.body ? await new Response(init.body).text() : "";
        const { signal, ...kept } = init;
        const send = () => world.network.fetch(input, { ...kept, ...(body !== "" && { body }) });
        if (!body.includes("INTO hits")) return await send();
        await (await send()).text();
        met();
        return await new Promise<Response>((_, reject) => {
          signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
        });
      }) as typeof fetch;
      const db = world.connect({ fetch: silent });
      const failure = db.execute(INSERT, ["x"]).then(() => undefined, (error: unknown) => error);
      await waiting;
      await db.close();
      const error = await failure;
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(typeof error.id, "string");
      assert.equal(await world.other.outcome(error.id!), "committed");
      assert.deepEqual(await raw("SELECT count(*) FROM hits"), [[[1]]]);
    });

    test("no copy that was sent before the table was dropped is applied again", async ({ raw, unruly }) => {
      const { db, network } = unruly();
      network.plan = () => "again";
      for (let i = 0; i < 3; i++) await db.execute(RAISE);
      network.plan = () => "pass";
      await sleep(5); // ranges of numbers begin with the time
      await raw("DROP TABLE _rqlite_commit");
      const second = unruly();
      await second.db.execute(RAISE);
      await network.settle();
      await second.db.close();
      await db.close();
      assert.deepEqual(await raw(COUNTS), [[[0, 4]]]);
    });

    test("an account that may do nothing with the helper table sends plain writes", async ({ world, raw }) => {
      const node = world.network.fetch as typeof fetch;
      const bodies: string[] = [];
      const refuse = (async (input: string | URL | Request, init: RequestInit = {}) => {
        const body = init.body ? await new Response(init.body).text() : "";
        bodies.push(body);
        const { pathname } = new URL(input instanceof Request ? input.url : input);
        const refused = body.includes("_rqlite_commit") || pathname !== "/db/execute";
        if (refused) return new Response("Unauthorized", { status: 401 });
        return await node(input, { ...init, ...(body !== "" && { body }) });
      }) as typeof fetch;
      const db = world.connect({ fetch: refuse });
      await db.execute(INSERT, ["x"]);
      await db.execute(RAISE);
      await db.batch([[INSERT, "x"], RAISE]);
      await Promise.all([1, 2, 3].map(() => db.execute(RAISE)));
      assert.ok(bodies.some((body) => body.includes("UPDATE counter")));
      await db.close();
      assert.deepEqual(await raw(HELPER, COUNTS), [[[0]], [[2, 5]]]);
    });
  });
}

const WRITER = { username: "writer", password: "w", perms: ["execute"] };
const READER = { username: "reader", password: "r", perms: ["query"] };
const APP = { username: "app", password: "a", perms: ["query", "execute"] };

describe("writes of accounts", { skip: skipWithoutRqlited() }, () => {
  const inside = async (body: (server: Rqlited) => Promise<void>): Promise<void> => {
    const server = await startRqlited({ auth: [WRITER, READER, APP] });
    try {
      await server.sql(...SCHEMA);
      await body(server);
    } finally {
      await server.stop();
    }
  };
  const open = (server: Rqlited, { username, password }: typeof WRITER): Client =>
    connect(server.url, { username, password });
  const counts = async (server: Rqlited): Promise<unknown> =>
    (await server.sql(COUNTS) as { values: unknown[][] }[])[0]!.values;

  for (const table of ["without", "with"]) {
    it(`one that may only execute writes, ${table} a helper table of others`, () =>
      inside(async (server) => {
        if (table === "with") {
          const app = open(server, APP);
          await app.execute(RAISE);
          await app.close();
        }
        const db = open(server, WRITER);
        await db.execute(INSERT, ["x"]);
        await db.execute(RAISE);
        await db.batch([[INSERT, "x"], RAISE]);
        await Promise.all([1, 2, 3].map(() => db.execute(RAISE)));
        await db.close();
        assert.deepEqual(await counts(server), [[2, table === "with" ? 6 : 5]]);
      }));
  }

  it("one that may only read is refused, and nothing is stored", () =>
    inside(async (server) => {
      const db = open(server, READER);
      await assert.rejects(db.execute(INSERT, ["x"]), AuthenticationError);
      await assert.rejects(db.batch([[INSERT, "x"], RAISE]), AuthenticationError);
      await db.close();
      assert.deepEqual(await counts(server), [[0, 0]]);
    }));
});

/** A way to the nodes that never leads from one to another, so that a follower has to forward. */
const forwarding = ((input: string | URL | Request, init?: RequestInit) => {
  const url = new URL(input instanceof Request ? input.url : input);
  url.searchParams.delete("redirect");
  return fetch(url, init);
}) as typeof fetch;

/** What each node has, asked for by its own copy. */
async function copies(cluster: Cluster, sql: string): Promise<unknown[]> {
  return await Promise.all(cluster.nodes.map(async (node) => {
    const path = `/db/query?level=none&q=${encodeURIComponent(sql)}`;
    const { results } = JSON.parse((await node.ask(path)).text) as {
      results: { values?: unknown[][] }[];
    };
    return results[0]!.values ?? [];
  }));
}

/** Waits until all nodes answer this. */
async function agree(cluster: Cluster, sql: string, expected: unknown): Promise<void> {
  let seen: unknown[] = [];
  const text = JSON.stringify(expected);
  await until(`agreement on ${text}`, async () => {
    seen = await copies(cluster, sql);
    return seen.every((rows) => JSON.stringify(rows) === text) || undefined;
  }, { limit: 5000, details: () => JSON.stringify(seen) });
}

describe("writes on three nodes", { skip: skipWithoutRqlited() }, () => {
  const inside = async (body: (cluster: Cluster) => Promise<void>): Promise<void> => {
    const cluster = await startCluster(3);
    try {
      const leader = await cluster.leader();
      await leader.sql(...SCHEMA);
      await body(cluster);
    } finally {
      await cluster.stop();
    }
  };

  it("are exact through followers that forward, in a storm", () =>
    inside(async (cluster) => {
      const urls = (await cluster.followers()).map(({ url }) => url);
      const clients = urls.map((url, i) => {
        const network = new UnrulyNetwork(forwarding);
        network.plan = storm(i + 3);
        return {
          network,
          db: connect(url, { fetch: network.fetch, timeout: 20_000, retries: 20 }),
        };
      });
      let [hits, raised] = [0, 0];
      const work = clients.map(async ({ db }, task) => {
        for (let i = 0; i < 30; i++) {
          const write = Object.values(WRITES)[i % Object.keys(WRITES).length]!;
          hits += write.hits;
          raised += write.raised;
          await applied(write, db, `task ${task}, ${i}`);
        }
      });
      await Promise.all(work);
      for (const { network } of clients) await network.settle();
      for (const { db } of clients) await db.close();
      await agree(cluster, COUNTS, [[hits, raised]]);
    }));

  it("are applied by nodes whose sequence of commits lags", () =>
    inside(async (cluster) => {
      const leader = await cluster.leader();
      const db = connect(cluster.urls);
      for (let i = 0; i < 10; i++) await db.execute(RAISE);
      // Each node draws its own number; those that drew an odd one forget their last commits.
      await leader.ask("/db/execute?norwrandom", {
        method: "POST",
        body: JSON.stringify(["CREATE TABLE drawn(n INTEGER DEFAULT (abs(random() % 2)))"]),
      });
      const parity = "SELECT n FROM drawn ORDER BY rowid DESC LIMIT 1";
      for (let draws = 1, lagging = 0; lagging === 0 || lagging === 3; draws++) {
        assert.ok(draws < 100, "The nodes draw the same numbers");
        await leader.sql("INSERT INTO drawn DEFAULT VALUES");
        await agree(cluster, "SELECT count(*) FROM drawn", [[draws]]);
        const drawn = await copies(cluster, parity);
        lagging = drawn.filter((rows) => JSON.stringify(rows) === "[[1]]").length;
      }
      await leader.sql(
        `DELETE FROM _rqlite_commit WHERE n > (SELECT max(n) - 5 FROM _rqlite_commit) AND (${parity}) = 1`,
        `UPDATE sqlite_sequence SET seq = seq - 5 WHERE name = '_rqlite_commit' AND (${parity}) = 1`,
      );
      for (let i = 0; i < 10; i++) await db.execute(RAISE);
      for (let i = 0; i < 5; i++) await db.transaction((tx) => tx.execute(RAISE));
      const fresh = connect((await cluster.followers())[0]!.url, { fetch: forwarding });
      for (let i = 0; i < 5; i++) await fresh.execute(RAISE);
      await db.close();
      await fresh.close();
      await agree(cluster, COUNTS, [[0, 30]]);
    }));
});
