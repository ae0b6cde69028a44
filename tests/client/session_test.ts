// What a session has seen it sees again, whichever node is asked: on nodes that lag as far as a test wants.
import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { Kysely } from "kysely";
import {
  type Call,
  type Client,
  connect,
  type Executor,
  IntegrityError,
  type Session,
  StaleReadError,
  TimeoutError,
} from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { LaggingCluster } from "../support/lagging_cluster.ts";
import { playHistory } from "./session_history.ts";

let cluster: LaggingCluster;
/** Its only node is one that lags. */
let db: Client;
/** Its only node is the leader. */
let leader: Client;

const open = (node: number, options: object = {}) =>
  connect(cluster.urls[node], { fetch: cluster.fetch, retries: 0, ...options });
const valuesIn = async (db: Executor): Promise<unknown[]> =>
  (await db.query("SELECT v FROM t ORDER BY v", [], { rows: "array" })).rows.flat();
const add = (db: Executor, v: number, options = {}) =>
  db.execute("INSERT INTO t VALUES(?)", [v], options);
const levels = () =>
  cluster.seen.filter(({ path }) => path === "/db/query").map(({ level }) => level);

/** Which levels were asked for by what is done. */
async function levelsOf(work: () => Promise<unknown>): Promise<(string | null)[]> {
  cluster.seen.length = 0;
  await work();
  return levels();
}

async function start(): Promise<void> {
  cluster = new LaggingCluster();
  db = open(1);
  leader = open(0);
  await leader.execute("CREATE TABLE t(v INTEGER PRIMARY KEY)");
  await add(leader, 1);
  await cluster.settle();
}

async function stop(): Promise<void> {
  await Promise.all([db.close(), leader.close()]);
  cluster.close();
}

