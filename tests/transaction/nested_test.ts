// Nested transactions have handles of their own: what cannot be undone alone is never lost in silence.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { InterfaceError, type Transaction } from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { PLACES, type World } from "./world.ts";

const INSERT = "INSERT INTO t VALUES(?)";

const insert = (tx: Transaction, id: number) => tx.execute(INSERT, [id]);

const stored = ({ value }: World): Promise<unknown> =>
  value("SELECT group_concat(id) FROM (SELECT id FROM t ORDER BY id)");

async function rejects(tx: Transaction): Promise<void> {
  await insert(tx, 1);
  throw new Error("no");
}

/** What goes through the outer handle, and what is stored of it if the nested transaction fulfils. */
const AROUND: Record<string, readonly [(tx: Transaction) => Promise<unknown>, string]> = {
  "execute()": [(tx) => insert(tx, 5), "1,5"],
  "query()": [(tx) => tx.query("SELECT * FROM t"), "1"],
  "batch()": [(tx) => tx.batch([[INSERT, 5], [INSERT, 6]]), "1,5,6"],
  "savepoint()": [(tx) => tx.savepoint(), "1"],
  "rollbackTo()": [async (tx) => {
    const savepoint = await tx.savepoint();
    await insert(tx, 5);
    await tx.rollbackTo(savepoint);
  }, "1"],
  "release()": [async (tx) => {
    const savepoint = await tx.savepoint();
    await insert(tx, 5);
    await tx.release(savepoint);
  }, "1,5"],
};

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () =>
      place.run(async (world) => {
        await world.sql("CREATE TABLE t(id INTEGER PRIMARY KEY)");
        await body(world);
      }));

  describe(`nested transactions on ${place.name}`, { skip: place.skip }, () => {
    for (const [what, [around, left]] of Object.entries(AROUND)) {
      test(`${what} of the outer handle is kept if the nested transaction fulfils`, async (world) => {
        await world.db.transaction((tx) =>
          tx.transaction(async (inner) => {
            await insert(inner, 1);
            await around(tx);
          })
        );
        assert.equal(await stored(world), left);
      });

      test(`${what} of the outer handle fails the commit if the nested transaction rejects`, async (world) => {
        const done = world.db.transaction(async (tx) => {
          await insert(tx, 9);
          const nested = tx.transaction(async (inner) => {
            await around(tx);
            await rejects(inner);
          });
          await assert.rejects(nested, /no/);
        });
        await assert.rejects(
          done,
          (error: Error) =>
            error instanceof InterfaceError && /cannot be told apart/.test(error.message),
        );
        assert.equal(await stored(world), null);
      });
    }

    test("transaction() of the middle handle's statement is undone with the middle one alone", async (world) => {
      await world.db.transaction(async (tx) => {
        await insert(tx, 9);
        const middle = tx.transaction(async (inner) => {
          await inner.transaction(async (innermost) => {
            await insert(inner, 2);
            await insert(innermost, 3);
          });
          await rejects(inner);
        });
        await assert.rejects(middle, /no/);
        await insert(tx, 8);
      });
      assert.equal(await stored(world), "8,9");
    });

    test("transaction() within transaction() marks all that are around the innermost", async (world) => {
      const done = world.db.transaction(async (tx) => {
        const middle = tx.transaction(async (inner) => {
          await inner.transaction(() => insert(tx, 2));
          await rejects(inner);
        });
        await assert.rejects(middle, /no/);
      });
      await assert.rejects(done, InterfaceError);
      assert.equal(await stored(world), null);
    });

    test("transaction() of the outer handle is refused inside of a nested one, and nothing is stored", async (world) => {
      const done = world.db.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          await insert(inner, 1);
          await assert.rejects(tx.transaction((second) => insert(second, 2)), InterfaceError);
        }).catch(() => {});
      });
      await assert.rejects(done, /await one before the other/);
      assert.equal(await stored(world), null);
    });

    test("a handle whose function has ended takes nothing more", async (world) => {
      await world.db.transaction(async (tx) => {
        const ended: Transaction[] = [];
        await tx.transaction(async (inner) => {
          ended.push(inner);
          await insert(inner, 1);
        });
        await tx.transaction((inner) => (ended.push(inner), rejects(inner))).catch(() => {});
        for (const handle of ended) {
          for (const [around] of Object.values(AROUND)) {
            await assert.rejects(around(handle), InterfaceError);
          }
          await assert.rejects(handle.transaction((inner) => insert(inner, 2)), InterfaceError);
          await assert.rejects(handle.commit(), InterfaceError);
        }
        assert.equal(tx.state, "active");
        await insert(tx, 3);
      });
      assert.equal(await stored(world), "1,3");
    });

    test("a handle shows the transaction, and its commit() and rollback() end it", async (world) => {
      for (const end of ["commit", "rollback"] as const) {
        const tx = await world.db.begin();
        await insert(tx, end === "commit" ? 1 : 2);
        await tx.transaction(async (inner) => {
          assert.notEqual(inner, tx);
          assert.equal(inner.id, tx.id);
          assert.equal(inner.signal, tx.signal);
          assert.equal(inner.fencingToken, tx.fencingToken);
          await inner[end]();
          assert.equal(inner.state, end === "commit" ? "committed" : "rolledback");
        });
        assert.equal(tx.state, end === "commit" ? "committed" : "rolledback");
      }
      assert.equal(await stored(world), "1");
    });

    test("commit() is refused while a nested transaction runs that nobody waits for", async (world) => {
      for (const ends of [() => Promise.resolve(), () => Promise.reject(new Error("no"))]) {
        const tx = await world.db.begin();
        let begun = () => {};
        const beginning = new Promise<void>((resolve) => begun = resolve);
        const nested = tx.transaction(async (inner) => {
          await insert(inner, 1);
          begun();
          await sleep(5);
          await ends();
        });
        await beginning;
        await assert.rejects(tx.commit(), InterfaceError);
        assert.equal(tx.state, "rolledback");
        await nested.catch(() => {});
      }
      const forgotten = world.db.transaction(async (tx) => {
        tx.transaction((inner) => insert(inner, 1).then(() => sleep(5))).catch(() => {});
        await sleep(1);
      });
      await assert.rejects(forgotten, InterfaceError);
      assert.equal(await stored(world), null);
    });

    test("a nested transaction that ends before one inside of it leaves nothing to commit", async (world) => {
      const done = world.db.transaction(async (tx) => {
        let innermost: Promise<unknown> = Promise.resolve();
        await tx.transaction(async (inner) => {
          innermost = inner.transaction((one) => insert(one, 1).then(() => sleep(20)));
          innermost.catch(() => {});
          await insert(tx, 2);
        }).catch(() => {});
        await innermost.catch(() => {});
      });
      await assert.rejects(done, InterfaceError);
      assert.equal(await stored(world), null);
    });

    test("a nested transaction without its savepoint fails the commit if it rejects", async (world) => {
      const done = world.db.transaction(async (tx) => {
        const savepoint = await tx.savepoint();
        await tx.transaction(async (inner) => {
          await inner.rollbackTo(savepoint);
          await rejects(inner);
        }).catch(() => {});
      });
      await assert.rejects(done, /savepoint .* is gone/);
      assert.equal(await stored(world), null);
    });

    test("a function that uses the outer handle runs again where the nested one met a conflict", async (world) => {
      await world.sql("INSERT INTO t VALUES(40)");
      let runs = 0;
      await world.db.transaction(async (tx) => {
        await tx.transaction(async (inner) => {
          const { rows } = await inner.query("SELECT id FROM t WHERE id >= 40");
          if (++runs === 1) await world.sql("INSERT INTO t VALUES(41)");
          await insert(tx, 1);
          await insert(inner, 2 + rows.length);
        }).catch(() => {});
      });
      assert.equal(runs, 2);
      assert.equal(await stored(world), "1,4,40,41");
    });
  });
}
