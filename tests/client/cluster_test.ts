import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect, type ConnectOptions, type Node } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { readTranscript } from "../support/golden.ts";
import { freePort } from "../support/ports.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { type ScriptedFetch, scriptedFetch, type Step } from "../support/scripted_fetch.ts";

const READY = { body: "[+]node ok\n[+]leader ok\n[+]store ok\n[+]db ok" };
const NOT_READY = { status: 503, body: "[+]node ok\n[+]leader does not exist" };

function scripted(
  script: Parameters<typeof scriptedFetch>[0],
  options: ConnectOptions = {},
): { db: Client; fetch: ScriptedFetch } {
  const fetch = scriptedFetch(script);
  return { db: connect({ fetch: fetch as typeof globalThis.fetch, ...options }), fetch };
}

const hosts = (fetch: ScriptedFetch) => fetch.calls.map(({ url }) => new URL(url).hostname);

/** What node `index` of a server shows of itself, as far as it does not depend on the run. */
function steady(nodes: readonly Node[]): Partial<Node>[] {
  return nodes.map(({ version: _version, ...node }) => node);
}

describe("the cluster's calls on an embedded engine", () => {
  const db = connect(embedded());
  after(() => db.close());
  const node = {
    id: "1",
    apiUrl: "http://localhost:4001",
    raftAddress: "localhost:4002",
    voter: true,
    reachable: true,
    leader: true,
    version: "10",
  };

  it("nodes() and leader() give the only node", async () => {
    assert.deepEqual(await db.nodes(), [node]);
    assert.deepEqual(await db.nodes({ nonVoters: true }), [node]);
    assert.deepEqual(await db.leader(), node);
  });

  it("ready() is true", async () => {
    assert.equal(await db.ready(), true);
    assert.equal(await db.ready({ noLeader: true }), true);
    assert.equal(await db.ready({ sync: true }), true);
  });

  it("status() gives the document", async () => {
    const { store } = await db.status() as { store: { raft: unknown } };
    assert.deepEqual(store.raft, { state: "Leader", voter: true });
  });
});

for (const name of ["v10", "v8.26"] as const) {
  describe(`the cluster's calls on the answers of ${name}`, () => {
    const steps = readTranscript(name).scenarios.flatMap((scenario) => scenario.steps);
    const recorded = (path: string): Step => {
      const step = steps.find((one) => one.method === "GET" && one.path === path);
      assert.ok(step !== undefined, `${path} was not recorded`);
      return { status: step.response.status, body: step.response.body };
    };
    const expected = {
      id: "1",
      apiUrl: "http://127.0.0.1:4001",
      raftAddress: "127.0.0.1:4002",
      voter: true,
      reachable: true,
      leader: true,
      ...(name === "v10" && { version: "10" }),
    };

    it("nodes() reads both forms", async () => {
      for (const path of ["/nodes?ver=2", "/nodes"]) {
        assert.deepEqual(await scripted([recorded(path)]).db.nodes(), [expected]);
      }
    });

    it("ready() believes every form of yes", async () => {
      for (const path of ["/readyz", "/readyz?noleader", "/readyz?sync"]) {
        assert.equal(await scripted([recorded(path)]).db.ready(), true);
      }
    });
  });
}

