// What is done to the nodes of a cluster, and whether all of them have what was loaded.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect, NotSupportedError, OperationalError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { databaseFile } from "../support/database_file.ts";
import { features } from "../support/features.ts";
import { until } from "../support/http.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { type Answer, scriptedFetch } from "../support/scripted_fetch.ts";

const scripted = (answer: Answer) => {
  const fetch = scriptedFetch(() => answer);
  return { fetch, db: connect("http://node:4001", { fetch, retries: 0 }) };
};

describe("the administration of an embedded engine", () => {
  const db = connect(embedded());
  before(() => db.execute("CREATE TABLE t(a INTEGER PRIMARY KEY, b TEXT UNIQUE)"));
  after(() => db.close());

  it("is that of one node", async () => {
    await db.snapshot();
    await db.removeNode("2");
    await assert.rejects(db.removeNode(""), TypeError);
    await assert.rejects(db.stepDown(), { name: "OperationalError", message: /cannot find peer/ });
    await assert.rejects(db.stepDown({ to: "2" }), /not found in cluster/);
    await db.stepDown({ wait: false });
  });

  it("enqueue() takes one statement or several, in every form", async () => {
    const one = await db.enqueue("INSERT INTO t VALUES(1, 'one')");
    const two = await db.enqueue(["INSERT INTO t VALUES(?, ?)", 2, "two"], { wait: true });
    await db.enqueue(["INSERT INTO t VALUES(3, 'three')", "INSERT INTO t VALUES(4, 'four')"]);
    await db.enqueue([["INSERT INTO t VALUES(?, ?)", 5, "five"]]);
    await db.enqueue({ sql: "INSERT INTO t VALUES(:a, 'six')", params: { a: 6 } });
    assert.equal(typeof one.sequence, "bigint");
    assert.ok(two.sequence > one.sequence && one.sequence > BigInt(Number.MAX_SAFE_INTEGER));
    assert.equal(await db.value("SELECT group_concat(a) FROM t"), "1,2,3,4,5,6");
    // Nobody hears of an error.
    await db.enqueue("INSERT INTO t VALUES(7, 'one')", { wait: true });
    assert.equal(await db.value("SELECT count(*) FROM t"), 6);
  });

  it("enqueue() sends nothing that would fail in the queue for ever, or cannot be written", async () => {
    const wrong: (string | string[])[] = [
      ...["PRAGMA journal_mode = DELETE", "VACUUM", "SELECT 1", "BEGIN", ""],
      ...["INSERT INTO _rqlite_commit VALUES(1)", "INSERT INTO t VALUES(?)"],
    ];
    const { fetch, db } = scripted({ body: { results: [] } });
    for (const sql of [...wrong, []]) await assert.rejects(db.enqueue(sql));
    await assert.rejects(db.enqueue(["INSERT INTO t VALUES(?)", Infinity]));
    assert.equal(fetch.calls.filter(({ url }) => url.includes("queue")).length, 0);
  });
});

describe("the administration on scripted answers", () => {
  it("says which version has what an old server lacks", async () => {
    const old = (version: string, answer: Answer) =>
      scripted({ ...answer, headers: { "x-rqlite-version": version } }).db;
    const missing = { status: 404, body: "" };
    await assert.rejects(
      old("v8.39.0", missing).stepDown(),
      (error) => error instanceof NotSupportedError && /8\.40\.0/.test(error.message),
    );
    await assert.rejects(
      old("v8.40.2", { body: "{}" }).stepDown({ to: "2" }),
      (error) => error instanceof NotSupportedError && /8\.41\.0/.test(error.message),
    );
  });

  it("tells what became of what is not repeated", async () => {
    const lost: Answer = { status: 502, body: "<html>" };
    await assert.rejects(scripted(lost).db.enqueue("DELETE FROM t"), {
      name: "OutcomeUnknownError",
    });
    await assert.rejects(
      scripted({ status: 408, body: "queue wait timeout" }).db.enqueue(
        "DELETE FROM t",
        { wait: true },
      ),
      { name: "OutcomeUnknownError" },
    );
    const refused = scripted({ status: 401, body: "" });
    for (
      const call of [
        refused.db.stepDown(),
        refused.db.removeNode("2"),
        refused.db.snapshot(),
        refused.db.backup(),
        refused.db.enqueue("DELETE FROM t"),
      ]
    ) await assert.rejects(call, { name: "AuthenticationError" });
  });
});

