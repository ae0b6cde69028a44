import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { startCluster } from "../support/cluster.ts";
import { storeRaw } from "../replicas/raw.ts";
import { cli, type Ended } from "./run_cli.ts";

const doctor = (urls: readonly string[], ...flags: readonly string[]): Promise<Ended> =>
  cli(["doctor", ...flags, ...urls.flatMap((url) => ["--url", url])]);

describe("doctor and nodes", { skip: skipWithoutRqlited() }, () => {
  it("tell that two nodes are equal, and once they differ where and why", async () => {
    await using cluster = await startCluster(2, { advertise: (i) => `node${i}.invalid:4001` });
    const [url = ""] = cluster.urls;
    await storeRaw(cluster, [
      "CREATE TABLE notes(id INTEGER PRIMARY KEY, token DEFAULT (hex(randomblob(8))), " +
      "text DEFAULT (char(0x202e)), image DEFAULT (zeroblob(8)))",
      "INSERT INTO notes(id, token) VALUES(1, 'shared')",
    ]);
    const lost = await doctor([url], "--timeout", "5");
    assert.equal(lost.code, 1);
    assert.match(lost.stderr, /OperationalError: .*node\d\.invalid.*`mapNode` tells where/);
    const unknown = await doctor([url], "--table", "nowhere");
    assert.equal(unknown.code, 1);
    const maps = cluster.urls.flatMap((one, i) => ["--map", `http://node${i}.invalid:4001=${one}`]);
    const equal = await doctor([url], ...maps);
    assert.deepEqual([equal.code, equal.stderr], [0, ""]);
    assert.match(
      equal.stdout,
      /^2 nodes: http:.*\n {2}✓ equal\n\nWhat may make them differ\n {2}default: notes\.token\n.*this client writes/,
    );
    await storeRaw(cluster, ["INSERT INTO notes(id) VALUES(2)"]);
    const { code, stdout } = await doctor(cluster.urls, ...maps);
    assert.equal(code, 3);
    assert.match(stdout, /✗ notes: 1 row differs, such as/);
    for (const one of cluster.urls) assert.match(stdout, new RegExp(`${one} +{ id: 2, token: '`));
    assert.match(stdout, /, text: '\\u202e', image: .*\[ 0, 0, 0, 0, 0, 0, 0, 0 \] }\n/);
    const json = JSON.parse((await doctor(cluster.urls, ...maps, "--json")).stdout);
    assert.equal(json.equal, false);
    assert.deepEqual(json.differences.map(({ table }: { table: string }) => table), ["notes"]);
    const nodes = await cli(["nodes", "--url", url]);
    assert.match(nodes.stdout, /^id +address +raft +role +state +version\n/);
    assert.match(nodes.stdout, /http:\/\/node\d\.invalid:4001 .* leader +reachable/);
    const list = JSON.parse((await cli(["nodes", "--url", url, "--json"])).stdout);
    assert.deepEqual(list.map(({ voter }: { voter: boolean }) => voter), [true, true]);
  });

  it("call a database file by its name, as it has no address", async () => {
    const report = await doctor([":memory:"]);
    assert.deepEqual([report.code, report.stdout], [0, "1 node: :memory:\n  ✓ equal\n"]);
    assert.deepEqual(JSON.parse((await doctor([":memory:"], "--json")).stdout).nodes, [":memory:"]);
    const nodes = (...flags: string[]) => cli(["nodes", "--url", ":memory:", ...flags]);
    assert.match((await nodes()).stdout, /\n1 +:memory: +leader +reachable/);
    assert.equal(JSON.parse((await nodes("--json")).stdout)[0].apiUrl, ":memory:");
  });

  it("refuse a map that cannot be read", async () => {
    const { code, stderr } = await doctor(["http://localhost:1"], "--map", "http://a:1");
    assert.equal(code, 2);
    assert.match(stderr, /write --map http:\/\/node2:4001=/);
  });
});
