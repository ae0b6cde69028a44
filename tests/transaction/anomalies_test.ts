// Adya's anomalies: each can be made with isolation "none" where a batch of writes allows it at all, and never with
// "serializable".
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  IntegrityError,
  type Transaction,
  TransactionConflictError,
} from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

type Isolation = "serializable" | "none";

/** How many of the transactions were committed, and what they left. */
interface Left {
  readonly committed: number;
  readonly rows: unknown;
  readonly seen?: unknown;
}

const n = async (tx: Pick<Client, "query">, id: number): Promise<number> => {
  const { rows } = await tx.query<{ n: number }>("SELECT n FROM t WHERE id = ?", [id]);
  return rows[0]!.n;
};

const set = (tx: Transaction, id: number, value: number) =>
  tx.execute("UPDATE t SET n = ? WHERE id = ?", [value, id]);

async function commits(...all: Transaction[]): Promise<number> {
  let committed = 0;
  for (const tx of all) {
    await tx.commit().then(() => committed++, (error: unknown) => {
      assert.ok(error instanceof TransactionConflictError, String(error));
    });
  }
  return committed;
}

const rowsOf = async (db: Client): Promise<unknown> =>
  (await db.query("SELECT n FROM t ORDER BY id", [], { rows: "array" })).rows.flat();

/** Each begins with rows 1 and 2, both 1. */
const ANOMALIES: Record<string, (world: World, isolation: Isolation) => Promise<Left>> = {
  "lost update": async ({ db }, isolation) => {
    const [a, b] = [await db.begin({ isolation }), await db.begin({ isolation })];
    const [one, two] = [await n(a, 1), await n(b, 1)];
    await set(a, 1, one + 1);
    await set(b, 1, two + 1);
    return { committed: await commits(a, b), rows: await rowsOf(db) };
  },
  "write skew: two doctors on call": async ({ db }, isolation) => {
    const [a, b] = [await db.begin({ isolation }), await db.begin({ isolation })];
    const onCall = "SELECT sum(n) AS n FROM t";
    for (const [tx, id] of [[a, 1], [b, 2]] as const) {
      const { rows: [row] } = await tx.query<{ n: number }>(onCall);
      if (row!.n > 1) await set(tx, id, 0);
    }
    return { committed: await commits(a, b), rows: await rowsOf(db) };
  },
  "phantom insert": async ({ db }, isolation) => {
    const [a, b] = [await db.begin({ isolation }), await db.begin({ isolation })];
    for (const [tx, id] of [[a, 3], [b, 4]] as const) {
      const { rows } = await tx.query("SELECT id FROM t WHERE n = 9");
      if (rows.length === 0) await tx.execute("INSERT INTO t VALUES(?, 9)", [id]);
    }
    return { committed: await commits(a, b), rows: await rowsOf(db) };
  },
  "read skew": async ({ db, sql }, isolation) => {
    const tx = await db.begin({ isolation });
    const one = await n(tx, 1);
    await sql("UPDATE t SET n = n + 1");
    const seen = [one, await n(tx, 2)];
    return { committed: await commits(tx), rows: await rowsOf(db), seen };
  },
  "circular information flow (G1c)": async ({ db }, isolation) => {
    const [a, b] = [await db.begin({ isolation }), await db.begin({ isolation })];
    await set(a, 1, 5);
    await set(b, 2, 6);
    const seen = [await n(a, 2), await n(b, 1)];
    return { committed: await commits(a, b), rows: await rowsOf(db), seen };
  },
  "long fork": async ({ db, sql }, isolation) => {
    const [a, b] = [await db.begin({ isolation }), await db.begin({ isolation })];
    const first = await n(a, 1);
    const second = await n(b, 2);
    await sql("UPDATE t SET n = 2 WHERE id = 1");
    const third = await n(b, 1);
    await sql("UPDATE t SET n = 2 WHERE id = 2");
    const seen = [[first, await n(a, 2)], [third, second]];
    return { committed: await commits(a, b), rows: await rowsOf(db), seen };
  },
};