describe("the administration of three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let db: Client;
  before(async () => {
    cluster = await startCluster();
    db = connect(cluster.urls);
    await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)");
  });
  after(async () => {
    await db.close();
    await cluster.stop();
  });

  it("load() by a follower replaces the database of all, while others write", async () => {
    const filler = "x".repeat(200);
    await db.insertMany(
      "notes",
      Array.from({ length: 20_000 }, (_, id) => [id, `saved ${filler}`]),
    );
    const saved = await new Response(await db.backup({ compress: true })).bytes();
    const others = cluster.urls.map((url) => connect(url));
    const [follower] = await cluster.followers();
    const loader = connect(follower!.url);
    let loaded = false;
    const kept = await Promise.all([
      loader.load(new Blob([saved]).stream(), { timeout: 60_000 }).then(() => {
        loaded = true;
        return [];
      }),
      ...others.map(async (other, i) => {
        const after: string[] = [];
        for (let n = 0; after.length < 5; n++) {
          const body = `${i}.${n}`;
          // Each is right at every write, before, behind and across the load.
          await other.execute("INSERT INTO notes(body) VALUES(?)", [body]);
          if (loaded) after.push(body);
        }
        return after;
      }),
    ]);
    const [bodies] = await rowsOfEach(cluster, "SELECT body FROM notes");
    const there = new Set(bodies!.map(([body]) => body));
    // The first that was told behind it may have been applied just before it.
    for (const after of kept) assert.ok(after.slice(1).every((body) => there.has(body)));
    assert.equal(bodies!.filter(([body]) => String(body).startsWith("saved")).length, 20_000);
    await equalReplicas(cluster);
    await Promise.all([loader, ...others].map((client) => client.close()));
  });

  it("load() of another program's file leaves all nodes alike and every client right", async () => {
    const other = connect(cluster.urls);
    await other.execute("INSERT INTO notes(body) VALUES('gone')");
    await db.load(databaseFile("CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT)"));
    await other.execute("INSERT INTO notes(body) VALUES('here')");
    assert.deepEqual(await rowsOfEach(cluster, "SELECT body FROM notes"), [
      [["here"]],
      [["here"]],
      [["here"]],
    ]);
    await equalReplicas(cluster);
    await other.close();
  });

  it("boot() is not for several nodes", async () => {
    await assert.rejects(
      db.boot(databaseFile("CREATE TABLE other(a)")),
      (error) => error instanceof NotSupportedError && /load\(\)/.test(error.message),
    );
    assert.equal(await db.value("SELECT body FROM notes"), "here");
  });

  it("enqueue() and snapshot() do what they say", async () => {
    const { sequence } = await db.enqueue("INSERT INTO notes(body) VALUES('queued')", {
      wait: true,
    });
    assert.ok(sequence > 0n);
    await until(
      "queued row",
      async () => await db.value("SELECT 1 FROM notes WHERE body = 'queued'") === 1 || undefined,
    );
    const leader = connect((await cluster.leader()).url);
    const snapshotAt = async (): Promise<number> => {
      const { store } = await leader.status() as { store: { raft: Record<string, unknown> } };
      return Number(store.raft["last_snapshot_index"]);
    };
    const before = await snapshotAt();
    await db.snapshot();
    assert.ok(await snapshotAt() > before);
    await leader.close();
  });

  it("stepDown() hands over to the node that is named, and to any", async (t) => {
    const leader = await cluster.leader();
    if (!(await features(leader.url)).leader) {
      await assert.rejects(db.stepDown(), NotSupportedError);
      return t.skip("the server has no /leader");
    }
    const next = (await db.nodes()).find((node) => !node.leader)!;
    await db.stepDown({ to: next.id });
    assert.equal((await cluster.leader()).options.id, next.id);
    await assert.rejects(db.stepDown({ to: "nobody" }), OperationalError);
    await db.stepDown({ wait: false });
    await until(
      "another leader",
      async () => (await cluster.leader()).options.id !== next.id || undefined,
    );
    await db.execute("INSERT INTO notes(body) VALUES('behind it')");
  });

  it("removeNode() takes a node out, and nodes() no longer names it", async () => {
    const [victim] = await cluster.followers();
    await victim!.kill();
    await db.removeNode(victim!.options.id!);
    await db.removeNode(victim!.options.id!);
    await until("two members", async () => (await db.nodes()).length === 2 || undefined);
    assert.ok((await db.nodes()).every(({ reachable }) => reachable));
    await db.execute("INSERT INTO notes(body) VALUES('without it')");
  });
});
