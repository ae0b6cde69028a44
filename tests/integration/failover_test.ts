// What a client is told while nodes die, hang and come back, against what is there afterwards.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import { type Client, connect, type ConnectOptions, type RequestEvent } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { sleep } from "../support/http.ts";
import { type Fault, type Proxy, startProxy } from "../support/proxy.ts";
import { equalReplicas } from "../support/replicas.ts";
import { type Rqlited, skipWithoutRqlited } from "../support/rqlited.ts";
import { table } from "./helpers.ts";
import { Ledger } from "./ledger.ts";

const skip = skipWithoutRqlited();

/** Short enough that one hanging write does not hold its task for the rest of the test. */
const TIMEOUT = 2500;

describe("inserts of several tasks", { skip }, () => {
  let cluster: Cluster;
  let leader: Rqlited;
  let db: Client;
  let ledger: Ledger;

  before(async () => {
    cluster = await startCluster(3);
  });

  // Here, since the next test drops the table.
  afterEach(() => equalReplicas(cluster));

  after(async () => await cluster.stop());

  beforeEach(async () => {
    leader = await cluster.settled();
    await leader.sql("DROP TABLE IF EXISTS ledger", "CREATE TABLE ledger(id TEXT)");
    ledger = new Ledger();
  });

  /** Breaks the cluster in the middle of a stream of inserts, and checks the books. */
  async function during(fault: () => Promise<void>, repair: () => Promise<void>): Promise<void> {
    db = connect(cluster.urls, { timeout: TIMEOUT });
    try {
      ledger.start(db, "a");
      await ledger.progress(30);
      await fault();
      await ledger.progress(30);
      await repair();
      await ledger.progress(30);
    } finally {
      await ledger.stop();
      await db.close();
    }
    await ledger.check(await cluster.settled());
  }

  it("F2, F4, F8: kill -9 of the leader, which then comes back", async () => {
    await during(() => leader.kill(), () => leader.restart());
  });

  it("F4: SIGTERM of the leader, which hands over and then comes back", async () => {
    await during(() => leader.shutdown(), () => leader.restart());
  });

  it("F3: SIGSTOP of the leader, and SIGCONT", async () => {
    await during(() => leader.pause(), () => Promise.resolve(leader.resume()));
  });

  it("F4: a node that restarts under its clients' eyes", async () => {
    const follower = (await cluster.followers())[0]!;
    const only = connect(follower.url, { timeout: TIMEOUT });
    try {
      ledger.start(only, "only", 2);
      await ledger.progress(5);
      await during(() => follower.restart(), () => follower.restart());
    } finally {
      await only.close();
    }
  });

  it("F3: a write to a silent leader is applied at most once, also when it wakes up", async () => {
    db = connect(leader.url, { timeout: 1000 });
    try {
      // Now the client knows what it asks before a write.
      await db.execute("DELETE FROM ledger");
      await leader.pause();
      ledger.start(db, "silent", 4);
      await sleep(300);
    } finally {
      await ledger.stop();
      leader.resume();
      await db.close();
    }
    assert.equal(ledger.refused.length + ledger.applied.length, 0);
    assert.ok(ledger.unknown.length >= 4);
    await ledger.check(await cluster.settled());
  });
});

describe("a read while the leader is silent", { skip }, () => {
  // A cluster of its own for each: one that was stopped before may be slow to agree on the next leader.
  for (const all of [true, false]) {
    it(`F3: does not wait for it until time is up, from ${all ? "all nodes" : "one node"}`, async () => {
      const cluster = await startCluster(3);
      const leader = await cluster.settled();
      const [follower, other] = await cluster.followers();
      const urls = all ? [leader.url, follower!.url, other!.url] : [follower!.url];
      const events: RequestEvent[] = [];
      const onRequest = (event: RequestEvent) => void events.push(event);
      const db = connect(urls, { timeout: 10_000, retries: 10, onRequest });
      try {
        await db.query("SELECT 1");
        await leader.pause();
        const { rows } = await db.query("SELECT 7 AS n");
        assert.deepEqual(rows, [{ n: 7 }]);
        assert.ok(events.length > 2, "it was asked again");
      } finally {
        leader.resume();
        await db.close();
        await cluster.stop();
      }
    });
  }
});

