// Facts 20, 23 to 26 and 30 of docs/internals/server.md, on three nodes; see facts_batches_test.ts
// for the others.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  type Client,
  connect,
  IntegrityError,
  NotSupportedError,
  OutcomeUnknownError,
  type RequestEvent,
  RqliteError,
  TimeoutError,
} from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { sleep, until } from "../support/http.ts";
import { equalReplicas } from "../support/replicas.ts";
import { type Rqlited, skipWithoutRqlited } from "../support/rqlited.ts";
import { asked, cell, closing, failureOf, recorder, SLOW_WRITE } from "./helpers.ts";
import { Ledger } from "./ledger.ts";

/** Writes in which each node would compute values of its own. */
const VOLATILE = [
  "INSERT INTO t(v) VALUES((SELECT random()))",
  "WITH c AS (SELECT random() AS r) INSERT INTO t(v) SELECT r FROM c",
  "INSERT INTO t(v) VALUES((SELECT datetime('now')))",
  "WITH c(d) AS (SELECT strftime('%f', 'now')) INSERT INTO t(v) SELECT d FROM c",
  "INSERT INTO t(v) SELECT hex(randomblob(16))",
  "INSERT INTO t(v) VALUES(julianday()), (unixepoch('subsec')), (strftime('%J'))",
  "INSERT INTO t(v) VALUES(CURRENT_TIMESTAMP), (CURRENT_TIME)",
  "INSERT INTO t(v) SELECT random() UNION ALL SELECT random()",
  "INSERT INTO t(id, v) VALUES(1, 0) ON CONFLICT(id) DO UPDATE SET v = (SELECT random())",
  "UPDATE t SET v = v || (SELECT abs(random())) WHERE id = 2",
  "INSERT INTO t(v) VALUES(random()) RETURNING id, random()",
];

