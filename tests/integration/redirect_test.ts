// How a client that knows some nodes finds the one that can do it.
import assert from "node:assert/strict";
import { after, afterEach, before, beforeEach, describe, it } from "node:test";
import {
  connect,
  ConnectionError,
  type ConnectOptions,
  OperationalError,
  OutcomeUnknownError,
  type RequestEvent,
} from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { until } from "../support/http.ts";
import { type Fault, type Proxy, startProxy } from "../support/proxy.ts";
import { equalReplicas } from "../support/replicas.ts";
import { type Rqlited, skipWithoutRqlited } from "../support/rqlited.ts";
import { scriptedFetch } from "../support/scripted_fetch.ts";
import { cell, closing, failureOf, type Recorder, recorder, table } from "./helpers.ts";

const USER = { username: "app", password: "sésame:1" };
const PERMS = ["query", "execute", "status"];
const INSERT = "INSERT INTO t VALUES(1)";

function redirectTo(location: string): Fault {
  const head = `HTTP/1.1 301 Moved Permanently\r\nlocation: ${location}\r\n`;
  return { answer: `${head}content-length: 0\r\n\r\n` };
}

describe("a cluster with authentication", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let leader: Rqlited;
  let followers: Rqlited[];
  let wire: Recorder;

  before(async () => {
    cluster = await startCluster(3, { auth: [{ ...USER, perms: PERMS }] });
  });

  // Here, since the next test drops the table.
  afterEach(() => equalReplicas(cluster));

  after(async () => await cluster.stop());

  beforeEach(async () => {
    leader = await cluster.settled();
    followers = await cluster.followers();
    await leader.sql("DROP TABLE IF EXISTS t", "CREATE TABLE t(n)");
    wire = recorder();
  });

  const options = (more: ConnectOptions = {}): ConnectOptions => ({
    ...USER,
    fetch: wire.fetch,
    ...more,
  });
  const origins = () => wire.sent.map(({ url }) => url.origin);
  const count = () => cell(leader, "SELECT count(*) FROM t");

  it("a follower's redirect is followed to the leader, with the credentials", async () => {
    const [follower] = followers;
    await closing(connect(follower!.url, options()), async (db) => {
      await db.execute("DELETE FROM t", [], { exactlyOnce: false });
      assert.deepEqual(origins(), [follower!.url, leader.url]);
      assert.deepEqual(wire.sent.map(({ status }) => status), [301, 200]);
      await db.execute(INSERT);
      await db.execute(INSERT);
      await db.query("SELECT n FROM t", [], { level: "weak" });
    });
    const later = new Set(origins().slice(2));
    assert.deepEqual([...later], [leader.url], "the leader is remembered");
    const headers = wire.sent.map(({ headers }) => headers.get("authorization"));
    assert.equal(new Set(headers).size, 1);
    assert.match(String(headers[0]), /^Basic /);
    assert.ok(wire.sent.every(({ url }) => url.username === "" && url.password === ""));
    assert.equal(await count(), 2);
  });

  it("a read at level none stays on its node", async () => {
    const [follower] = followers;
    await closing(connect(follower!.url, options({ level: "none" })), async (db) => {
      await db.query("SELECT 1");
      await db.query("SELECT 1", [], { level: "auto" });
    });
    assert.deepEqual(origins(), [follower!.url, follower!.url]);
  });

  it("mapNode rewrites the leader's address", async () => {
    const [follower] = followers;
    const proxy = await startProxy(leader.url);
    try {
      const mapNode = (url: string) => url === leader.url ? `${proxy.url}/` : url;
      await closing(connect(follower!.url, options({ mapNode })), async (db) => {
        await db.execute(INSERT);
        await db.execute(INSERT);
      });
      assert.equal(proxy.forwarded.filter(({ body }) => body.includes(INSERT)).length, 2);
      const [first, ...later] = origins();
      assert.deepEqual([first, ...new Set(later)], [follower!.url, proxy.url]);
      assert.equal(await count(), 2);
    } finally {
      await proxy.close();
    }
  });

  it("mapNode leads from https to the leader that is advertised over http, once", async () => {
    const hosts = new Map(cluster.urls.map((url, i) => [url, `https://db${i}.example.com`]));
    const ports = new Map([...hosts].map(([url, host]) => [host, url]));
    const asked: string[] = [];
    // What stands in front of each node and speaks TLS.
    const forward = (input: string | URL | Request, init?: RequestInit) => {
      const { origin } = new URL(String(input));
      asked.push(origin);
      return wire.fetch(String(input).replace(origin, () => ports.get(origin)!), init);
    };
    const [follower] = followers;
    const mapNode = (url: string) => hosts.get(url);
    const [here, there] = [hosts.get(follower!.url)!, hosts.get(leader.url)!];
    await closing(connect(here, options({ mapNode, fetch: forward })), async (db) => {
      await db.execute("DELETE FROM t", [], { exactlyOnce: false });
      assert.deepEqual(asked, [here, there]);
      for (let i = 0; i < 3; i++) await db.execute(INSERT);
    });
    assert.deepEqual([...new Set(asked.slice(1))], [there], "the leader is asked directly");
    assert.ok(wire.sent.slice(1).every(({ status }) => status === 200));
    assert.equal(await count(), 3);
  });

  it("mapNode that returns undefined lets the node forward", async () => {
    const [follower] = followers;
    const seen: string[] = [];
    const mapNode = (url: string) => void seen.push(url);
    await closing(connect(follower!.url, options({ mapNode })), async (db) => {
      assert.equal((await db.execute(INSERT)).rowsAffected, 1);
      assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 1 }]);
    });
    assert.ok(seen.every((url) => url === leader.url));
    assert.ok(origins().every((origin) => origin === follower!.url));
    assert.equal(await count(), 1);
  });

  it("discover learns the other nodes and survives the only one that was named", async () => {
    for (const role of ["follower", "leader"]) {
      leader = await cluster.settled();
      const named = role === "leader" ? leader : (await cluster.followers())[0]!;
      const events: RequestEvent[] = [];
      const onRequest = (event: RequestEvent) => void events.push(event);
      const db = connect(named.url, options({ discover: true, onRequest }));
      try {
        await db.execute(INSERT);
        assert.notEqual(events[0]!.endpoint, "/nodes");
        await until("members", () => {
          const { status } = events.find(({ endpoint }) => endpoint === "/nodes") ?? {};
          return Promise.resolve(status);
        });
        await named.kill();
        assert.ok((await db.query("SELECT n FROM t")).rows.length > 0);
        // The connection that died may have carried a copy of the write away with it.
        const before = Number(await cell(await cluster.leader(), "SELECT count(*) FROM t"));
        await db.execute(INSERT);
        assert.equal(await cell(await cluster.leader(), "SELECT count(*) FROM t"), before + 1);
        const none = await db.query("SELECT count(*) AS n FROM t", [], { level: "none" });
        assert.equal(none.rows.length, 1);
      } finally {
        await db.close();
        await named.restart();
      }
    }
  });

  it("without discover the only node's death is a ConnectionError, and nothing is applied", async () => {
    const [follower] = followers;
    const db = connect(follower!.url, options({ retries: 1 }));
    try {
      await db.query("SELECT 1", [], { level: "none" });
      await follower!.kill();
      await assert.rejects(db.query("SELECT 1", [], { level: "none" }), ConnectionError);
      const error = await failureOf(db.execute("INSERT INTO t VALUES(2)"));
      const certain = error instanceof ConnectionError;
      assert.ok(certain || error instanceof OutcomeUnknownError, String(error));
      assert.deepEqual(await table(leader, "SELECT n FROM t"), []);
    } finally {
      await db.close();
      await follower!.restart();
    }
  });
});

