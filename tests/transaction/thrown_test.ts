// A function that throws may do so because two of its statements have met two states of the database. Then it is run
// again, as where its commit is refused; what it throws by what there was at one time is its caller's.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Transaction, TransactionConflictError } from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

const TABLES = "CREATE TABLE halves(id INTEGER PRIMARY KEY, n INTEGER NOT NULL)";
const SWAP = "UPDATE halves SET n = -n";
const half = (tx: Transaction, id: number) =>
  tx.value<number>("SELECT n FROM halves WHERE id = ?", [id]);

async function prepare({ sql }: World): Promise<void> {
  await sql(TABLES);
  await sql("INSERT INTO halves VALUES(1, 1), (2, -1)");
}

for (const place of PLACES) {
  describe(`a function that throws on ${place.name}`, { skip: place.skip }, () => {
    const world = (name: string, body: (world: World) => Promise<void>): void => {
      it(name, () =>
        place.run(async (world) => {
          await prepare(world);
          await body(world);
        }));
    };

    world("runs again where its reads met two states", async ({ db, sql }) => {
      let runs = 0;
      const sum = await db.transaction(async (tx) => {
        runs++;
        const first = await half(tx, 1);
        if (runs === 1) await sql(SWAP);
        const both = first! + (await half(tx, 2))!;
        if (both !== 0) throw new Error(`There never was a sum of ${both}`);
        return both;
      });
      assert.deepEqual([sum, runs], [0, 2]);
    });

    world("runs again where a row that it was told of is another client's", async ({ db, sql }) => {
      let runs = 0;
      await db.transaction(async (tx) => {
        runs++;
        const { rows: [made] } = await tx.execute<{ id: number }>(
          "INSERT INTO halves(n) VALUES(10) RETURNING id",
        );
        if (runs === 1) await sql("INSERT INTO halves(n) VALUES(20)");
        const n = await half(tx, made!.id);
        if (n !== 10) throw new Error(`${n} is not what was stored`);
      });
      assert.equal(runs, 2);
      assert.equal(await db.value("SELECT count(*) FROM halves WHERE n = 10"), 1);
    });

    world(
      "throws what it threw where nothing has changed, and keeps nothing",
      async ({ db, network }) => {
        // The first one of a client asks for the schema.
        await db.transaction((tx) => half(tx, 1));
        const mistake = new Error("not enough");
        const [once, twice] = [[1], [1, 2]].map((ids) => async (tx: Transaction) => {
          for (const id of ids) await half(tx, id);
          throw mistake;
        });
        for (const [fn, requests] of [[once!, 1], [twice!, 3]] as const) {
          const before = network.requests.length;
          await assert.rejects(db.transaction(fn), mistake);
          assert.equal(network.requests.length - before, requests);
        }
        await assert.rejects(
          db.transaction(async (tx) => {
            await tx.execute("INSERT INTO halves(n) VALUES(10)");
            await half(tx, 1);
            throw mistake;
          }),
          mistake,
        );
        assert.equal(await db.value("SELECT count(*) FROM halves"), 2);
      },
    );

    world("throws what it threw where writes that were kept back would fail", async ({ db }) => {
      const mistake = new Error("not enough");
      let runs = 0;
      const work = db.transaction(async (tx) => {
        runs++;
        await half(tx, 1);
        await half(tx, 2);
        await tx.execute("INSERT INTO halves VALUES(1, 7)");
        throw mistake;
      }, { mode: "lazy" });
      await assert.rejects(work, mistake);
      assert.equal(runs, 1);
    });

    world("throws what it threw where it is not checked, or nobody can tell", async (world) => {
      const mistake = new Error("a mixture");
      const ways = { "isolation none": { isolation: "none" }, "a cut network": {} } as const;
      let cut = false;
      const fetch = ((...request) =>
        cut
          ? Promise.reject(new TypeError("cut"))
          : world.node(...request)) as typeof globalThis.fetch;
      const db = world.connect({ fetch, retries: 0 });
      for (const [name, options] of Object.entries(ways)) {
        let runs = 0;
        const work = db.transaction(async (tx) => {
          runs++;
          await half(tx, 1);
          await world.sql(SWAP);
          await half(tx, 2);
          cut = name === "a cut network";
          throw mistake;
        }, options);
        await assert.rejects(work, mistake);
        assert.equal(runs, 1, name);
      }
      await db.close();
    });

    world("says that it conflicted where each run met two states", async ({ db, sql }) => {
      let runs = 0;
      const work = db.transaction(async (tx) => {
        runs++;
        await half(tx, 1);
        await sql(SWAP);
        await half(tx, 2);
        throw new Error("a mixture");
      }, { retries: 2 });
      await assert.rejects(work, TransactionConflictError);
      assert.equal(runs, 3);
    });
  });
}