/** What is left with isolation "none": the anomaly, where there is one. */
const WITHOUT: Record<string, Left> = {
  "lost update": { committed: 2, rows: [2, 1] },
  "write skew: two doctors on call": { committed: 2, rows: [0, 0] },
  "phantom insert": { committed: 2, rows: [1, 1, 9, 9] },
  "read skew": { committed: 1, rows: [2, 2], seen: [1, 2] },
  "circular information flow (G1c)": { committed: 2, rows: [5, 6], seen: [1, 1] },
  "long fork": { committed: 2, rows: [2, 2], seen: [[1, 2], [2, 1]] },
};

/** With "serializable" one of those that collided is refused. */
const WITH: Record<string, Left> = {
  "lost update": { committed: 1, rows: [2, 1] },
  "write skew: two doctors on call": { committed: 1, rows: [0, 1] },
  "phantom insert": { committed: 1, rows: [1, 1, 9] },
  "read skew": { committed: 0, rows: [2, 2], seen: [1, 2] },
  "circular information flow (G1c)": { committed: 1, rows: [5, 1], seen: [1, 1] },
  "long fork": { committed: 0, rows: [2, 2], seen: [[1, 2], [2, 1]] },
};

for (const place of PLACES) {
  describe(`anomalies on ${place.name}`, { skip: place.skip }, () => {
    const inside = (body: (world: World) => Promise<void>) =>
      place.run(async (world) => {
        await world.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, n INTEGER)");
        await world.sql("INSERT INTO t VALUES(1, 1), (2, 1)");
        await body(world);
      });

    for (const [name, make] of Object.entries(ANOMALIES)) {
      it(`${name}: happens with isolation "none" only`, async () => {
        await inside(async (world) => assert.deepEqual(await make(world, "none"), WITHOUT[name]));
        await inside(async (world) => {
          assert.deepEqual(await make(world, "serializable"), WITH[name]);
        });
      });
    }

    it("dirty read and aborted read: nobody sees what is not committed", () =>
      inside(async ({ db, other, value }) => {
        const tx = await db.begin();
        await set(tx, 1, 7);
        await other.transaction(async (reader) => assert.equal(await n(reader, 1), 1));
        await tx.rollback();
        assert.equal(await value("SELECT n FROM t WHERE id = 1"), 1);
      }));

    it("dirty write: the writes of two transactions do not mix", () =>
      inside(async ({ db }) => {
        const [a, b] = [await db.begin(), await db.begin()];
        await Promise.all([set(a, 1, 5), set(b, 1, 6)]);
        await Promise.all([set(a, 2, 5), set(b, 2, 6)]);
        assert.equal(await commits(a, b), 2);
        assert.deepEqual(await rowsOf(db), [6, 6]);
      }));

    it("a constraint that fails by what another client has written behind a read is a conflict", () =>
      inside(async ({ db, sql }) => {
        const tx = await db.begin();
        assert.equal(await tx.value("SELECT n FROM t WHERE id = 3"), undefined);
        await sql("INSERT INTO t VALUES(3, 1)");
        await assert.rejects(tx.execute("INSERT INTO t VALUES(3, 2)"), TransactionConflictError);
        assert.deepEqual(await rowsOf(db), [1, 1, 1]);
      }));

    it("a constraint that fails by itself is no conflict, whatever others write", () =>
      inside(async ({ db, sql }) => {
        const tx = await db.begin();
        assert.equal(await n(tx, 1), 1);
        await sql("INSERT INTO t VALUES(3, 1)");
        await assert.rejects(tx.execute("INSERT INTO t VALUES(1, 2)"), IntegrityError);
        await set(tx, 2, 5);
        await tx.commit();
        assert.deepEqual(await rowsOf(db), [1, 5, 1]);
      }));
  });
}