describe("session()", () => {
  beforeEach(start);
  afterEach(stop);

  it("reads what it has written from the leader while the node lags, and from the node alone once it has it", async () => {
    const session = db.session();
    await add(session, 2);
    assert.deepEqual(await valuesIn(db.session()), [1], "the node lags");
    assert.deepEqual(
      await levelsOf(async () => assert.deepEqual(await valuesIn(session), [1, 2])),
      ["none", "weak"],
    );
    await cluster.settle();
    assert.deepEqual(
      await levelsOf(async () => assert.deepEqual(await valuesIn(session), [1, 2])),
      ["none"],
    );
  });

  it("never reads less than it has read, from whichever node", async () => {
    const session = leader.session();
    await add(leader, 2);
    assert.deepEqual(await valuesIn(session), [1, 2]);
    const elsewhere = db.session(session.bookmark);
    assert.deepEqual(await levelsOf(() => valuesIn(elsewhere)), ["none", "weak"]);
    await cluster.settle();
    await add(leader, 3);
    // It need not be the newest.
    assert.deepEqual(await valuesIn(elsewhere), [1, 2]);
    cluster.restart(1);
    await cluster.apply(1, 2);
    assert.deepEqual(
      await valuesIn(elsewhere),
      [1, 2, 3],
      "a node that starts anew is behind, too",
    );
  });

  it("does so for every way to read and to write", async () => {
    const ways: Record<string, (session: Session, v: number) => Promise<unknown>> = {
      batch: (session, v) =>
        session.batch(["DELETE FROM t WHERE v = 0", ["INSERT INTO t VALUES(?)", v]]),
      "an id": (session, v) => add(session, v, { id: `write-${v}` }),
      "at once": (session, v) =>
        Promise.all([add(session, v), add(session, v + 50), add(db, v + 70)]),
      script: (session, v) =>
        session.script(`INSERT INTO t VALUES(${v}); INSERT INTO t VALUES(${v + 50});`),
      insertMany: (session, v) => session.insertMany("t", [{ v }]),
      transaction: (session, v) =>
        session.transaction(async (tx) => {
          await tx.query("SELECT count(*) FROM t");
          await add(tx, v);
        }),
      begin: async (session, v) => {
        const tx = await session.begin();
        await add(tx, v);
        await tx.commit();
      },
      "a batch that reads, too": (session, v) =>
        session.batch([["INSERT INTO t VALUES(?)", v], "SELECT 1"]),
    };
    const reads: ((session: Session) => Promise<unknown[]>)[] = [
      valuesIn,
      async (session) => [await session.value("SELECT max(v) FROM t WHERE v < 50")],
      async (session) => Object.values((await session.first("SELECT max(v) FROM t WHERE v < 50"))!),
      async (session) => (await session.batch(["SELECT v FROM t"]))[0]!.rows.map(({ v }) => v),
      async (session) => {
        const { rows } = (await session.batch(["SELECT v FROM t"], { atomic: false }))[0]!;
        return rows.map(({ v }) => v);
      },
      async (session) => (await session.execute("SELECT v FROM t")).rows.map(({ v }) => v),
      async (session) => {
        const found: unknown[] = [];
        for await (const { v } of session.iterate("SELECT v FROM t", [], { pageSize: 2 })) {
          found.push(v);
        }
        return found;
      },
      (session) => session.transaction(valuesIn, { readOnly: true }),
      (session) => session.transaction(valuesIn),
    ];
    let v = 1;
    for (const [name, write] of Object.entries(ways)) {
      const session = db.session();
      await write(session, ++v);
      for (const read of reads) {
        // The bookmark is that of the write alone.
        assert.ok((await read(db.session(session.bookmark))).includes(v), `${name}, ${read}`);
      }
    }
  });

  it("shows in a transaction that only reads what it has seen, and remembers that", async () => {
    const session = db.session();
    await add(leader, 2);
    await session.transaction(valuesIn, { level: "weak" });
    assert.deepEqual(await valuesIn(session), [1, 2]);
    await add(leader, 3);
    const tx = await session.begin();
    await add(tx, 4);
    assert.deepEqual(await valuesIn(tx), [1, 2, 3, 4]);
    await tx.rollback();
    assert.deepEqual(await valuesIn(session), [1, 2, 3]);
  });

  it("passes options on, and remembers what it has read at every level", async () => {
    let v = 1;
    for (const level of ["weak", "linearizable", "strong", "auto"] as const) {
      const session = db.session();
      await add(leader, ++v);
      assert.deepEqual(await levelsOf(() => session.query("SELECT * FROM t", [], { level })), [
        level,
      ]);
      assert.deepEqual(await levelsOf(() => session.query("SELECT * FROM t")), ["none", "weak"]);
    }
    const rows = await db.session().query("SELECT v FROM t WHERE v = 1", [], {
      rows: "array",
      integers: "bigint",
    });
    assert.deepEqual(rows.rows, [[1n]]);
  });

  it("does not believe who takes itself for the leader", async () => {
    const session = db.session();
    await add(session, 2);
    cluster.believed = 2;
    assert.deepEqual(await levelsOf(() => valuesIn(session)), ["none", "weak", "linearizable"]);
    assert.deepEqual(await levelsOf(() => session.query("SELECT 1", [], { level: "weak" })), [
      "weak",
      "linearizable",
    ]);
    assert.deepEqual(await valuesIn(session), [1, 2]);
  });

  it("keeps what was read a second time as new as it has to be", async () => {
    await leader.execute("CREATE TABLE b(x)");
    await cluster.settle();
    const session = db.session();
    await session.execute("INSERT INTO b VALUES(x'ff00')");
    // The server sends these bytes as text, and is asked what they are.
    assert.deepEqual(await session.value("SELECT max(x) FROM b"), Uint8Array.of(0xff, 0));
  });

  describe("at once with others", () => {
    it("shares a request, in which each finds what is its own", async () => {
      const [fresh, wrote, other] = [db.session(), db.session(), db.session()];
      await add(wrote, 2);
      await cluster.settle();
      await add(other, 3);
      const read = () => Promise.all([fresh, wrote, other].map(valuesIn));
      let values: unknown;
      const asked = await levelsOf(async () => values = await read());
      assert.deepEqual(values, [[1, 2], [1, 2], [1, 2, 3]]);
      assert.deepEqual(asked, ["none", "weak"]);
      // Each has seen what it was shown, and nothing of the others.
      assert.equal(fresh.bookmark, wrote.bookmark);
      assert.notEqual(fresh.bookmark, other.bookmark);
    });

    it("is not disturbed by one that somebody made up", async () => {
      const wrote = db.session();
      await add(wrote, 2);
      const forged = ["z".repeat(48), "z".repeat(400)].flatMap((n) => [`${n}.1`, `-${n}.1-u`]);
      for (const bookmark of forged) {
        const sessions = [db.session(bookmark, { strict: false }), wrote];
        const [, values] = await Promise.all(sessions.map(valuesIn));
        assert.deepEqual(values, [1, 2], bookmark);
      }
    });

    it("goes by itself where a call wants that, and never beside calls without a session", async () => {
      const sessions = [db.session(), db.session()];
      const alone = () =>
        Promise.all(sessions.map((one) => one.query("SELECT 1", [], { coalesce: false })));
      assert.deepEqual(await levelsOf(alone), ["none", "none"]);
      const plain = () => db.query("SELECT 1", [], { level: "none" });
      assert.deepEqual(
        await levelsOf(() => Promise.all([plain(), sessions[0]!.query("SELECT 1")])),
        [
          "none",
          "none",
        ],
      );
    });
  });

  describe("after a write without a commit", () => {
    const ways: Record<string, (session: Session, v: number) => Promise<unknown>> = {
      exactlyOnce: (session, v) => add(session, v, { exactlyOnce: false }),
      "atomic: false": (session, v) =>
        session.batch([["INSERT INTO t VALUES(?)", v]], { atomic: false }),
      enqueue: (session, v) => session.enqueue(["INSERT INTO t VALUES(?)", v], { wait: true }),
    };
    for (const [name, write] of Object.entries(ways)) {
      it(`reads from the leader until a later commit tells which nodes have it: ${name}`, async () => {
        const session = db.session();
        await write(session, 2);
        const elsewhere = db.session(session.bookmark);
        const read = () => valuesIn(elsewhere);
        assert.deepEqual(await levelsOf(async () => assert.deepEqual(await read(), [1, 2])), [
          "linearizable",
        ]);
        assert.deepEqual(await levelsOf(read), ["linearizable"]);
        await add(leader, 3);
        assert.deepEqual(await levelsOf(read), ["linearizable"]);
        assert.deepEqual(await levelsOf(read), ["none", "weak"]);
        await cluster.settle();
        assert.deepEqual(await levelsOf(read), ["none"]);
      });
    }

    it("does so in a client without ids, too", async () => {
      const plain = open(1, { exactlyOnce: false });
      const session = plain.session();
      await add(session, 2);
      assert.deepEqual(await levelsOf(() => valuesIn(session)), ["linearizable"]);
      assert.deepEqual(await valuesIn(session), [1, 2]);
      await plain.close();
    });

    it("finds it by a commit of its own behind it", async () => {
      const session = db.session();
      await add(session, 2, { exactlyOnce: false });
      await add(session, 3);
      assert.deepEqual(await levelsOf(() => valuesIn(session)), ["none", "weak"]);
      await cluster.settle();
      assert.deepEqual(await levelsOf(() => valuesIn(session)), ["none"]);
    });

    it("takes a write of which nothing is known for one, and not one that was refused", async () => {
      const session = db.session();
      await assert.rejects(add(session, 1), IntegrityError);
      assert.equal(session.bookmark, "");
      const abort = new AbortController();
      cluster.before = ({ path }) => path === "/db/execute" && abort.abort(new Error("no more"));
      await assert.rejects(add(session, 2, { signal: abort.signal }), /no more/);
      cluster.before = () => {};
      assert.equal(session.bookmark, "--u");
    });
  });

  it("reads from the leader while nobody has committed", async () => {
    const empty = new LaggingCluster(2);
    await empty.foreign("CREATE TABLE t(v INTEGER PRIMARY KEY)", "INSERT INTO t VALUES(1)");
    const client = connect(empty.urls[1], { fetch: empty.fetch });
    const session = client.session();
    assert.deepEqual(await valuesIn(session), [1]);
    await empty.foreign("INSERT INTO t VALUES(2)");
    assert.deepEqual(await valuesIn(session), [1, 2]);
    await add(client, 3);
    assert.deepEqual(await valuesIn(session), [1, 2, 3]);
    assert.deepEqual(await valuesIn(session), [1, 2, 3], "the other node has nothing yet");
    await client.close();
    empty.close();
  });

  describe("with what it cannot go on from", () => {
    for (
      const bad of [
        "x",
        "a.b.c",
        "A.b",
        "a.b--x",
        "a.b-c.d-u-",
        " ",
        "é.1",
        "a.b\n",
        `${"z".repeat(49)}.1`,
      ]
    ) {
      it(`refuses ${JSON.stringify(bad)}, which is no bookmark`, async () => {
        assert.throws(() => db.session(bad), TypeError);
        const lenient = db.session(bad, { strict: false });
        assert.equal(lenient.bookmark, "");
        assert.deepEqual(await valuesIn(lenient), [1]);
      });
    }

    it("refuses other values by their type", () => {
      for (const bad of [1, null, {}]) {
        assert.throws(() => db.session(bad as unknown as string), TypeError);
      }
      assert.throws(() => db.session("", { strict: "no" } as never), /`strict`/);
    });

    it("finds out that a bookmark is of another database, before it writes", async () => {
      const engine = embedded();
      const other = connect(engine);
      await other.execute("CREATE TABLE t(v INTEGER PRIMARY KEY)");
      const session = other.session();
      await add(session, 1);
      await valuesIn(session);
      await engine.close();
      const [name] = session.bookmark.split(".");
      const forged = `${name}.1`;
      const far = "2gosa7pa2gv.1";
      for (
        const bookmark of [session.bookmark, forged, far, "zzzzzzzzzzzzzzzzz.1", "1.1", `-${far}`]
      ) {
        const calls: ((session: Session) => Promise<unknown>)[] = [
          valuesIn,
          (session) => add(session, 9),
          (session) => add(session, 9, { exactlyOnce: false }),
          (session) => session.batch([["INSERT INTO t VALUES(?)", 9]], { atomic: false }),
          (session) => session.transaction((tx) => add(tx, 9)),
        ];
        for (const call of calls) {
          await assert.rejects(
            call(db.session(bookmark)),
            (error) =>
              error instanceof StaleReadError && !error.retryable && /another/.test(error.message),
            `${bookmark}: ${call}`,
          );
        }
        const lenient = db.session(bookmark, { strict: false });
        assert.deepEqual(await valuesIn(lenient), [1]);
        assert.equal(lenient.bookmark, await newest());
      }
      assert.deepEqual(await valuesIn(leader), [1], "nothing was written");
    });

    const newest = async () => {
      const session = leader.session();
      await session.query("SELECT 1");
      return session.bookmark;
    };

    it("notices that another database was loaded, also behind a write of its own", async () => {
      const backup = await new Response(await leader.backup()).bytes();
      const [reads, writes, lenient] = [
        db.session(),
        db.session(),
        db.session("", { strict: false }),
      ];
      for (const [i, session] of [reads, writes, lenient].entries()) await add(session, 10 + i);
      await leader.load(backup);
      await assert.rejects(valuesIn(reads), StaleReadError);
      await add(writes, 2);
      await assert.rejects(valuesIn(writes), StaleReadError);
      assert.deepEqual(await valuesIn(lenient), [1, 2]);
      assert.deepEqual(await valuesIn(db.session(lenient.bookmark)), [1, 2]);
    });

    it("goes on with a database that it has loaded itself", async () => {
      const backup = await new Response(await leader.backup()).bytes();
      const session = db.session();
      await add(session, 2);
      await session.load(backup);
      assert.deepEqual(await valuesIn(session), [1]);
      assert.deepEqual(await valuesIn(session), [1], "the other nodes have the old one");
      await add(session, 3);
      assert.deepEqual(await valuesIn(session), [1, 3]);
      await cluster.settle();
      assert.deepEqual(await levelsOf(() => valuesIn(session)), ["none"]);
    });

    it("takes a commit for seen that is so old that its row is gone, where the first one is a floor", async () => {
      const session = db.session();
      await add(session, 2);
      await valuesIn(session);
      const seq = "(SELECT seq FROM sqlite_sequence WHERE name = '_rqlite_commit')";
      await cluster.foreign(
        `INSERT INTO _rqlite_commit(n, id, state) SELECT ${seq} + 1, (${seq} + 1) || '.floor', 0`,
        `DELETE FROM _rqlite_commit WHERE n < ${seq}`,
      );
      await cluster.settle();
      assert.deepEqual(await levelsOf(() => valuesIn(session)), ["none"]);
    });
  });

  describe("where the leader does not answer", () => {
    it("says so, and why, as the node is behind", async () => {
      const session = db.session();
      await add(session, 2);
      cluster.before = ({ level }) => {
        if (level !== "none") throw new TypeError("connection refused");
      };
      await assert.rejects(
        valuesIn(session),
        (error) =>
          error instanceof StaleReadError && error.retryable && /behind/.test(error.message) &&
          error.cause instanceof Error,
      );
      cluster.before = () => {};
      assert.deepEqual(await valuesIn(session), [1, 2], "the session goes on");
    });

    it("ends by the deadline and by the signal of the call", async () => {
      const session = db.session();
      await add(session, 2);
      cluster.before = ({ level }) => level === "none" ? undefined : new Promise(() => {});
      await assert.rejects(session.query("SELECT 1", [], { timeout: 30 }), TimeoutError);
      const abort = new AbortController();
      const read = session.query("SELECT 1", [], { signal: abort.signal });
      setTimeout(() => abort.abort("enough"), 10);
      await assert.rejects(read, (reason) => reason === "enough");
    });
  });

  it("goes through the interceptors of its client", async () => {
    const calls: string[] = [];
    const watched = open(1, {
      interceptors: [(next: (call: Call) => unknown) => (call: Call) => {
        calls.push(call.operation);
        return next(call);
      }],
    });
    const session = watched.session();
    await add(session, 2);
    await session.value("SELECT 1");
    await session.transaction((tx) => add(tx, 3));
    assert.deepEqual(await valuesIn(session), [1, 2, 3]);
    assert.deepEqual(calls.slice(0, 2), ["execute", "value"]);
    assert.equal(calls.at(-1), "query");

    const abort = new AbortController();
    cluster.before = ({ path }) => path === "/db/execute" && abort.abort("enough");
    const write = add(session, 4, { signal: abort.signal, exactlyOnce: false });
    const bookmark = await write.then(() => "written", () => session.bookmark);
    assert.match(bookmark, /-u$/, "nobody knows whether it was applied");
    await watched.close();
  });

  it("goes into Kysely and Drizzle, whose reads show what was written there", async () => {
    const session = db.session();
    const kysely = new Kysely<{ t: { v: number } }>({
      dialect: new RqliteDialect({ client: session }),
    });
    const orm = drizzle(session);
    const read = async () => {
      const streamed: number[] = [];
      const all = kysely.selectFrom("t").select("v").orderBy("v");
      for await (const { v } of kysely.selectFrom("t").selectAll().stream(1)) streamed.push(v);
      const values = (await orm.values<[number]>("SELECT v FROM t ORDER BY v")).flat();
      assert.deepEqual(streamed, values);
      assert.deepEqual((await all.execute()).map(({ v }) => v), values);
      return values;
    };
    const writes = [
      () => kysely.insertInto("t").values({ v: 2 }).execute(),
      () => kysely.transaction().execute((tx) => tx.insertInto("t").values({ v: 3 }).execute()),
      () => orm.run("INSERT INTO t VALUES(4)"),
      () => orm.transaction((tx) => tx.run("INSERT INTO t VALUES(5)")),
    ];
    for (const [i, write] of writes.entries()) {
      await write();
      assert.deepEqual(await read(), [1, 2, 3, 4, 5].slice(0, i + 2), "the node has the first");
    }
    assert.deepEqual(await valuesIn(db.session()), [1], "the node lags");
    await cluster.settle();
    assert.deepEqual([...new Set(await levelsOf(read))], ["none"]);
  });

  it("shares the client, and ends with it", async () => {
    const session = db.session();
    await session.close();
    assert.deepEqual(await valuesIn(session), [1]);
    assert.equal(session.session().bookmark, "");
    await db.close();
    assert.equal(session.closed, true);
    await assert.rejects(valuesIn(session), /closed/);
  });
});

describe("a history of reads and writes over lagging nodes", () => {
  for (const seed of [1, 2]) {
    it(`has no gap and no step back in sessions, and many without them (seed ${seed})`, async () => {
      assert.deepEqual(await playHistory(seed, true), []);
      const found = await playHistory(seed, false);
      assert.ok(found.some((text) => text.startsWith("does not read its write")), "unread writes");
      assert.ok(found.some((text) => text.startsWith("steps back")), "steps back");
    });
  }
});