describe("the cluster's calls on scripted answers", () => {
  it("nodes() asks for voters, and for all where it is told so", async () => {
    const { db, fetch } = scripted(() => ({ body: { nodes: [] } }), { timeout: 60_000 });
    await db.nodes();
    await db.nodes({ nonVoters: true });
    assert.deepEqual(fetch.calls.map(({ url }) => url.replace(/^.*\/nodes/, "")), [
      "?ver=2&timeout=2000ms",
      "?ver=2&nonvoters&timeout=2000ms",
    ]);
  });

  it("leader() gives undefined while there is none", async () => {
    const node = { id: "1", addr: "a:2", voter: true, reachable: true, leader: false };
    assert.equal(await scripted([{ body: { nodes: [node] } }]).db.leader(), undefined);
  });

  it("status() keeps integers beyond 2^53 exact", async () => {
    const text = '{"http":{"queue":{"_default":{"sequence_number":1795354305950081041}}}}';
    const status = await scripted([{ body: text }]).db.status();
    assert.deepEqual(status, {
      http: { queue: { _default: { sequence_number: 1795354305950081041n } } },
    });
  });

  it("nodes(), status() and ready() refuse the answer of another server", async () => {
    const { db } = scripted(() => ({ body: "<html>Hello</html>" }), { retries: 0 });
    for (const call of [db.nodes(), db.leader(), db.status(), db.ready()]) {
      await assert.rejects(call, { name: "InternalError" });
    }
  });

  it("nodes(), status() and ready() report refused credentials", async () => {
    const { db } = scripted(() => ({ status: 401, body: "Unauthorized" }));
    for (const call of [db.nodes(), db.leader(), db.status(), db.ready()]) {
      await assert.rejects(call, { name: "AuthenticationError" });
    }
  });

  it("ready() sends what it is asked for", async () => {
    const { db, fetch } = scripted(() => READY);
    await db.ready({ sync: true, timeout: 500 });
    await db.ready({ noLeader: true });
    const sent = fetch.calls.map(({ url }) => [...new URL(url).searchParams.keys()]);
    assert.deepEqual(sent, [["sync", "timeout"], ["noleader", "timeout"]]);
  });

  it("ready() is false at once where the only node is not ready", async () => {
    for (const answer of [NOT_READY, { status: 500, body: "leader address: x" }]) {
      const { db, fetch } = scripted([answer]);
      assert.equal(await db.ready(), false);
      assert.equal(fetch.calls.length, 1);
    }
  });

  it("ready() is true where another node is ready", async () => {
    const { db, fetch } = scripted([NOT_READY, READY], { url: ["http://a:1", "http://b:1"] });
    assert.equal(await db.ready(), true);
    assert.deepEqual(hosts(fetch), ["a", "b"]);
  });

  it("ready() is false where no node is ready", async () => {
    const url = ["http://a:1", "http://b:1"];
    assert.equal(await scripted([NOT_READY, NOT_READY], { url }).db.ready(), false);
    assert.equal(await scripted([NOT_READY], { url, retries: 0 }).db.ready(), false);
  });

  it("ready() tells in the events of `onRequest` why each node is not ready", async () => {
    const refused = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    const steps = [NOT_READY, { reject: new TypeError("fetch failed", { cause: refused }) }];
    const told: string[] = [];
    const { db } = scripted(steps, {
      url: ["http://a:1", "http://b:1"],
      retries: 1,
      onRequest: ({ error }) => void told.push(String(error)),
    });
    assert.equal(await db.ready(), false);
    assert.match(told[0]!, /^OperationalError: http:\/\/a:1 is not ready: ".*leader/);
    assert.equal(told[1], "ConnectionError: Cannot reach http://b:1: connect ECONNREFUSED");
    assert.equal(told.length, 2);
  });

  it("ready() is false where nobody answers in time", async () => {
    assert.equal(await scripted(() => ({ hang: true })).db.ready({ timeout: 30 }), false);
    const unreached = scripted(() => ({ reject: new TypeError("fetch failed") }), { retries: 1 });
    assert.equal(await unreached.db.ready(), false);
  });

  it("ready() ends with the caller's reason, and rejects on a closed client", async () => {
    const { db } = scripted(() => ({ hang: true }));
    const controller = new AbortController();
    const reason = new Error("enough");
    const asked = db.ready({ signal: controller.signal });
    controller.abort(reason);
    await assert.rejects(asked, (error) => error === reason);
    await db.close();
    for (const call of [db.ready(), db.nodes(), db.leader(), db.status()]) {
      await assert.rejects(call, { name: "InterfaceError" });
    }
  });

  it("ready() refuses a wrong timeout", async () => {
    await assert.rejects(scripted([]).db.ready({ timeout: -1 }), RangeError);
  });
});

describe("the cluster's calls on rqlited", { skip: skipWithoutRqlited() }, () => {
  let server: Rqlited;
  before(async () => {
    server = await startRqlited();
  });
  after(() => server.stop());

  it("nodes(), leader(), status() and ready() tell of a single node", async () => {
    const db = connect(server.url);
    const node = {
      id: "1",
      apiUrl: server.url,
      raftAddress: `127.0.0.1:${server.raftPort}`,
      voter: true,
      reachable: true,
      leader: true,
    };
    assert.deepEqual(steady(await db.nodes()), [node]);
    assert.deepEqual(steady([(await db.leader())!]), [node]);
    const { store } = await db.status() as { store: { raft: { state: string } } };
    assert.equal(store.raft.state, "Leader");
    assert.equal(await db.ready({ sync: true }), true);
    await db.close();
  });

  it("nodes() leaves read replicas out unless it is asked for them", async () => {
    const join = ["-join", `127.0.0.1:${server.raftPort}`, "-raft-non-voter=true"];
    const replica = await startRqlited({ id: "replica", args: join });
    const db = connect(server.url);
    try {
      const ids = (nodes: readonly Node[]) => nodes.map(({ id, voter }) => [id, voter]).sort();
      assert.deepEqual(ids(await db.nodes()), [["1", true]]);
      const all = await db.nodes({ nonVoters: true });
      assert.deepEqual(ids(all), [["1", true], ["replica", false]]);
      assert.equal((await db.leader())?.id, "1");
    } finally {
      await db.close();
      await replica.stop();
    }
  });

  it("ready() is false where nothing listens", async () => {
    const db = connect(`http://127.0.0.1:${await freePort()}`, { retries: 1 });
    assert.equal(await db.ready(), false);
    await assert.rejects(db.status(), { name: "ConnectionError" });
    await db.close();
  });
});

describe("the cluster's calls on three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await startCluster();
  });
  // Its replicas are not compared: nothing is written here, and the last test leaves one node.
  after(() => cluster.stop());

  it("nodes() and leader() tell the same on each of them", async () => {
    const leading = await cluster.leader();
    for (const url of cluster.urls) {
      const db = connect(url);
      const nodes = await db.nodes();
      assert.deepEqual(nodes.map(({ apiUrl }) => apiUrl).sort(), cluster.urls.toSorted());
      assert.ok(nodes.every(({ voter, reachable }) => voter && reachable));
      assert.equal((await db.leader())?.apiUrl, leading.url);
      assert.equal(await db.ready(), true);
      await db.close();
    }
  });

  it("ready() is false on a node that is alone, which still answers", async () => {
    const [follower, ...others] = await cluster.followers();
    await cluster.leader().then((leader) => leader.kill());
    await Promise.all(others.map((node) => node.kill()));
    const db = connect(follower!.url);
    const dead = (await db.nodes()).filter(({ reachable }) => !reachable);
    assert.equal(dead.length, 2);
    assert.ok(dead.every(({ error, apiUrl }) => error !== undefined && apiUrl === ""));
    assert.equal(await db.ready(), false);
    assert.equal(await db.ready({ noLeader: true }), true);
    await db.close();
  });
});