describe("redirects that are no leader's", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let proxies: Proxy[];

  before(async () => {
    cluster = await startCluster(1);
    await cluster.nodes[0]!.sql("CREATE TABLE t(n)");
    proxies = [await startProxy(cluster.urls[0]!), await startProxy(cluster.urls[0]!)];
  });

  after(async () => {
    await Promise.all((proxies ?? []).map((proxy) => proxy.close()));
    await cluster?.stop();
  });

  beforeEach(async () => {
    await cluster.nodes[0]!.sql("DELETE FROM t");
    for (const proxy of proxies) proxy.script();
  });

  const count = () => cell(cluster.nodes[0]!, "SELECT count(*) FROM t");

  it("a loop ends, and a write in it was not applied", async () => {
    const [a, b] = proxies;
    a!.plan = ({ path }) => redirectTo(b!.url + path);
    b!.plan = ({ path }) => redirectTo(a!.url + path);
    await closing(connect(a!.url, { retries: 1 }), async (db) => {
      const error = await failureOf(db.execute(INSERT));
      assert.ok(error instanceof OperationalError, String(error));
      assert.ok(!(error instanceof OutcomeUnknownError));
      await assert.rejects(db.query("SELECT 1"), OperationalError);
    });
    assert.ok(a!.requests.length + b!.requests.length <= 20);
    assert.equal(await count(), 0);
  });

  it("a node that asks for a pause is left alone while another serves", async () => {
    const [a, b] = proxies;
    const answer = "HTTP/1.1 503 X\r\nretry-after: 3600\r\ncontent-length: 0\r\n\r\n";
    a!.plan = () => ({ answer });
    await closing(connect([a!.url, b!.url]), async (db) => {
      for (let i = 0; i < 3; i++) await db.query("SELECT 1", [], { level: "none" });
      assert.equal((await db.execute(INSERT)).rowsAffected, 1);
    });
    assert.equal(a!.requests.length, 1);
    assert.equal(await count(), 1);
  });

  it("a chain to the leader is followed", async () => {
    const [a, b] = proxies;
    a!.plan = ({ path }) => redirectTo(b!.url + path);
    b!.plan = ({ path }) => redirectTo(cluster.urls[0]! + path);
    await closing(connect(a!.url), async (db) => {
      assert.equal((await db.execute(INSERT)).rowsAffected, 1);
    });
    assert.deepEqual([a!.requests.length, b!.requests.length], [1, 1]);
    assert.equal(await count(), 1);
  });

  it("a redirect to another path is not followed: the node forwards instead", async () => {
    const [a, b] = proxies;
    for (const path of ["/login", "/db/query", "/", "/db/execute/login"]) {
      for (const proxy of proxies) proxy.reset();
      const first = redirectTo(b!.url + path);
      const asks = /^\/db\/execute\?(.*&)?redirect\b/;
      a!.plan = (request) => asks.test(request.path) ? first : "pass";
      await closing(connect(a!.url), async (db) => {
        assert.equal((await db.execute(INSERT)).rowsAffected, 1);
        assert.equal(b!.requests.length, 0, path);
        for (const proxy of proxies) proxy.reset();
      });
      await closing(connect(a!.url, { exactlyOnce: false }), async (db) => {
        await db.execute("UPDATE t SET n = n");
      });
      assert.deepEqual([a!.requests.length, b!.requests.length], [2, 0], path);
    }
    assert.equal(await count(), 4);
  });

  it("a proxy that redirects everything to its login page is an OperationalError", async () => {
    const [a, b] = proxies;
    a!.plan = () => redirectTo(`${b!.url}/login?next=/`);
    await closing(connect(a!.url, { retries: 0 }), async (db) => {
      await assert.rejects(db.query("SELECT 1"), OperationalError);
      const error = await failureOf(db.execute(INSERT));
      assert.ok(error instanceof OperationalError && !(error instanceof OutcomeUnknownError));
    });
    assert.equal(b!.requests.length, 0);
    assert.equal(await count(), 0);
  });

  it("a step down from https to http is not followed, and shows no credentials", async () => {
    const fetch = scriptedFetch(({ url }) =>
      url.startsWith("https:") && /[?&]redirect\b/.test(url)
        ? { status: 301, headers: { location: url.replace("https:", "http:") } }
        : { body: { results: [{ rows_affected: 1 }] } }
    );
    const options = { ...USER, fetch: fetch as typeof globalThis.fetch, exactlyOnce: false };
    await closing(connect("https://node.test:4001", options), (db) => db.execute("DELETE FROM t"));
    assert.equal(fetch.calls.length, 2);
    assert.ok(fetch.calls.every(({ url }) => url.startsWith("https:")));
  });

  it("a base path is kept, and a leader's redirect within it is followed", async () => {
    const fetch = scriptedFetch(({ url }) =>
      new URL(url).host === "a.test"
        ? { status: 301, headers: { location: url.replace("a.test", "b.test") } }
        : { body: { results: [{ rows_affected: 1 }] } }
    );
    const options = { fetch: fetch as typeof globalThis.fetch, exactlyOnce: false };
    await closing(connect("http://a.test/rqlite/", options), (db) => db.execute("DELETE FROM t"));
    const paths = fetch.calls.map(({ url }) => new URL(url)).map((url) => url.host + url.pathname);
    assert.deepEqual(paths, ["a.test/rqlite/db/execute", "b.test/rqlite/db/execute"]);
  });
});