describe("three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let leader: Rqlited;
  let follower: Rqlited;

  before(async () => {
    cluster = await startCluster(3);
  });

  // Here, since the next test drops the tables.
  afterEach(() => equalReplicas(cluster));

  after(async () => await cluster.stop());

  beforeEach(async () => {
    leader = await cluster.settled();
    follower = (await cluster.followers())[0]!;
    const create = ["CREATE TABLE t(id INTEGER PRIMARY KEY, v)", "CREATE TABLE slow(n)"];
    await leader.sql(
      "DROP TABLE IF EXISTS t",
      "DROP TABLE IF EXISTS slow",
      "DROP TABLE IF EXISTS ledger",
      ...create,
      "CREATE TABLE ledger(id TEXT)",
    );
  });

  it("fact 20: the nodes stay equal whatever a write computes", async () => {
    await closing(connect(cluster.urls, { integers: "auto" }), async (db) => {
      for (const sql of VOLATILE) await db.execute(sql);
      await db.execute("INSERT INTO t(v) VALUES(datetime(?)), (date(?))", ["now", "now"]);
      // What cannot be one value for all is refused.
      for (
        const many of [
          "INSERT INTO t(v) SELECT v FROM t ORDER BY random() LIMIT 2",
          "INSERT INTO t(v) SELECT random() FROM t LIMIT 3",
          "UPDATE t SET v = random()",
        ]
      ) await assert.rejects(db.execute(many), NotSupportedError, many);
      await db.batch(["INSERT INTO t(v) VALUES((SELECT random()))", "SELECT count(*) FROM t"]);
      const { rows: [last] } = await db.execute("INSERT INTO t(v) VALUES('end') RETURNING id");
      const contents = await Promise.all(
        cluster.urls.map((url) =>
          closing(
            connect(url, { level: "none", integers: "auto", rows: "array" }),
            (node) =>
              until("the last row on each node", async () => {
                const { rows } = await node.query("SELECT id, v, typeof(v) FROM t ORDER BY id");
                const [id] = (rows as unknown as unknown[][]).at(-1) ?? [];
                return id === last!["id"] ? rows : undefined;
              }),
          )
        ),
      );
      assert.ok(contents[0]!.length > VOLATILE.length);
      assert.deepEqual(contents[1], contents[0]);
      assert.deepEqual(contents[2], contents[0]);
    });
  });

  it("fact 23: a write through a follower whose leader is slow is applied once", async () => {
    const events: RequestEvent[] = [];
    const onRequest = (event: RequestEvent) => void events.push(event);
    await closing(connect(follower.url, { onRequest, exactlyOnce: false }), async (db) => {
      await db.execute("INSERT INTO t(v) VALUES('first')");
      const slow = leader.sql(SLOW_WRITE);
      await sleep(20);
      const patient = db.execute("INSERT INTO t(v) VALUES('patient')");
      const hasty = failureOf(db.execute("INSERT INTO t(v) VALUES('hasty')", [], { timeout: 50 }));
      assert.equal((await patient).rowsAffected, 1);
      await hasty.then(
        (error) =>
          assert.ok(
            error instanceof OutcomeUnknownError || error instanceof TimeoutError,
            `${error}`,
          ),
        () => {}, // the leader was not so slow after all
      );
      await slow;
      assert.equal(await cell(leader, "SELECT count(*) FROM t WHERE v = 'first'"), 1);
      assert.equal(await cell(leader, "SELECT count(*) FROM t WHERE v = 'patient'"), 1);
      assert.ok(Number(await cell(leader, "SELECT count(*) FROM t WHERE v = 'hasty'")) <= 1);
    });
    const nodes = asked(events, "/db/execute");
    // One that had no time left to be sent has none.
    assert.ok(nodes.length <= 3, "one request per plain write");
    assert.deepEqual(new Set(nodes), new Set([leader.url]));
  });

  it("fact 23: a write by default that is hasty is applied as it was told", async () => {
    await closing(connect(follower.url), async (db) => {
      await db.execute("INSERT INTO t(v) VALUES('first')");
      const slow = leader.sql(SLOW_WRITE);
      await sleep(20);
      const patient = db.execute("INSERT INTO t(v) VALUES('patient')");
      const hasty = db.execute("INSERT INTO t(v) VALUES('hasty')", [], { timeout: 100 })
        .then(() => undefined, (error: unknown) => error);
      assert.equal((await patient).rowsAffected, 1);
      const error = await hasty;
      await slow;
      // Behind whatever copies of it are under way.
      await db.execute("INSERT INTO t(v) VALUES('last')");
      const applied = Number(await cell(leader, "SELECT count(*) FROM t WHERE v = 'hasty'"));
      if (error === undefined) assert.equal(applied, 1);
      else if (error instanceof OutcomeUnknownError) {
        const told = await db.outcome(error.id!);
        const after = await cell(leader, "SELECT count(*) FROM t WHERE v = 'hasty'");
        assert.equal(told, after === 1 ? "committed" : "not committed");
      } else {
        assert.ok(error instanceof RqliteError, String(error));
        assert.equal(applied, 0);
      }
      assert.equal(await cell(leader, "SELECT count(*) FROM t WHERE v = 'patient'"), 1);
    });
  });

  it("fact 24: a guarded batch through a follower has the answer of its only copy", async () => {
    await leader.sql("CREATE UNIQUE INDEX IF NOT EXISTS t_v ON t(v)");
    await closing(connect(follower.url), async (db) => {
      const slow = leader.sql(SLOW_WRITE);
      await sleep(20);
      const guarded = [
        "INSERT INTO t(v) VALUES('id-1')",
        "UPDATE t SET v = 'id-2' WHERE v = 'id-1'",
      ];
      await db.batch(guarded.slice(0, 1).concat("INSERT INTO t(v) VALUES('x')"));
      await slow;
      const error = await failureOf(db.batch(["INSERT INTO t(v) VALUES('y')", guarded[0]!]));
      assert.ok(error instanceof IntegrityError, String(error));
      await db.batch([guarded[1]!, "INSERT INTO t(v) VALUES('z')"]);
      const rows = await leader.sql("SELECT group_concat(v) FROM (SELECT v FROM t ORDER BY id)");
      assert.match(JSON.stringify(rows), /"id-2,x,z"/);
    });
  });

  it("fact 25: a linearizable read is never served by a leader without its followers", async () => {
    const wire = recorder();
    await closing(connect(leader.url, { fetch: wire.fetch, retries: 0 }), async (db) => {
      assert.deepEqual((await db.query("SELECT 1 AS n")).rows, [{ n: 1 }]);
      const followers = await cluster.followers();
      try {
        await Promise.all(followers.map((node) => node.pause()));
        const read = (client: Client) => client.query("SELECT 1", [], { timeout: 2000 });
        const first = closing(connect(leader.url, { fetch: wire.fetch, retries: 0 }), read);
        for (const failure of await Promise.all([failureOf(first), failureOf(read(db))])) {
          assert.ok(failure instanceof RqliteError, String(failure));
        }
      } finally {
        for (const node of followers) node.resume();
      }
    });
    const levels = new Set(wire.sent.map(({ url }) => url.searchParams.get("level")));
    assert.ok(!levels.has("weak") && !levels.has("none"));
  });

  it("fact 26: a linearizable read answers after a change of the membership", async () => {
    await closing(connect(cluster.urls), async (db) => {
      await db.execute("INSERT INTO t(v) VALUES(1)");
      await db.query("SELECT 1");
      const init = { method: "DELETE", body: JSON.stringify({ id: "nobody" }) };
      assert.equal((await leader.ask("/remove", init)).status, 200);
      for (let i = 0; i < 2; i++) {
        assert.deepEqual((await db.query("SELECT count(*) AS n FROM t")).rows, [{ n: 1 }]);
      }
    });
    await closing(connect(follower.url), async (db) => {
      assert.equal((await db.query("SELECT v FROM t")).rows.length, 1);
    });
  });

  it("fact 30: reads and writes go on after the leader was killed, and no write is doubled", async () => {
    const ledger = new Ledger();
    const db = connect(cluster.urls);
    try {
      ledger.start(db, "w", 3);
      await ledger.progress(10);
      await leader.kill();
      const read = db.query("SELECT count(*) AS n FROM ledger");
      assert.ok(Number((await read).rows[0]!["n"]) >= 10);
      await ledger.progress(10);
      await ledger.stop();
      await ledger.check(await cluster.leader());
    } finally {
      await ledger.stop();
      await db.close();
      await leader.restart();
    }
  });
});
