// A rowid that a transaction was told may be another client's before the commit: what then fails is a conflict.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IntegrityError, type Transaction, TransactionConflictError } from "../../mod.ts";
import { PLACES } from "./world.ts";

const CREATE = [
  "CREATE TABLE orders(id INTEGER PRIMARY KEY AUTOINCREMENT, customer TEXT)",
  "CREATE TABLE lines(order_id INTEGER REFERENCES orders(id), product INTEGER, PRIMARY KEY(order_id, product))",
];

/** How the caller learns the rowid. */
const INSERTS: Readonly<Record<string, (tx: Transaction) => Promise<number>>> = {
  "lastInsertId": async (tx) =>
    Number((await tx.execute("INSERT INTO orders(customer) VALUES('a')")).lastInsertId),
  RETURNING: async (tx) => {
    const { rows } = await tx.execute("INSERT INTO orders(customer) VALUES('a') RETURNING id");
    return Number(rows[0]!["id"]);
  },
};

const LINE = "INSERT INTO lines VALUES(?, 7)";

for (const place of PLACES) {
  describe(`a rowid that was told, on ${place.name}`, { skip: place.skip }, () => {
    for (const [how, insert] of Object.entries(INSERTS)) {
      it(`by ${how} makes a conflict of the error that another client's row of that id causes`, () =>
        place.run(async ({ db, other }) => {
          for (const statement of CREATE) await db.execute(statement);
          const tx = await db.begin();
          const id = await insert(tx);
          await other.transaction(async (theirs) => {
            assert.equal(await insert(theirs), id);
            await theirs.execute(LINE, [id]);
          });
          await assert.rejects(tx.execute(LINE, [id]), TransactionConflictError);
          await assert.rejects(tx.commit(), TransactionConflictError);
          assert.equal(await db.value("SELECT count(*) FROM orders"), 1);
        }));

      it(`by ${how} leaves an error alone that has nothing to do with it`, () =>
        place.run(async ({ db, other }) => {
          for (const statement of CREATE) await db.execute(statement);
          const tx = await db.begin();
          const id = await insert(tx);
          await tx.execute(LINE, [id]);
          await other.execute("INSERT INTO lines VALUES(NULL, 7)");
          await assert.rejects(tx.execute(LINE, [id]), IntegrityError);
          await tx.commit();
          assert.deepEqual(
            await db.value("SELECT count(*) FROM lines WHERE order_id = ?", [id]),
            1,
          );
        }));
    }
  });
}
