import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { sql, type Transaction, TransactionConflictError } from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () =>
      place.run(async (world) => {
        await world.sql("CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER)");
        await world.sql("INSERT INTO a VALUES(1, 10), (2, 20)");
        await body(world);
      }));

  describe(`first() and value() in a transaction on ${place.name}`, { skip: place.skip }, () => {
    for (const mode of ["eager", "lazy"] as const) {
      test(`see what it wrote, ${mode}`, async ({ db }) => {
        await db.transaction(async (tx) => {
          await tx.execute(sql`UPDATE a SET ${sql.set({ n: 11 })} WHERE id = ${1}`);
          assert.deepEqual(await tx.first("SELECT n FROM a ORDER BY id"), { n: 11 });
          await tx.transaction(async (inner) => {
            await inner.execute(sql`INSERT INTO a ${sql.insert({ id: 3, n: 30 })}`);
            assert.equal(await inner.value("SELECT count(*) FROM a"), 3);
            assert.equal(await inner.first("SELECT * FROM a WHERE id = ?", [9]), undefined);
          });
        }, { mode });
        assert.equal(await db.value("SELECT sum(n) FROM a"), 61);
      });
    }

    test("read in a read-only one, by its options and those of the call", async ({ db }) => {
      await db.transaction(async (tx) => {
        assert.deepEqual(await tx.first<unknown>("SELECT n, id FROM a WHERE id = 1"), [10n, 1n]);
        assert.deepEqual(await tx.first("SELECT n FROM a", [], { rows: "object" }), { n: 10n });
        assert.equal(await tx.value("SELECT n FROM a", [], { integers: "string" }), "10");
      }, { readOnly: true, rows: "array", integers: "bigint" });
    });

    const reads: Readonly<Record<string, (tx: Transaction, guard: boolean) => Promise<unknown>>> = {
      first: (tx, guard) => tx.first("SELECT n FROM a", [], { guard }),
      value: (tx, guard) => tx.value("SELECT n FROM a", [], { guard }),
    };
    for (const [name, read] of Object.entries(reads)) {
      test(`${name}() is checked at commit, unless it has no guard`, async ({ db, other }) => {
        for (const guard of [true, false]) {
          const tx = await db.begin();
          await read(tx, guard);
          await other.execute("UPDATE a SET n = n + 1 WHERE id = 1");
          await tx.execute("INSERT INTO a(n) VALUES(0)");
          if (guard) await assert.rejects(tx.commit(), TransactionConflictError);
          else await tx.commit();
        }
        assert.equal(await other.value("SELECT count(*) FROM a WHERE n = 0"), 1);
      });
    }

    test("fail the commit where nobody looked at their error", async ({ db, other }) => {
      for (const name of ["first", "value"] as const) {
        const tx = await db.begin();
        await tx.execute("INSERT INTO a(n) VALUES(0)");
        void tx[name]("SELECT * FROM no_such_table");
        await assert.rejects(tx.commit(), { name: "ProgrammingError", message: /no_such_table/ });
        const heeded = await db.begin();
        await assert.rejects(heeded[name]("SELECT * FROM no_such_table"));
        await heeded.commit();
      }
      assert.equal(await other.value("SELECT count(*) FROM a WHERE n = 0"), 0);
    });

    test("refuse what writes, and are refused when it is over", async ({ db }) => {
      const tx = await db.begin();
      const text = "INSERT INTO a(n) VALUES(1) RETURNING id";
      for (const name of ["first", "value"] as const) {
        await assert.rejects(tx[name](text), { name: "ProgrammingError", message: /execute\(\)/ });
      }
      await tx.rollback();
      await assert.rejects(tx.first("SELECT 1"), { name: "InterfaceError" });
      await assert.rejects(tx.value("SELECT 1"), { name: "InterfaceError" });
    });
  });
}
