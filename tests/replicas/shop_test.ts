// Ordinary programs over the ORMs, ten at once, on three nodes that must stay equal.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type Client, connect, withRetry } from "../../mod.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { drizzleShop } from "./shop_drizzle.ts";
import { drizzleV1Shop } from "./shop_drizzle_v1.ts";
import { kyselyShop } from "./shop_kysely.ts";
import { SHOP, type Shop } from "./shop.ts";

const CALLERS = 10;
const STOCK = 1000;

const SHOPS: Readonly<Record<string, (client: Client) => Shop>> = {
  kysely: kyselyShop,
  drizzle: drizzleShop,
  drizzle_v1: drizzleV1Shop,
};

const callers = Array.from({ length: CALLERS }, (_, n) => n);

describe("a shop on three nodes", { skip: skipWithoutRqlited() }, () => {
  let cluster: Cluster;
  let client: Client;

  before(async () => {
    cluster = await startCluster(3, { args: ["-fk"] });
    client = connect(cluster.urls);
    for (const statement of SHOP) await client.execute(statement);
    await client.execute(
      `INSERT INTO products(name, price, stock) VALUES('tea', 1.1, ${STOCK}), ('cup', 2.2, ${STOCK}), ('pot', 3.3, ${STOCK})`,
    );
  });

  after(async () => {
    await client?.close();
    await cluster?.stop();
  });

  /** Nothing was sold twice, and each change of the stock was noted once. */
  async function balanced(): Promise<void> {
    const wrong = await client.query(
      `SELECT name FROM products WHERE id <= 3 AND (stock <> ${STOCK} + (SELECT total(change) FROM movements WHERE product = name)
        OR stock > ${STOCK} - (SELECT total(amount) FROM order_lines WHERE product_id = id))`,
    );
    assert.deepEqual(wrong.rows, []);
    await equalReplicas(cluster);
  }

  for (const [name, make] of Object.entries(SHOPS)) {
    const own = (what: string | number) => `${what}@${name}`;

    it(`${name}: ten that visit and order on the same rows at once all commit`, async () => {
      const shop = make(client);
      const totals = await Promise.all(callers.map((n) => shop.order(own(n % 2), [1, 2 + n % 2])));
      assert.deepEqual(totals, callers.map((n) => n % 2 ? 4.4 : 3.3));
      const visits = await Promise.all(callers.map(() => shop.visit(own("one"))));
      assert.deepEqual(visits.toSorted((a, b) => a - b), callers.map((n) => n + 1));
      const orders = (await shop.spent()).filter(({ email }) => email.endsWith(own("")));
      assert.deepEqual(orders.map((row) => ({ ...row })), [
        { email: own(0), orders: CALLERS / 2 },
        { email: own(1), orders: CALLERS / 2 },
        { email: own("one"), orders: 0 },
      ]);
      await balanced();
    });

    it(`${name}: ten reviews are corrected and found by their words`, async () => {
      const shop = make(client);
      const found = await Promise.all(callers.map((n) => shop.review(`${name}word${n}`)));
      assert.deepEqual(found, callers.map((n) => [`${name}word${n}`]));
      await balanced();
    });

    it(`${name}: ten that undo a part of their transaction keep the rest`, async () => {
      const shop = make(client);
      await Promise.all(callers.map((n) => shop.stock(`${name} ${n}`)));
      const { rows } = await client.query(
        "SELECT name FROM products WHERE name LIKE ? OR name LIKE ? ORDER BY name",
        [`${name} %`, `not ${name} %`],
      );
      assert.deepEqual(rows.map((row) => row["name"]), callers.map((n) => `${name} ${n}`));
      await balanced();
    });

    it(`${name}: customers that leave take their orders with them`, async () => {
      const shop = make(client);
      const deleted = await Promise.all([0, 1, "one"].map((who) => shop.leave(own(who))));
      assert.deepEqual(deleted, [1, 1, 1]);
      const left = await client.value("SELECT count(*) FROM order_lines");
      assert.equal(left, 0);
      await balanced();
    });
  }

  it("ten clients of different ORMs order the same at once, again where they conflict", async () => {
    const makers = Object.values(SHOPS);
    const clients = callers.map(() => connect(cluster.urls));
    try {
      await Promise.all(clients.map(async (each, n) => {
        const shop = makers[n % makers.length]!(each);
        const total = await withRetry(() => shop.order("all@once", [1, 2, 3]), { retries: 100 });
        assert.equal(total, 6.6);
      }));
      const stock = await client.query("SELECT visits FROM customers WHERE email = 'ALL@ONCE'");
      assert.deepEqual(stock.rows, [{ visits: CALLERS }]);
      await balanced();
    } finally {
      await Promise.all(clients.map((each) => each.close()));
    }
  });
});
