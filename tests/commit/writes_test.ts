// Plain writes as programs send them: arrays used again, tables made beside their rows, many changes of the schema at once.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BatchOptions, connect, NotSupportedError, ProgrammingError } from "../../mod.ts";
import { startCluster } from "../support/cluster.ts";
import { equalReplicas } from "../support/replicas.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { PLACES } from "../transaction/world.ts";

const WAYS: readonly BatchOptions[] = [{}, { exactlyOnce: false }, { atomic: false }];

for (const { name, skip, run } of PLACES) {
  describe(`execute() and batch() on ${name}`, { skip }, () => {
    it("take the values of the moment of the call, on a client that has to ask first", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE t(a, b BLOB)");
        const db = connect({});
        const row: (number | Uint8Array)[] = [0, new Uint8Array(1)];
        const calls: Promise<unknown>[] = [];
        for (let i = 1; i <= 3; i++) {
          row[0] = i;
          (row[1] as Uint8Array)[0] = i;
          calls.push(db.execute("INSERT INTO t VALUES(?, ?)", row));
          const list = [["INSERT INTO t VALUES(?, ?)", ...row] as [string, ...typeof row]];
          calls.push(db.batch(list));
          list.length = 0;
        }
        await Promise.all(calls);
        assert.equal(
          await value("SELECT group_concat(a || hex(b)) FROM (SELECT * FROM t ORDER BY a)"),
          "101,101,202,202,303,303",
        );
        const tx = await db.begin();
        const written = tx.execute("INSERT INTO t VALUES(?, ?)", row);
        row[0] = 99;
        await written;
        await tx.commit();
        assert.equal(await value("SELECT count(*) FROM t WHERE a = 99"), 0);
      }));

    it("write out the defaults of a table that the same batch makes", () =>
      run(async ({ connect, value }) => {
        const texts: string[] = [];
        const db = connect({});
        const made = "CREATE TABLE t(id INTEGER PRIMARY KEY, r DEFAULT (hex(randomblob(4))))";
        await db.batch([made, "INSERT INTO t(id) VALUES(1)", "INSERT INTO t(id) VALUES(2)"]);
        texts.push(String(await value("SELECT r FROM t WHERE id = 1")));
        await db.batch(["DROP TABLE t", made, "INSERT INTO t(id) VALUES(1)"], { atomic: false });
        await db.transaction(async (tx) => {
          await tx.execute(
            "CREATE TABLE u(id INTEGER PRIMARY KEY, r DEFAULT (hex(randomblob(4))))",
          );
          const { rows: [told] } = await tx.execute<{ r: string }>(
            "INSERT INTO u(id) VALUES(1) RETURNING r",
          );
          texts.push(told!.r);
        });
        assert.equal(await value("SELECT r FROM u"), texts[1]);
        for (const text of texts) assert.match(text, /^[0-9A-F]{8}$/);
      }));

    it("refuse a random default for what a SELECT finds, with an id and without", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE src(a)");
        await sql("INSERT INTO src VALUES(1), (2)");
        await sql("CREATE TABLE t(a, r DEFAULT (random()))");
        for (const exactlyOnce of [true, false]) {
          const copied = connect({ exactlyOnce }).execute("INSERT INTO t(a) SELECT a FROM src");
          await assert.rejects(copied, NotSupportedError);
        }
        assert.equal(await value("SELECT count(*) FROM t"), 0);
      }));

    it("refuse counters of the connection that nothing in the same unit sets", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE parents(id INTEGER PRIMARY KEY, n)");
        await sql("CREATE TABLE children(parent, n)");
        const db = connect({});
        const child = "INSERT INTO children VALUES(last_insert_rowid(), changes())";
        await assert.rejects(db.execute(child), NotSupportedError);
        const copy = "CREATE TABLE copy AS SELECT last_insert_rowid() AS id";
        await assert.rejects(db.execute(copy), NotSupportedError);
        await assert.rejects(db.transaction((tx) => tx.execute(copy)), NotSupportedError);
        await assert.rejects(db.batch(["DELETE FROM parents", child]), NotSupportedError);
        await db.batch(["INSERT INTO parents(n) VALUES(1)", child, copy]);
        await db.transaction(async (tx) => {
          await assert.rejects(tx.execute(child), NotSupportedError);
          await tx.execute("INSERT INTO parents(n) VALUES(2)");
          await tx.execute(child);
        });
        assert.equal(await value("SELECT group_concat(parent) FROM children WHERE n = 1"), "1,2");
        assert.equal(await value("SELECT id FROM copy"), 1);
      }));

    it("refuse a read of a counter without the write that it is about", () =>
      run(async ({ connect, sql }) => {
        await sql("CREATE TABLE parents(id INTEGER PRIMARY KEY, n UNIQUE)");
        const db = connect({});
        await db.execute("INSERT INTO parents(n) VALUES(1)");
        const asks = "SELECT last_insert_rowid() AS id";
        const refusal = { name: "NotSupportedError", message: /take `lastInsertId` of the result/ };
        const calls = [
          () => db.query(asks),
          () => db.value(asks),
          () => db.execute(asks),
          () => db.iterate("SELECT n FROM parents WHERE id = last_insert_rowid()").next(),
          () => db.batch([asks]),
          () => db.batch([asks, "INSERT INTO parents(n) VALUES(2)"]),
          () => db.batch(["UPDATE parents SET n = 1", asks]),
          () => db.batch([asks, "INSERT INTO parents(n) VALUES(2)"], { atomic: false }),
        ];
        for (const call of calls) await assert.rejects(async () => await call(), refusal);
        const changed = db.query("SELECT changes()");
        await assert.rejects(changed, { message: /take `rowsAffected` of the result/ });

        const insert = "INSERT INTO parents(n) VALUES(?) ON CONFLICT DO NOTHING";
        for (const atomic of [true, false]) {
          const results = await db.batch([[insert, `atomic: ${atomic}`], asks], { atomic });
          assert.deepEqual(results[1]!.rows, [{ id: atomic ? 2 : 3 }]);
        }
        assert.deepEqual((await db.query("SELECT 'changes()' AS changes")).rows.length, 1);
      }));

    it("refuse last_insert_rowid() where the INSERT in front may have set none", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE parents(id INTEGER PRIMARY KEY, n UNIQUE)");
        await sql("CREATE TABLE bare(k PRIMARY KEY) WITHOUT ROWID");
        await sql("CREATE VIEW seen AS SELECT * FROM parents");
        await sql(
          "CREATE TRIGGER into_seen INSTEAD OF INSERT ON seen BEGIN INSERT INTO parents(n) VALUES(new.n); END",
        );
        await sql("CREATE TABLE changes(a)");
        const db = connect({});
        const asks = "INSERT INTO changes(a) VALUES(last_insert_rowid())";
        const unclear = [
          "INSERT OR IGNORE INTO parents(n) VALUES(1)",
          "INSERT INTO parents(n) VALUES(1) ON CONFLICT DO NOTHING",
          "INSERT INTO parents(n) VALUES(1) ON CONFLICT(n) DO UPDATE SET n = 1",
          "INSERT INTO bare VALUES(1)",
          "INSERT INTO seen(n) VALUES(1)",
        ];
        for (const first of unclear) {
          for (const exactlyOnce of [true, false]) {
            const refused = db.batch([first, asks], { exactlyOnce });
            await assert.rejects(refused, NotSupportedError, first);
          }
          const refused = db.transaction(async (tx) => {
            await tx.execute(first);
            await tx.execute(asks);
          });
          await assert.rejects(refused, NotSupportedError, first);
        }
        const copied = "INSERT INTO parents(n) SELECT 5 WHERE true";
        await assert.rejects(db.batch([copied, asks], { exactlyOnce: false }), NotSupportedError);
        await db.batch([copied, asks, unclear[0]!, asks]);
        assert.equal(await value("SELECT group_concat(a) FROM changes"), "1,2");
      }));

    it("refuse to read a view of a clock, chance or counter, and write through one", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE t(a, clock)");
        await sql("CREATE VIEW clock AS SELECT julianday('now') AS at");
        await sql("CREATE VIEW chance AS SELECT random() AS r");
        await sql("CREATE VIEW counter AS SELECT last_insert_rowid() AS id, at FROM clock");
        await sql("CREATE VIEW plain AS SELECT a FROM t");
        await sql(
          "CREATE TRIGGER into_clock INSTEAD OF INSERT ON clock BEGIN INSERT INTO t VALUES(new.at, 0); END",
        );
        const db = connect({});
        for (
          const read of [
            "INSERT INTO t(a) SELECT at FROM clock",
            "INSERT INTO t(a) VALUES((SELECT r FROM main.chance))",
            "UPDATE t SET a = 1 WHERE a IN (SELECT id FROM t JOIN counter)",
            'WITH c AS (SELECT * FROM "Clock") DELETE FROM t WHERE a < (SELECT at FROM c)',
            "INSERT INTO t(a) SELECT at FROM plain, clock",
            "INSERT INTO t(a) SELECT at FROM plain x JOIN plain y ON x.a = y.a, main.clock",
            "INSERT INTO t(a) SELECT at FROM (plain, (clock))",
            "DELETE FROM t WHERE a IN chance",
            "CREATE TABLE copied AS SELECT at FROM plain, clock",
          ]
        ) {
          const refused = {
            name: "NotSupportedError",
            message: /^Cannot read the view ".*" in a write/,
          };
          for (const exactlyOnce of [true, false]) {
            // A client of its own has to ask for the schema first.
            await assert.rejects(connect({ exactlyOnce }).execute(read), refused, read);
          }
          await assert.rejects(db.transaction((tx) => tx.execute(read)), refused, read);
          await assert.rejects(
            db.transaction((tx) => tx.execute(read), { mode: "lazy" }),
            refused,
            read,
          );
        }
        await db.execute("INSERT INTO clock(at) VALUES(5)");
        await db.execute("INSERT INTO t(a) SELECT a + 1 FROM plain");
        await db.execute("UPDATE t SET clock = 1 WHERE t.clock IS NULL");
        await db.execute("UPDATE t SET (a, clock) = (a, clock) WHERE a IN (clock, a)");
        await db.execute(
          "CREATE TABLE copied AS SELECT a, t.clock, (clock) AS chance FROM t x JOIN t USING (a, clock)",
        );
        assert.equal(await value("SELECT group_concat(a) FROM t"), "5,6");
        const made = "CREATE VIEW fresh AS SELECT julianday('now') AS at";
        const both = [made, "CREATE TABLE moment AS SELECT * FROM fresh"];
        await assert.rejects(db.batch(both), NotSupportedError);
        const read = "INSERT INTO t(a) SELECT at FROM fresh";
        const list = [made, read, "DROP VIEW fresh", "INSERT INTO t(a) VALUES(7)"];
        for (const options of WAYS) {
          await assert.rejects(db.batch(list, options), NotSupportedError);
        }
        await assert.rejects(
          db.transaction(async (tx) => {
            for (const one of both) await tx.execute(one);
          }),
          NotSupportedError,
        );
      }));

    it("refuse a table with a CHECK of a clock, chance or counter, whose rows a restart would lose", () =>
      run(async ({ connect, sql, value }) => {
        const clocks = {
          bookings: "id INTEGER PRIMARY KEY, due TEXT CHECK (due > CURRENT_TIMESTAMP)",
          draws: "id INTEGER PRIMARY KEY, due, CONSTRAINT luck CHECK (abs(random()) > due)",
        };
        for (const [table, columns] of Object.entries(clocks)) {
          await sql(`CREATE TABLE ${table}(${columns})`);
          const writes = [
            `INSERT INTO ${table}(due) VALUES('9999-01-01')`,
            `REPLACE INTO main."${table}"(due) SELECT 1`,
            `INSERT INTO ${table} DEFAULT VALUES`,
            `UPDATE OR IGNORE ${table} SET due = '9999-01-02'`,
          ];
          const refused = { name: "NotSupportedError", message: /^Cannot write to ".*CHECK/ };
          for (const write of writes) {
            // An UPDATE without an id asks for no schema.
            for (const exactlyOnce of write.startsWith("UPDATE") ? [true] : [true, false]) {
              await assert.rejects(connect({ exactlyOnce }).execute(write), refused, write);
            }
            const db = connect({});
            await assert.rejects(db.batch([write]), refused, write);
            await assert.rejects(db.transaction((tx) => tx.execute(write)), refused, write);
          }
          await connect({}).execute(`DELETE FROM ${table} WHERE due = 1`);
          assert.equal(await value(`SELECT count(*) FROM ${table}`), 0);
        }
        const made =
          "CREATE TABLE checks(a CHECK (a > 0 AND date(a) IS NOT NULL), b, CHECK (a < b))";
        await connect({}).batch([made, "INSERT INTO checks VALUES(1, 2)"]);
        await sql("UPDATE checks SET a = b - 1");
      }));

    it("judge a statement of a batch by the schema where it stands, not by that of before", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE src(a)");
        await sql("INSERT INTO src VALUES(1), (2)");
        for (const options of WAYS) {
          await sql("CREATE TABLE t(a, r DEFAULT (random()))");
          await sql("CREATE VIEW v AS SELECT random() AS a");
          const list = [
            "DROP TABLE t",
            "CREATE TABLE t(a UNIQUE, r DEFAULT 5)",
            "INSERT INTO t(a) SELECT a FROM src",
            "UPDATE t SET r = random() WHERE a = 2",
            "DROP VIEW v",
            "CREATE VIEW v AS SELECT 3 AS a",
            "INSERT INTO t(a) SELECT a FROM v",
          ];
          // It knows the schema of before, as clients do.
          const db = connect({});
          await db.execute("UPDATE src SET a = a");
          await db.batch(list, options);
          assert.equal(await value("SELECT group_concat(a) FROM t WHERE r = 5"), "1,3");
          for (const gone of ["TABLE t", "VIEW v"]) await sql(`DROP ${gone}`);
        }
      }));

    it("let DDL of many calls and clients through, beside ordinary writes", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE t(a)");
        const clients = [connect({}), connect({}), connect({})];
        await Promise.all(
          clients.flatMap((db, c) =>
            Array.from({ length: 8 }, async (_, i) => {
              await db.execute(`CREATE TABLE t_${c}_${i}(a)`);
              await db.execute("CREATE TABLE IF NOT EXISTS common(a)");
              await db.execute("INSERT INTO t VALUES(1)");
            })
          ),
        );
        assert.equal(await value("SELECT count(*) FROM t"), 24);
      }));

    it("tell the same call from another one under an id whose answer was lost", () =>
      run(async ({ db, network, value, sql }) => {
        await sql("CREATE TABLE t(a)");
        await db.execute("INSERT INTO t VALUES(1)", [], { id: "k" });
        let sent = 0;
        network.plan = () => ++sent === 1 ? "lose answer" : "pass";
        const other = db.execute("INSERT INTO t VALUES(2)", [], { id: "k" });
        await assert.rejects(other, ProgrammingError);
        sent = 0;
        const same = await db.execute("INSERT INTO t VALUES(1)", [], { id: "k" });
        assert.equal(same.rowsAffected, -1);
        assert.equal(await value("SELECT group_concat(a) FROM t"), "1");
      }));

    it("answer rows of RETURNING from a view with a trigger, and of none", () =>
      run(async ({ connect, sql, value }) => {
        await sql("CREATE TABLE t(a)");
        await sql("CREATE VIEW v AS SELECT a FROM t");
        await sql(
          "CREATE TRIGGER vi INSTEAD OF INSERT ON v BEGIN INSERT INTO t VALUES(new.a); END",
        );
        const db = connect({});
        const { rows } = await db.execute("INSERT INTO v(a) VALUES(7) RETURNING a");
        assert.deepEqual(rows, [{ a: 7 }]);
        assert.equal(await value("SELECT a FROM t"), 7);
        assert.deepEqual((await db.execute("DELETE FROM t WHERE 0 RETURNING a")).rows, []);
        await db.execute("INSERT INTO t VALUES(8)");
      }));
  });
}

