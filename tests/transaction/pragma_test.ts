// The PRAGMAs that are part of the data or of a transaction, in every kind of unit; what follows shows their effect.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  connect,
  IntegrityError,
  NotSupportedError,
  type Transaction,
} from "../../mod.ts";
import { startCluster } from "../support/cluster.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { PLACES, type World } from "./world.ts";

const DEFER = "PRAGMA defer_foreign_keys = ON";
const CHILD = "INSERT INTO child VALUES(1, 7)";
const PARENT = "INSERT INTO parent VALUES(7)";

/** Runs statements as one unit. */
type Unit = (db: Client, statements: readonly string[]) => Promise<unknown>;

async function each(tx: Transaction, statements: readonly string[]): Promise<void> {
  for (const statement of statements) await tx.execute(statement);
}

const UNITS: Readonly<Record<string, Unit>> = {
  "a batch": (db, statements) => db.batch(statements),
  "a batch with a read": (db, statements) => db.batch(["SELECT 1", ...statements]),
  "a batch without an id": (db, statements) => db.batch(statements, { exactlyOnce: false }),
  "a transaction": (db, statements) => db.transaction((tx) => each(tx, statements)),
  "a transaction of its batch": (db, statements) => db.transaction((tx) => tx.batch(statements)),
  "a lazy transaction": (db, statements) =>
    db.transaction(async (tx) => {
      await Promise.all(statements.map((statement) => tx.execute(statement)));
    }, { mode: "lazy" }),
  "a nested transaction": (db, statements) =>
    db.transaction((tx) => tx.transaction((inner) => each(inner, statements))),
};

for (const place of PLACES) {
  describe(`PRAGMAs in a unit on ${place.name}`, { skip: place.skip }, () => {
    const test = (name: string, body: (world: World) => Promise<void>) =>
      it(name, () =>
        place.run(async (world) => {
          await world.sql("CREATE TABLE parent(id INTEGER PRIMARY KEY)");
          await world.sql("CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent)");
          await body(world);
        }));

    for (const [name, unit] of Object.entries(UNITS)) {
      test(`defer_foreign_keys holds in ${name}, and only there`, async ({ db, other, value }) => {
        await assert.rejects(unit(db, [CHILD, PARENT]), IntegrityError);
        await unit(db, [DEFER, CHILD, PARENT]);
        assert.equal(
          await value("SELECT count(*) FROM child JOIN parent ON parent.id = parent"),
          1,
        );
        const orphan = "INSERT INTO child VALUES(2, 99)";
        await assert.rejects(unit(db, [DEFER, orphan]), IntegrityError);
        await assert.rejects(
          other.batch([orphan, "INSERT INTO parent VALUES(99)"]),
          IntegrityError,
        );
        assert.equal(await value("SELECT group_concat(id) FROM child"), "1");
      });

      test(`user_version and application_id are kept by ${name}, or undone with it`, async ({ db, value }) => {
        await unit(db, ["PRAGMA user_version = 3", "PRAGMA main.application_id(-4)", PARENT]);
        assert.deepEqual(
          [await value("PRAGMA user_version"), await value("PRAGMA application_id")],
          [3, -4],
        );
        await assert.rejects(unit(db, ["PRAGMA user_version = 9", PARENT]), IntegrityError);
        assert.equal(await value("PRAGMA user_version"), 3);
      });
    }

    test("user_version is read as the transaction has set it, until a savepoint undoes that", async ({ db, value }) => {
      const version = async (tx: Transaction) =>
        (await tx.query<{ user_version: number }>("PRAGMA user_version")).rows[0]!.user_version;
      await db.transaction(async (tx) => {
        await tx.execute("PRAGMA user_version = 5");
        const savepoint = await tx.savepoint();
        await tx.execute("PRAGMA user_version = 6");
        assert.equal(await version(tx), 6);
        await tx.rollbackTo(savepoint);
        assert.equal(await version(tx), 5);
      });
      assert.equal(await value("PRAGMA user_version"), 5);
    });

    test("defer_foreign_keys by itself is refused, as it would hold for somebody else's commit", async ({ db }) => {
      for (
        const alone of [
          db.execute(DEFER),
          db.execute(DEFER, [], { exactlyOnce: false }),
          db.batch([DEFER]),
          db.batch([DEFER, CHILD], { atomic: false }),
        ]
      ) {
        await assert.rejects(alone, (error: Error) => {
          assert.ok(error instanceof NotSupportedError);
          assert.match(error.message, /put it into the batch or transaction/);
          return true;
        });
      }
    });

    test("a PRAGMA that reads is part of a batch that writes", async ({ db }) => {
      const results = await db.batch([PARENT, "PRAGMA table_info(parent)", "PRAGMA user_version"], {
        id: "with a PRAGMA",
      });
      assert.deepEqual(results.map(({ rows }) => rows.length), [0, 1, 1]);
      assert.equal(await db.outcome("with a PRAGMA"), "committed");
    });
  });
}

describe("PRAGMAs in a unit on three nodes", { skip: skipWithoutRqlited() }, () => {
  it("leave every node with the same version and rows", async () => {
    const cluster = await startCluster(3, { args: ["-fk"] });
    try {
      const db = connect(cluster.urls);
      await db.batch([
        "CREATE TABLE parent(id INTEGER PRIMARY KEY)",
        "CREATE TABLE child(id INTEGER PRIMARY KEY, parent REFERENCES parent)",
      ]);
      let n = 0;
      for (const unit of Object.values(UNITS)) {
        n++;
        const child = `INSERT INTO child VALUES(${n}, ${n})`;
        await unit(db, [
          DEFER,
          `PRAGMA user_version = ${n}`,
          child,
          `INSERT INTO parent VALUES(${n})`,
        ]);
        await assert.rejects(
          unit(db, [DEFER, "PRAGMA user_version = 99", "INSERT INTO child VALUES(0, 0)"]),
        );
      }
      await equalReplicas(cluster);
      const versions = await rowsOfEach(
        cluster,
        "SELECT user_version, (SELECT count(*) FROM child) FROM pragma_user_version",
      );
      assert.deepEqual(versions, [[[n, n]], [[n, n]], [[n, n]]]);
      await db.close();
    } finally {
      await cluster.stop();
    }
  });
});
