import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  IntegrityError,
  InterfaceError,
  NotSupportedError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
  type Transaction,
  TransactionConflictError,
} from "../../mod.ts";
import { PLACES, type World } from "./world.ts";

interface Account {
  readonly id: number;
  readonly n: number;
}

async function accounts({ sql }: World): Promise<void> {
  await sql("CREATE TABLE a(id INTEGER PRIMARY KEY, n INTEGER UNIQUE, note TEXT)");
  await sql("INSERT INTO a(id, n) VALUES(1, 10), (2, 20)");
}

const read = async (tx: Pick<Transaction, "query">, id: number): Promise<number> => {
  const { rows } = await tx.query<Account>("SELECT id, n FROM a WHERE id = ?", [id]);
  return rows[0]!.n;
};

const write = (tx: Pick<Transaction, "execute">, id: number, n: number) =>
  tx.execute("UPDATE a SET n = ? WHERE id = ?", [n, id]);

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () =>
      place.run(async (world) => {
        await accounts(world);
        await body(world);
      }));

  describe(`transaction() on ${place.name}`, { skip: place.skip }, () => {
    test("reads its own writes, and shows nothing to others before it commits", async (world) => {
      const { db, value } = world;
      await db.transaction(async (tx) => {
        const { rowsAffected } = await write(tx, 1, 11);
        assert.equal(rowsAffected, 1);
        assert.equal(await read(tx, 1), 11);
        assert.equal(await value("SELECT n FROM a WHERE id = 1"), 10);
      });
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
    });

    test("answers ids, counts and the rows of RETURNING, and stores what it answered", async (world) => {
      const { db, other } = world;
      const seen = await db.transaction(async (tx) => {
        const { lastInsertId } = await tx.execute("INSERT INTO a(n) VALUES(30)");
        const { rows } = await tx.execute<Account>(
          "INSERT INTO a(n, note) VALUES(?, random()) RETURNING id, note",
          [40],
        );
        const { rows: stored } = await tx.query("SELECT id, note FROM a WHERE n = 40");
        assert.deepEqual(stored, rows);
        return { lastInsertId, rows };
      });
      assert.equal(seen.lastInsertId, 3);
      const { rows } = await other.query("SELECT id, note FROM a WHERE n = 40");
      assert.deepEqual(rows, seen.rows);
    });

    test("goes on after a constraint error that was caught", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        await assert.rejects(tx.execute("INSERT INTO a(n) VALUES(10)"), IntegrityError);
        await assert.rejects(
          tx.execute("INSERT INTO a(n) VALUES(20) RETURNING id"),
          IntegrityError,
        );
        await assert.rejects(tx.execute("INSERT INTO nowhere VALUES(1)"), ProgrammingError);
        await assert.rejects(tx.query("SELECT abs(-9223372036854775808)"), /integer overflow/);
        await tx.execute("INSERT INTO a(n) VALUES(30)");
        await assert.rejects(tx.query("SELECT nothing FROM a"), ProgrammingError);
        await assert.rejects(tx.query("SELECT json('x') FROM a"), /malformed JSON/);
        assert.equal(await read(tx, 3), 30);
      });
      assert.equal(await value("SELECT count(*) FROM a"), 3);
    });

    test("runs again when what it read was changed, and takes effect once", async (world) => {
      const { db, sql, value } = world;
      let runs = 0;
      const result = await db.transaction(async (tx) => {
        const n = await read(tx, 1);
        if (++runs === 1) await sql("UPDATE a SET n = 15 WHERE id = 1");
        await write(tx, 1, n + 1);
        return runs;
      });
      assert.deepEqual([result, runs], [2, 2]);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 16);
    });

    test("gives up after `retries`, says how often it ran, and nothing is kept", async (world) => {
      const { db, sql, value } = world;
      let runs = 0;
      const work = db.transaction(async (tx) => {
        await read(tx, 1);
        await sql(`UPDATE a SET n = ${100 + ++runs} WHERE id = 1`);
        await write(tx, 2, 21);
      }, { retries: 2 });
      const error = await work.then(() => assert.fail(), (error: unknown) => error);
      assert.ok(error instanceof TransactionConflictError, String(error));
      assert.equal(error.attempts, 3);
      assert.equal(error.retryable, true);
      assert.equal(await value("SELECT n FROM a WHERE id = 2"), 20);
    });

    test("throws what the function throws, and keeps nothing", async ({ db, value }) => {
      const mine = new Error("mine");
      await assert.rejects(
        db.transaction(async (tx) => {
          await write(tx, 1, 11);
          throw mine;
        }),
        (error) => error === mine,
      );
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 10);
    });

    test("sends statements that were issued together in one request, in order", async (world) => {
      const { db, network, value } = world;
      await db.transaction((tx) => write(tx, 1, 12));
      const before = network.requests.length;
      await db.transaction(async (tx) => {
        const [first, second, rows] = await Promise.all([
          write(tx, 1, 13),
          tx.execute("UPDATE a SET n = n + 1 WHERE id = 1"),
          tx.query<Account>("SELECT n FROM a WHERE id = 1"),
        ]);
        assert.deepEqual([first.rowsAffected, second.rowsAffected], [1, 1]);
        assert.equal(rows.rows[0]!.n, 14);
      });
      assert.deepEqual(network.requests.slice(before), ["/db/request", "/db/execute"]);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 14);
    });

    test("runs the others when one of several issued together fails", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        const ended = await Promise.allSettled([
          write(tx, 1, 13),
          tx.execute("INSERT INTO a(n) VALUES(20)"),
          tx.execute("INSERT INTO nowhere VALUES(1)"),
          tx.execute("INSERT INTO a(n) VALUES(30)"),
        ]);
        const states = ended.map(({ status }) => status);
        assert.deepEqual(states, ["fulfilled", "rejected", "rejected", "fulfilled"]);
      });
      assert.equal(
        await value("SELECT group_concat(n) FROM (SELECT n FROM a ORDER BY n)"),
        "13,20,30",
      );
    });

    test("runs DDL, and sees what it made", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        await tx.execute("CREATE TABLE b(x, y)");
        await tx.execute("INSERT INTO b VALUES(1, 2)");
        await tx.execute("ALTER TABLE b ADD COLUMN z DEFAULT 3");
        assert.deepEqual((await tx.query("SELECT * FROM b")).rows, [{ x: 1, y: 2, z: 3 }]);
      });
      assert.equal(await value("SELECT z FROM b"), 3);
      await assert.rejects(
        db.transaction(async (tx) => {
          await tx.execute("DROP TABLE b");
          await assert.rejects(tx.query("SELECT * FROM b"), ProgrammingError);
          throw new Error("undo");
        }),
        /undo/,
      );
      assert.equal(await value("SELECT z FROM b"), 3);
    });

    test("undoes what came after a savepoint", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        await write(tx, 1, 11);
        const outer = await tx.savepoint("outer");
        await write(tx, 1, 12);
        await tx.savepoint();
        await tx.execute("DELETE FROM a");
        await tx.rollbackTo("OUTER");
        assert.equal(await read(tx, 1), 11);
        await write(tx, 2, 22);
        await tx.release(outer);
        await assert.rejects(tx.release(outer), ProgrammingError);
        await assert.rejects(tx.rollbackTo("nothing"), ProgrammingError);
      });
      assert.equal(await value("SELECT group_concat(n) FROM a"), "11,22");
    });

    test("nests: an inner transaction that throws is undone, the outer one goes on", async (world) => {
      const { db, value } = world;
      await db.transaction(async (tx) => {
        await tx.transaction((inner) => write(inner, 1, 11));
        await assert.rejects(
          tx.transaction(async (inner) => {
            await write(inner, 2, 22);
            throw new Error("inner");
          }),
          /inner/,
        );
        assert.equal(await read(tx, 2), 20);
      });
      assert.equal(await value("SELECT group_concat(n) FROM a"), "11,20");
    });

    test("refuses inside what its one commit cannot honour", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        for (const options of [{ id: "order-7" }, { exactlyOnce: false }]) {
          const inside = { name: "TypeError", message: /inside a transaction/ };
          await assert.rejects(tx.execute("DELETE FROM a", [], options), inside);
          await assert.rejects(tx.batch(["DELETE FROM a"], options), inside);
        }
        await tx.execute("DELETE FROM a WHERE id = 1", [], { exactlyOnce: true });
      });
      assert.equal(await value("SELECT group_concat(id) FROM a"), "2");
    });

    test("runs a batch inside as one unit", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        const bad = tx.batch([
          ["UPDATE a SET n = ? WHERE id = 1", 11],
          "INSERT INTO a(n) VALUES(20)",
        ]);
        await assert.rejects(bad, (error: IntegrityError) => error.statementIndex === 1);
        assert.equal(await read(tx, 1), 10);
        const [one, , rows] = await tx.batch([
          ["UPDATE a SET n = ? WHERE id = 1", 11],
          "-- nothing",
          "SELECT n FROM a",
        ]);
        assert.equal(one!.rowsAffected, 1);
        assert.equal(rows!.rows.length, 2);
      });
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
    });

    test("refuses a stale copy of a commit after the value came back: 0, 1, 0", async (world) => {
      const { db, network, sql, value } = world;
      const tx = await db.begin();
      await tx.query("SELECT n FROM a WHERE id = 1");
      await tx.execute("UPDATE a SET n = n + 5 WHERE id = 2");
      await sql("UPDATE a SET n = 99 WHERE id = 1");
      await assert.rejects(tx.commit(), TransactionConflictError);
      assert.equal(tx.state, "rolledback");
      await sql("UPDATE a SET n = 10 WHERE id = 1");
      for (const copy of network.copies) await network.deliver(copy);
      assert.equal(await value("SELECT n FROM a WHERE id = 2"), 20);
      assert.equal(await db.outcome(tx.id), "not committed");
    });

    test("answers the result of an earlier run whose refused commit took effect late", async (world) => {
      const { db, network, sql, value } = world;
      await db.transaction((tx) => write(tx, 2, 20));
      const { copies } = network;
      const first = copies.length;
      let runs = 0;
      const result = await db.transaction(async (tx) => {
        const run = ++runs;
        await read(tx, 1);
        await tx.execute("UPDATE a SET n = n + 5 WHERE id = 2");
        if (run === 1) await sql("UPDATE a SET n = 99 WHERE id = 1");
        if (run === 2) {
          await sql("UPDATE a SET n = 10 WHERE id = 1");
          await network.deliver(copies[first]!);
        }
        return run;
      });
      assert.equal(await value("SELECT n FROM a WHERE id = 2"), 25);
      assert.equal(result, 1);
    });

    test("reports a commit whose answer was lost as committed, once", async ({ db, network, value }) => {
      await db.transaction((tx) => write(tx, 2, 20));
      for (const fate of ["lose answer", "double"] as const) {
        let sent = 0;
        network.plan = () => sent++ === 0 ? fate : "pass";
        await db.transaction((tx) => tx.execute("UPDATE a SET n = n + 1 WHERE id = 1"));
      }
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 12);
    });

    test("says with the id that a commit is unknown, and tells later", async (world) => {
      const { db, network, value } = world;
      await db.transaction((tx) => write(tx, 2, 20));
      network.plan = () => "delay";
      const tx = await db.begin();
      await write(tx, 1, 11);
      const error = await tx.commit().then(() => assert.fail(), (error: unknown) => error);
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(tx.state, "unknown");
      assert.equal(error.id, tx.id);
      network.plan = () => "pass";
      assert.equal(await db.outcome(tx.id), "not committed");
      for (const copy of network.copies) await network.deliver(copy);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 10);
    });

    test("holds all reads of a transaction that writes nothing in one snapshot", async (world) => {
      const { db, network, sql } = world;
      let runs = 0;
      const seen = await db.transaction(async (tx) => {
        const one = await read(tx, 1);
        if (++runs === 1) await sql("UPDATE a SET n = n + 100");
        return [one, await read(tx, 2)];
      });
      assert.deepEqual(seen, [110, 120]);
      const before = network.requests.length;
      await db.transaction((tx) => Promise.all([read(tx, 1), read(tx, 2)]), { readOnly: true });
      assert.equal(network.requests.length - before, 1);
      const writes = db.transaction((tx) => write(tx, 1, 1), { readOnly: true });
      await assert.rejects(writes, NotSupportedError);
    });

    test("checks the rows behind RETURNING: a counter never answers a number twice", async (world) => {
      const { db, other, value } = world;
      const next = async (tx: Pick<Transaction, "execute">): Promise<number> => {
        const { rows } = await tx.execute<Account>(
          "UPDATE a SET n = n + ? WHERE id = ? RETURNING n, CASE WHEN n IS DISTINCT FROM ? THEN 1 END",
          [1, 1, 0],
        );
        return rows[0]!.n;
      };
      let runs = 0;
      const seen = await db.transaction(async (tx) => {
        const n = await next(tx);
        if (++runs === 1) await other.transaction(next);
        return n;
      });
      assert.deepEqual([seen, runs], [12, 2]);
      await db.transaction(async (tx) => {
        const { rows } = await tx.execute("DELETE FROM a WHERE id = ? RETURNING note", [2]);
        assert.deepEqual(rows, [{ note: ++runs === 3 ? null : "changed" }]);
        if (runs === 3) await other.execute("UPDATE a SET note = 'changed' WHERE id = 2");
      });
      assert.equal(runs, 4);
      assert.equal(await value("SELECT count(*) FROM a"), 1);
    });

    test("survives a trigger that ends the transaction, also behind RETURNING", async (world) => {
      const { db, sql, value } = world;
      await sql(
        "CREATE TRIGGER no BEFORE INSERT ON a WHEN new.n = 13 BEGIN SELECT RAISE(ROLLBACK, 'unlucky'); END",
      );
      for (const isolation of ["serializable", "none"] as const) {
        await db.transaction(async (tx) => {
          await tx.execute("UPDATE a SET n = n + 1 WHERE id = 1");
          const ended = await Promise.allSettled([
            tx.execute("INSERT INTO a(n) VALUES(13) RETURNING id"),
            tx.execute("INSERT INTO a(n) VALUES(13)"),
            tx.execute("UPDATE a SET n = n + 1 WHERE id = 2 RETURNING n"),
          ]);
          assert.deepEqual(ended.map(({ status }) => status), [
            "rejected",
            "rejected",
            "fulfilled",
          ]);
        }, { isolation });
      }
      assert.equal(await value("SELECT group_concat(n) FROM a"), "12,22");
    });

    test("lazy: n writes are one request; an error surfaces with its statement", async (world) => {
      const { db, network, value } = world;
      await db.transaction((tx) => write(tx, 2, 20));
      const before = network.requests.length;
      await db.transaction(async (tx) => {
        for (let i = 0; i < 10; i++) {
          const { rowsAffected } = await tx.execute("INSERT INTO a(n) VALUES(?)", [100 + i]);
          assert.equal(rowsAffected, -1);
        }
      }, { mode: "lazy" });
      assert.equal(network.requests.length - before, 1);
      assert.equal(await value("SELECT count(*) FROM a"), 12);
      const failing = async (tx: Transaction): Promise<void> => {
        await tx.execute("INSERT INTO a(n) VALUES(200)");
        await tx.execute("INSERT INTO a(n) VALUES(100)");
      };
      const isSecond = (error: IntegrityError) =>
        error instanceof IntegrityError && error.statementIndex === 1;
      await assert.rejects(db.transaction(failing, { mode: "lazy" }), isSecond);
      const tx = await db.begin({ mode: "lazy" });
      await failing(tx);
      await assert.rejects(tx.query("SELECT count(*) FROM a"), isSecond);
      await assert.rejects(tx.commit(), isSecond);
      assert.equal(await value("SELECT count(*) FROM a"), 12);
    });

    test("isolation none: writes are atomic, reads are not checked", async ({ db, sql, value }) => {
      await db.transaction(async (tx) => {
        const n = await read(tx, 1);
        await sql("UPDATE a SET n = 50 WHERE id = 1");
        await write(tx, 1, n + 1);
      }, { isolation: "none" });
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
    });

    test("scope: transactions of one scope see each other even where no row is shared", async (world) => {
      const { db, other, value } = world;
      const tokens: (bigint | undefined)[] = [];
      let runs = 0;
      await db.transaction(async (tx) => {
        await tx.query("SELECT 1");
        tokens.push(tx.fencingToken);
        if (++runs === 1) {
          await other.transaction((tx) => write(tx, 2, 21), { scope: "stock" });
        }
        await write(tx, 1, 11);
      }, { scope: "stock" });
      assert.deepEqual(tokens, [1n, 2n]);
      assert.equal(await value("SELECT version FROM _rqlite_version WHERE name = 'stock'"), 2);
    });

    test("refuses what has no place in a transaction", async ({ db }) => {
      await db.transaction(async (tx) => {
        for (
          const sql of [
            "BEGIN",
            "COMMIT",
            "SAVEPOINT x",
            "VACUUM",
            "ATTACH 'x' AS y",
            "PRAGMA foreign_keys = OFF",
            "PRAGMA optimize",
            "CREATE TEMP TABLE x(a)",
            "DELETE FROM _rqlite_commit",
            'UPDATE "_rqlite_version" SET version = 1',
          ]
        ) {
          const refused = tx.execute(sql);
          await assert.rejects(refused, /^(NotSupportedError|ProgrammingError)/, sql);
        }
        for (const sql of ["SELECT random()", "SELECT * FROM a ORDER BY random()"]) {
          await assert.rejects(tx.query(sql), {
            name: "NotSupportedError",
            code: "ERR_UNCHECKABLE",
            message: /guard: false/,
          });
        }
        const unguarded = await tx.query("SELECT random() AS r", [], {
          guard: false,
          integers: "auto",
        });
        assert.equal(unguarded.rows.length, 1);
        await assert.rejects(tx.query("DELETE FROM a"), ProgrammingError);
        const now = await tx.query<{ same: number }>(
          "SELECT datetime('now') = CURRENT_TIMESTAMP AS same",
        );
        assert.equal(now.rows[0]!.same, 1);
        assert.ok((await tx.query("PRAGMA table_info(a)")).rows.length > 0);
        await write(tx, 1, 11);
      });
    });

    test("ends once: commit, rollback and statements behind them", async ({ db, value }) => {
      const tx = await db.begin();
      await write(tx, 1, 11);
      await tx.commit();
      assert.equal(tx.state, "committed");
      await assert.rejects(tx.commit(), InterfaceError);
      await assert.rejects(read(tx, 1), InterfaceError);
      await tx.rollback();
      assert.equal(await db.outcome(tx.id), "committed");
      const undone = await db.begin();
      await write(undone, 1, 12);
      await undone[Symbol.asyncDispose]();
      assert.equal(undone.state, "rolledback");
      await assert.rejects(write(undone, 1, 13), InterfaceError);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
    });

    test("commits what nobody awaited, and refuses to where it failed", async ({ db, value }) => {
      await db.transaction((tx) => {
        write(tx, 1, 11);
        return Promise.resolve();
      });
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
      const forgotten = db.transaction((tx) => {
        write(tx, 1, 12);
        tx.execute("INSERT INTO a(n) VALUES(20)");
        return Promise.resolve();
      });
      await assert.rejects(forgotten, IntegrityError);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 11);
    });

    test("runs again where the function swallowed the conflict", async ({ db, sql, value }) => {
      let runs = 0;
      await db.transaction(async (tx) => {
        await tx.execute("INSERT INTO a(id, n) VALUES(9, 90)");
        if (++runs === 1) await sql("INSERT INTO a(id, n) VALUES(9, 91)");
        try {
          await write(tx, 1, 11);
        } catch (error) {
          assert.ok(error instanceof TransactionConflictError);
          await sql("DELETE FROM a WHERE id = 9");
        }
      });
      assert.equal(runs, 2);
      assert.equal(await value("SELECT n FROM a WHERE id = 9"), 90);
    });

    test("ends with the caller's reason, or when time is up", async ({ db, value }) => {
      const controller = new AbortController();
      const tx = await db.begin({ signal: controller.signal });
      await write(tx, 1, 11);
      const reason = new Error("stop");
      controller.abort(reason);
      assert.equal(tx.signal.reason, reason);
      await assert.rejects(write(tx, 1, 12), (error) => error === reason);
      await assert.rejects(tx.commit(), (error) => error === reason);
      assert.equal(tx.state, "rolledback");
      const late = db.transaction(async (tx) => {
        await write(tx, 1, 12);
        await new Promise((resolve) => tx.signal.addEventListener("abort", resolve));
      }, { timeout: 300 });
      await assert.rejects(late, TimeoutError);
      assert.equal(await value("SELECT n FROM a WHERE id = 1"), 10);
    });
  });
}