describe("writes on three nodes", { skip: skipWithoutRqlited() }, () => {
  it("leave equal replicas where a table is made beside its first rows", async () => {
    const cluster = await startCluster(3);
    try {
      const db = connect(cluster.urls);
      for (let i = 0; i < 5; i++) {
        const made =
          `CREATE TABLE t${i}(id INTEGER PRIMARY KEY, r DEFAULT (random()), at DEFAULT CURRENT_TIMESTAMP)`;
        await db.batch([made, `INSERT INTO t${i}(id) VALUES(1), (2)`]);
      }
      // NOT NULL is kept by the default in place of a NULL.
      await db.batch([
        "CREATE TABLE filled(id INTEGER PRIMARY KEY, at NOT NULL DEFAULT (julianday('now')))",
        "INSERT INTO filled VALUES(1, 0), (2, 0), (3, 0)",
      ]);
      await db.execute("UPDATE OR REPLACE filled SET at = NULL WHERE id = 1");
      await db.transaction((tx) =>
        tx.execute("UPDATE OR REPLACE filled SET at = NULL WHERE id = 2")
      );
      await db.execute("UPDATE OR REPLACE filled SET at = NULL WHERE id = 3", [], {
        exactlyOnce: false,
      });
      const token = "UPDATE t0 SET r = random() WHERE id = ?";
      for (const exactlyOnce of [true, false]) await db.execute(token, [1], { exactlyOnce });
      await db.transaction((tx) => tx.execute(token, [2]), { mode: "lazy" });
      await equalReplicas(cluster);
      await db.close();
    } finally {
      await cluster.stop();
    }
  });
});
