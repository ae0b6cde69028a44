import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { startCluster } from "../support/cluster.ts";
import { storeRaw } from "../replicas/raw.ts";
import { assertTold, runExample } from "./run_example.ts";

describe("examples/doctor.ts", { skip: skipWithoutRqlited() }, () => {
  it("tells that two nodes are equal, and once they differ where and why", async () => {
    await using cluster = await startCluster(2, { advertise: (i) => `node${i}.invalid:4001` });
    await storeRaw(cluster, [
      "CREATE TABLE notes(id INTEGER PRIMARY KEY, token DEFAULT (hex(randomblob(8))))",
      "INSERT INTO notes VALUES(1, 'shared')",
    ]);
    const lost = await runExample("doctor.ts", cluster.urls[0]!, "--timeout", "5");
    assert.equal(lost.code, 2);
    assert.match(lost.stderr, /OperationalError: .*node\d\.invalid.*`mapNode` tells where/);
    const maps = cluster.urls.flatMap((url, i) => ["--map", `http://node${i}.invalid:4001=${url}`]);
    const equal = await runExample("doctor.ts", cluster.urls[0]!, ...maps);
    assertTold(equal, [
      "2 nodes: http://",
      "✓ equal",
      "default: notes.token",
      "this client writes",
    ]);
    assert.equal(equal.stderr, "");
    await storeRaw(cluster, ["INSERT INTO notes(id) VALUES(2)"]);
    const { code, stdout, stderr } = await runExample("doctor.ts", ...cluster.urls, ...maps);
    assert.equal(code, 1);
    assert.match(stderr, /notes: 1 row differs/);
    for (const url of cluster.urls) assert.match(stdout, new RegExp(`${url} +{ id: 2, token: '`));
  });

  it("ends with 2 where it cannot tell", async () => {
    await using server = await startRqlited();
    assertTold(await runExample("doctor.ts", server.url), ["1 node", "✓ equal"]);
    const unknown = await runExample("doctor.ts", server.url, "--table", "nowhere");
    assert.equal(unknown.code, 2);
    assert.match(unknown.stderr, /ProgrammingError: .*"nowhere"/);
    const mistake = await runExample("doctor.ts");
    assert.equal(mistake.code, 2);
    assert.match(mistake.stderr, /Usage:/);
  });
});
