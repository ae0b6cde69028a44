// What others do to the schema while a transaction runs, and reads that the client itself cannot read.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Transaction, TransactionConflictError } from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

/** What programs send at their start, and what has nothing to do with a transaction on `notes`. */
const HARMLESS = [
  "CREATE TABLE IF NOT EXISTS notes(id INTEGER PRIMARY KEY)",
  "DROP TABLE IF EXISTS no_such_table",
  "CREATE TABLE others(a)",
  "CREATE INDEX others_a ON others(a)",
  "CREATE VIEW others_view AS SELECT * FROM others",
  "ANALYZE",
  "REINDEX",
  "DROP VIEW others_view",
];

/** What changes how a transaction on `notes` is to be read or written. */
const HARMFUL = [
  "ALTER TABLE notes ADD COLUMN more TEXT",
  "CREATE TRIGGER noted AFTER INSERT ON notes BEGIN UPDATE notes SET body = 'x' WHERE id = new.id; END",
  "ALTER TABLE notes RENAME COLUMN body TO text",
];

const KINDS: Record<string, (tx: Transaction) => Promise<unknown>> = {
  "a write": (tx) => tx.execute("INSERT INTO notes(body) VALUES('a')"),
  "a write that tells its row": (tx) =>
    tx.execute("INSERT INTO notes(body) VALUES('a') RETURNING id, at"),
  "a read and a write": async (tx) => {
    await tx.query("SELECT id, body FROM notes");
    await tx.execute("INSERT INTO notes(body) VALUES('a')");
  },
  "a read that the leader judges, and a write": async (tx) => {
    await tx.query("SELECT max(at) FROM notes");
    await tx.execute("INSERT INTO notes(body) VALUES('a')");
  },
};

async function prepare({ sql }: World): Promise<void> {
  await sql(
    "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  );
  await sql("INSERT INTO notes(body) VALUES('first')");
}

for (const { name, skip, run } of PLACES) {
  describe(`the schema while a transaction runs on ${name}`, { skip }, () => {
    for (const [kind, use] of Object.entries(KINDS)) {
      it(`${kind}: DDL that has nothing to do with it is no conflict`, () =>
        run(async (world) => {
          await prepare(world);
          for (const [i, ddl] of HARMLESS.entries()) {
            const tx = await world.db.begin();
            await use(tx);
            await world.sql(ddl);
            await tx.commit();
            assert.equal(await world.value("SELECT count(*) FROM notes"), i + 2, ddl);
          }
        }));

      it(`${kind}: DDL on its table is a conflict, and another run succeeds`, () =>
        run(async (world) => {
          await prepare(world);
          await world.db.transaction(use);
          for (const ddl of HARMFUL) {
            const tx = await world.db.begin();
            await use(tx);
            await world.sql(ddl);
            await assert.rejects(tx.commit(), TransactionConflictError, ddl);
            if (!ddl.includes("RENAME")) await world.db.transaction(use, { retries: 0 });
          }
        }));
    }

    it("lazy writes are made anew by the new schema, as nothing was told of them", () =>
      run(async (world) => {
        await prepare(world);
        const tx = await world.db.begin({ mode: "lazy" });
        await tx.execute("INSERT INTO notes(body) VALUES('lazy')");
        await world.sql("DROP TABLE notes");
        await world.sql(
          "CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT, at TEXT DEFAULT (date('now')))",
        );
        await tx.commit();
        assert.match(String(await world.value("SELECT at FROM notes")), /^\d{4}-\d\d-\d\d$/);
      }));

    it("columns named by keywords, which only SQLite can read, lose no update", () =>
      run(async (world) => {
        for (const column of ["left", "end", "offset", "match", "desc"]) {
          await world.sql(`CREATE TABLE t_${column}(id INTEGER PRIMARY KEY, "${column}" INTEGER)`);
          await world.sql(`INSERT INTO t_${column} VALUES(1, 0)`);
          const raise = async (tx: Transaction): Promise<void> => {
            const { rows: [row] } = await tx.query<{ n: number }>(
              `SELECT sum(${column === "desc" ? '"desc"' : column}) AS n FROM t_${column}`,
            );
            await tx.execute(`UPDATE t_${column} SET "${column}" = ?`, [row!.n + 1]);
          };
          const clients = [world.db, world.connect({}), world.connect({})];
          await Promise.all(
            clients.flatMap((db) => [1, 2, 3].map(() => db.transaction(raise, { retries: 1000 }))),
          );
          assert.equal(await world.value(`SELECT "${column}" FROM t_${column}`), 9, column);
        }
      }));
  });
}
