// Three nodes behind a load balancer that gives each connection to the next of them; the addresses that they name to others
// cannot be reached.
import assert from "node:assert/strict";
import { type AddressInfo, connect as dial, createServer, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { type Client, connect, type Level } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { freePort } from "../support/ports.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";

const WRITERS = 6;
const EACH = 5;

interface Balancer extends AsyncDisposable {
  readonly url: string;
  /** How many connections each of the nodes has got. */
  readonly given: readonly number[];
}

async function startBalancer(urls: readonly string[]): Promise<Balancer> {
  const given = urls.map(() => 0);
  const sockets = new Set<Socket>();
  let next = 0;
  const server = createServer((client) => {
    const index = next++ % urls.length;
    given[index]!++;
    const { hostname, port } = new URL(urls[index]!);
    const node = dial(Number(port), hostname);
    for (const [one, other] of [[client, node], [node, client]] as const) {
      sockets.add(one);
      one.on("error", () => other.destroy());
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    given,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

describe("nodes behind a load balancer", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let balancer: Balancer;

  before(async () => {
    const closed = await Promise.all([freePort(), freePort(), freePort()]);
    cluster = await startCluster(3, { advertise: (index) => `127.0.0.1:${closed[index]}` });
    balancer = await startBalancer(cluster.urls);
  });

  after(async () => {
    await balancer[Symbol.asyncDispose]();
    await cluster.stop();
  });

  for (const discover of [false, true]) {
    it(`take writes, transactions and reads${discover ? ", also where the client discovers" : ""}`, async () => {
      await using db = connect(balancer.url, { coalesce: false, discover });
      await db.script(
        "DROP TABLE IF EXISTS counters; CREATE TABLE counters(id INTEGER PRIMARY KEY, n INTEGER);" +
          "INSERT INTO counters VALUES(1, 0), (2, 0), (3, 0)",
      );
      const count = async (client: Client, id: number): Promise<void> => {
        for (let i = 0; i < EACH; i++) {
          const write = client.execute("UPDATE counters SET n = n + 1 WHERE id = 1");
          const decided = client.transaction(async (tx) => {
            const n = await tx.value<number>("SELECT n FROM counters WHERE id = 2");
            await tx.execute("UPDATE counters SET n = ? WHERE id = 2", [n! + 1]);
          });
          const named = client.execute("UPDATE counters SET n = n + 1 WHERE id = 3", [], {
            id: `${discover} ${id} ${i >> 1}`,
          });
          const [{ rowsAffected }] = await Promise.all([write, decided, named]);
          assert.ok(rowsAffected === 1 || rowsAffected === -1);
        }
      };
      await Promise.all(Array.from({ length: WRITERS }, (_, id) => count(db, id)));
      const levels: readonly Level[] = ["weak", "linearizable", "strong"];
      const all = WRITERS * EACH;
      const expected = [{ n: all }, { n: all }, { n: WRITERS * Math.ceil(EACH / 2) }];
      for (const level of levels) {
        const { rows } = await db.query("SELECT n FROM counters ORDER BY id", [], { level });
        assert.deepEqual(rows, expected, level);
      }
      assert.equal(await db.value("SELECT count(*) FROM counters", [], { level: "none" }), 3);
      await equalReplicas(cluster);
    });
  }

  it("have all been asked", () => {
    for (const connections of balancer.given) assert.ok(connections > 0);
  });
});