describe("an election at the server's own pace", { skip }, () => {
  /** Of each kind by each client: more than a client may repeat at once. */
  const CALLERS = 150;
  let cluster: Cluster;

  before(async () => {
    cluster = await startCluster(3, { raftTimeout: 1000 });
    await (await cluster.leader()).sql("CREATE TABLE t(n)");
  });

  after(async () => await cluster?.stop());

  it("F8: the default options of many callers outlast it, from whatever node a client starts", async () => {
    const dead = await cluster.leader();
    const [follower] = await cluster.followers();
    await dead.kill();
    const clients = [[dead.url, ...cluster.urls], [follower!.url]].map((urls) => connect(urls));
    try {
      const calls = clients.flatMap((client) =>
        Array.from({ length: CALLERS }, () => [
          client.execute("INSERT INTO t VALUES(1)"),
          client.query("SELECT count(*) FROM t"),
        ])
      );
      await Promise.all(calls.flat());
    } finally {
      for (const client of clients) await client.close();
    }
    const leader = await cluster.leader();
    const count = clients.length * CALLERS;
    assert.deepEqual(await table(leader, "SELECT count(*) FROM t"), [[count]]);
    await equalReplicas(cluster);
  });
});

describe("inserts through proxies that break", { skip }, () => {
  const proxies: Proxy[] = [];
  let cluster: Cluster;

  before(async () => {
    for (let i = 0; i < 3; i++) proxies.push(await startProxy("http://127.0.0.1:9"));
    cluster = await startCluster(3, { advertise: (i) => new URL(proxies[i]!.url).host });
    for (const [i, node] of cluster.nodes.entries()) proxies[i]!.target = node.url;
  });

  after(async () => {
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await cluster?.stop();
  });

  afterEach(() => equalReplicas(cluster));

  beforeEach(async () => {
    const leader = await cluster.settled();
    await leader.sql("DROP TABLE IF EXISTS ledger", "CREATE TABLE ledger(id TEXT)");
    for (const proxy of proxies) proxy.script();
  });

  /** Every `every`th request meets the next of the faults. */
  function breakEvery(every: number, faults: readonly Fault[]): void {
    let count = 0;
    for (const proxy of proxies) {
      proxy.plan = () => ++count % every === 0 ? faults[(count / every) % faults.length]! : "pass";
    }
  }

  async function stream(
    faults: readonly Fault[],
    disturb: () => Promise<void>,
    options: ConnectOptions = {},
  ): Promise<Ledger> {
    const ledger = new Ledger();
    const db = connect(proxies.map(({ url }) => url), { timeout: 2000, ...options });
    try {
      breakEvery(4, faults);
      ledger.start(db, "p");
      await ledger.progress(40);
      await disturb();
      await ledger.progress(40);
    } finally {
      for (const proxy of proxies) proxy.plan = () => "pass";
      await ledger.stop();
      await db.close();
    }
    await ledger.check(await cluster.settled());
    return ledger;
  }

  const LOST: readonly Fault[] = ["cut after request", "cut after headers", "cut in body"];

  it("F1: a reply that is lost is not a plain write that is repeated", async () => {
    const ledger = await stream(LOST, () => Promise.resolve(), { exactlyOnce: false });
    assert.ok(ledger.unknown.length > 0);
  });

  it("F1: a write whose reply is lost is repeated, applied once, and known to be", async () => {
    const ledger = await stream(LOST, () => Promise.resolve(), { retries: 10, timeout: 20_000 });
    assert.deepEqual(ledger.unknown, []);
  });

  it("F5: connections that are cut before, on or after opening", async () => {
    await stream(["cut before", "pass and close", "cut after request"], async () => {
      for (let i = 0; i < 5; i++) {
        for (const proxy of proxies) {
          proxy.refuse = 2;
          proxy.cutAll();
        }
        await sleep(50);
      }
      for (const proxy of proxies) proxy.refuse = 0;
    });
  });

  it("F5, F6: a proxy that is gone for a while, while the leader changes", async () => {
    await stream(["cut after request", "cut before"], async () => {
      const leader = await cluster.leader();
      const proxy = proxies[cluster.nodes.indexOf(leader)]!;
      await proxy.close();
      await leader.kill();
      await cluster.leader();
      await proxy.listen();
      await leader.restart();
    });
  });

  it("F6: reads succeed through all of it", async () => {
    const faults: Fault[] = ["cut after request", "cut after headers", "cut in body", "cut before"];
    const left = [...faults, ...faults, ...faults];
    for (const proxy of proxies) proxy.plan = () => left.shift() ?? "pass";
    // More attempts than faults: whatever read meets them, one of its attempts passes.
    const db = connect(proxies.map(({ url }) => url), { retries: left.length });
    try {
      const reads = Array.from({ length: 30 }, (_, i) => db.query("SELECT ? AS n", [i]));
      const results = await Promise.all(reads);
      assert.deepEqual(results.map(({ rows }) => rows[0]!["n"]), [...reads.keys()]);
    } finally {
      await db.close();
    }
  });
});
