// Reads that any node of a real cluster may answer: near and far nodes, one that hangs, one that is too stale.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { connect, type ConnectOptions, type RequestEvent } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { type Proxy, startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { closing } from "./helpers.ts";

describe("reads that any of three nodes may answer", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let proxies: Proxy[];
  let events: RequestEvent[];

  before(async () => {
    cluster = await startCluster(3);
    await (await cluster.leader()).sql("CREATE TABLE t(n)", "INSERT INTO t VALUES(7)");
    await equalReplicas(cluster);
    proxies = await Promise.all(cluster.urls.map(startProxy));
  });

  after(async () => {
    await Promise.all(proxies?.map((proxy) => proxy.close()) ?? []);
    await cluster?.stop();
  });

  /** Reads one after the other, and how often each node was asked. */
  async function reads(count: number, options: ConnectOptions, urls: readonly string[]) {
    events = [];
    const settings = { ...options, onRequest: (event: RequestEvent) => void events.push(event) };
    return await closing(connect(urls, { level: "none", ...settings }), async (db) => {
      for (let i = 0; i < count; i++) {
        assert.deepEqual((await db.query("SELECT n FROM t")).rows, [{ n: 7 }]);
      }
      return urls.map((url) => events.filter(({ node }) => node === url).length);
    });
  }

  it("go to the near ones in turns, and seldom to the far one", async () => {
    proxies[1]!.plan = () => ({ delay: 300 });
    const urls = proxies.map(({ url }) => url);
    const [near, far, nearToo] = await reads(30, {}, urls);
    proxies[1]!.plan = () => "pass";
    assert.ok(far! >= 2 && far! < near! && far! < nearToo!, `${near} ${far} ${nearToo}`);
  });

  it("go on elsewhere where a node hangs or is dead", async () => {
    proxies[0]!.plan = () => "swallow";
    const urls = proxies.map(({ url }) => url);
    const [hanging] = await reads(20, { timeout: 2_000 }, urls);
    proxies[0]!.plan = () => "pass";
    assert.ok(hanging! < 3, String(hanging));
    const [dead] = await reads(20, {}, ["http://127.0.0.1:1", ...urls]);
    assert.ok(dead! < 3, String(dead));
  });

  it("are answered by the leader where the node is staler than `freshness`", async () => {
    const [follower] = await cluster.followers();
    const leader = await cluster.leader();
    // So recently no follower has heard of its leader.
    const asked = await reads(3, { freshness: 0.001 }, [follower!.url, leader.url]);
    assert.ok(asked[0]! > 0 && asked[1]! > 0, String(asked));
    assert.equal(events.filter(({ error }) => error !== undefined).length, 1);
    await reads(1, { freshness: 0.001 }, [follower!.url]);
    assert.equal(events.at(-1)!.node, leader.url, "it follows the redirect");
  });
});
