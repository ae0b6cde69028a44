// How a transaction ends is what was stored: nothing is lost in silence, and no error says more than is known.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type Client,
  IntegrityError,
  InterfaceError,
  NotSupportedError,
  OutcomeUnknownError,
  ProgrammingError,
  type Transaction,
  TransactionConflictError,
  type TransactionQueryOptions,
} from "../../mod.ts";
import { onRqliteError, rqlite } from "../../src/hono/mod.ts";
import { COPIES } from "../hono/copies.ts";
import { sleep } from "../support/http.ts";
import { PLACES, type World } from "./world.ts";

const DEBIT = "UPDATE accounts SET balance = balance - 130 WHERE id = 1";
const CREDIT = "UPDATE accounts SET balance = balance + 130 WHERE id = 2";

async function accounts({ sql }: World): Promise<void> {
  await sql(
    "CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER CHECK (balance >= 0), note TEXT)",
  );
  await sql("INSERT INTO accounts(id, balance) VALUES(1, 100), (2, 0)");
}

const balances = ({ value }: World): Promise<unknown> =>
  value("SELECT group_concat(balance) FROM (SELECT balance FROM accounts ORDER BY id)");

const MODES = ["eager", "lazy"] as const;

/** What is issued and forgotten, and fails. */
const FORGOTTEN: Record<string, (tx: Transaction) => Promise<unknown>> = {
  "a debit that fails its CHECK": (tx) => tx.execute(DEBIT),
  "a debit with RETURNING": (tx) => tx.execute(`${DEBIT} RETURNING balance`),
  "a debit of a batch": (tx) => tx.batch([DEBIT]),
};

/** How a caller deals with a statement that fails. */
const HANDLED: Record<string, (tx: Transaction) => Promise<unknown>> = {
  "try": async (tx) => {
    try {
      await tx.execute(DEBIT);
    } catch (error) {
      assert.ok(error instanceof IntegrityError, String(error));
    }
  },
  "catch()": (tx) => tx.execute(DEBIT).catch(() => {}),
  "then()": (tx) => tx.execute(DEBIT).then(() => assert.fail(), () => {}),
  "Promise.allSettled()": (tx) => Promise.allSettled([tx.execute(DEBIT), tx.execute("SELEKT")]),
  "catch() of Promise.all()": (tx) =>
    Promise.all([tx.execute(DEBIT), tx.query("SELECT nothing FROM accounts")]).catch(() => {}),
  "catch() of a nested transaction": (tx) =>
    tx.transaction((inner) => inner.execute(DEBIT)).catch(() => {}),
  "catch(), later": async (tx) => {
    const debit = tx.execute(DEBIT);
    await tx.query("SELECT 1");
    await debit.catch(() => {});
  },
};

/** The network of a client that hangs up: what goes wrong with its commit, and then with everything. */
type Loss = "never answered" | "lost, and nothing answers any more" | "never arrived";

/** A client whose next commit meets this loss; `met` resolves when it has. */
function losing({ connect, network }: World, loss: Loss): { client: Client; met: Promise<void> } {
  let meet: () => void;
  const met = new Promise<void>((resolve) => meet = resolve);
  let lost = false;
  const silent = (signal: AbortSignal | null | undefined): Promise<never> =>
    new Promise((_, reject) => {
      signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
    });
  const fetch = async (input: string | URL | Request, init: RequestInit = {}) => {
    if (lost) return await silent(init.signal);
    const body = init.body ? await new Response(init.body).text() : "";
    const commits = body.includes("INSERT INTO _rqlite_commit") && body.includes("accounts");
    if (!commits) return await network.fetch(input, init);
    lost = true;
    const { signal, ...kept } = init;
    if (loss !== "never arrived") {
      await (await network.fetch(input, { ...kept, body })).text();
    }
    meet();
    if (loss === "lost, and nothing answers any more") throw new TypeError("fetch failed");
    return await silent(signal);
  };
  return { client: connect({ fetch: fetch as typeof globalThis.fetch }), met };
}

const LOSSES: Record<Loss, "committed" | "not committed"> = {
  "never answered": "committed",
  "lost, and nothing answers any more": "committed",
  "never arrived": "not committed",
};

const COUNTERS = [
  "SELECT last_insert_rowid()",
  "SELECT LAST_INSERT_ROWID ( ) AS id",
  "SELECT changes() AS n",
  "SELECT total_changes()",
  "SELECT * FROM accounts WHERE id = last_insert_rowid()",
  "WITH c AS (SELECT changes() AS n) SELECT n FROM c",
];

const OWN_TABLES = [
  "SELECT * FROM _rqlite_commit",
  'SELECT count(*) FROM main."_rqlite_commit"',
  "SELECT version FROM _rqlite_version",
  "SELECT 1 FROM accounts WHERE EXISTS (SELECT 1 FROM [_rqlite_lock])",
];

/** Neither a counter nor a table of ours. */
const HARMLESS = [
  "SELECT 'changes() of _rqlite_commit' AS text",
  "SELECT 1 AS changes, 2 AS total_changes /* last_insert_rowid() */",
];

const many = <T>(count: number, make: (i: number) => T): T[] =>
  Array.from({ length: count }, (_, i) => make(i));

/** Reads that a server runs, and whose guard may be more than it takes. */
const LARGE: Record<string, readonly [sql: string, params: number[]]> = {
  "32,766 parameters": [
    `SELECT balance FROM accounts WHERE id IN (${many(32_766, () => "?").join()})`,
    many(32_766, (i) => i),
  ],
  "20,000 parameters": [
    `SELECT balance FROM accounts WHERE id IN (${many(20_000, () => "?").join()})`,
    many(20_000, (i) => i),
  ],
  "2,000 columns": [`SELECT ${many(2000, (i) => `id + ${i} AS c${i}`).join()} FROM accounts`, []],
  "2,000 columns in an order": [
    `SELECT ${many(2000, (i) => `id + ${i} AS c${i}`).join()} FROM accounts ORDER BY balance`,
    [],
  ],
  "an expression of the greatest depth": [
    `SELECT ${many(990, () => "1").join(" + ")} AS n FROM accounts`,
    [],
  ],
  "500 SELECTs": [many(500, (i) => `SELECT id, ${i} FROM accounts`).join(" UNION ALL "), []],
};

for (const place of PLACES) {
  const test = (name: string, body: (world: World) => Promise<void>) =>
    it(name, () =>
      place.run(async (world) => {
        await accounts(world);
        await body(world);
      }));

  describe(`ends of transactions on ${place.name}`, { skip: place.skip }, () => {
    for (const mode of MODES) {
      for (const [what, forget] of Object.entries(FORGOTTEN)) {
        test(`commit() fails with the error of ${what} that nobody waited for, ${mode}`, async (world) => {
          const tx = await world.db.begin({ mode });
          void forget(tx);
          await tx.execute(CREDIT);
          await assert.rejects(tx.commit(), IntegrityError);
          assert.equal(tx.state, "rolledback");
          assert.equal(await balances(world), "100,0");
        });

        test(`transaction() fails with the error of ${what} that nobody waited for, ${mode}`, async (world) => {
          let runs = 0;
          const work = world.db.transaction(async (tx) => {
            runs++;
            void forget(tx);
            await tx.execute(CREDIT);
          }, { mode });
          await assert.rejects(work, IntegrityError);
          assert.equal(runs, 1);
          assert.equal(await balances(world), "100,0");
        });
      }

      for (const [how, handle] of Object.entries(HANDLED)) {
        // Lazy writes fail at the commit, which keeps nothing then.
        if (mode === "lazy" && how !== "catch() of a nested transaction") continue;
        test(`a statement whose error is handled by ${how} does not fail the commit, ${mode}`, async (world) => {
          const tx = await world.db.begin({ mode });
          await handle(tx);
          await tx.execute(CREDIT);
          await tx.commit();
          assert.equal(tx.state, "committed");
          assert.equal(await balances(world), "100,130");
        });
      }

      test(`a nested transaction that failed is not stored when its obstacle is gone, ${mode}`, async (world) => {
        const { db, sql, value } = world;
        await sql("INSERT INTO accounts VALUES(5, 5, 'obstacle')");
        const tx = await db.begin({ mode });
        await tx.execute("INSERT INTO accounts VALUES(3, 3, 'outer')");
        const nested = tx.transaction(async (inner) => {
          await inner.execute("INSERT INTO accounts VALUES(4, 4, 'nested')");
          await inner.execute("INSERT INTO accounts VALUES(5, 50, 'nested')");
        });
        await assert.rejects(nested, IntegrityError);
        await sql("DELETE FROM accounts WHERE id = 5");
        const outer = await tx.commit().then(() => 1, (error: unknown) => {
          assert.ok(error instanceof TransactionConflictError, String(error));
          return 0;
        });
        assert.equal(await value("SELECT count(*) FROM accounts WHERE note = 'nested'"), 0);
        assert.equal(await value("SELECT count(*) FROM accounts WHERE note = 'outer'"), outer);
      });

      test(`a nested transaction that failed before anything was read stays undone, ${mode}`, async (world) => {
        const { db, sql, value } = world;
        await sql("INSERT INTO accounts VALUES(5, 5, 'obstacle')");
        const work = db.transaction(async (tx) => {
          const nested = tx.transaction((inner) =>
            inner.execute("INSERT INTO accounts VALUES(5, 50, 'nested')")
          );
          await nested.catch(() => {});
          await sql("DELETE FROM accounts WHERE id = 5 AND note = 'obstacle'");
          await tx.execute("INSERT INTO accounts VALUES(3, 3, 'outer')");
        }, { mode, retries: 0 });
        const outer = await work.then(() => 1, (error: unknown) => {
          assert.ok(error instanceof TransactionConflictError, String(error));
          return 0;
        });
        assert.equal(await value("SELECT count(*) FROM accounts WHERE note = 'nested'"), 0);
        assert.equal(await value("SELECT count(*) FROM accounts WHERE note = 'outer'"), outer);
      });

      test(`two nested transactions at once are refused, and nothing is stored, ${mode}`, async (world) => {
        const { db, value } = world;
        const insert = (id: number) => (inner: Transaction) =>
          inner.execute("INSERT INTO accounts VALUES(?, 0, 'nested')", [id]);
        const tx = await db.begin({ mode });
        const ended = await Promise.allSettled([
          tx.transaction(insert(3)),
          tx.transaction(insert(4)),
        ]);
        const reasons = ended.flatMap((one) => one.status === "rejected" ? [one.reason] : []);
        assert.ok(reasons.some((reason) => reason instanceof InterfaceError), String(reasons));
        await assert.rejects(tx.commit(), InterfaceError);
        const work = db.transaction(async (tx) => {
          await tx.execute(CREDIT);
          await Promise.allSettled([tx.transaction(insert(3)), tx.transaction(insert(4))]);
        }, { mode });
        await assert.rejects(work, InterfaceError);
        assert.equal(await value("SELECT count(*) FROM accounts"), 2);
        assert.equal(await balances(world), "100,0");
      });

      test(`a nested transaction that nobody waited for is stored as a whole or told, ${mode}`, async (world) => {
        const { db, value } = world;
        for (
          const [id, debit] of [[3, "UPDATE accounts SET note = 'nested'"], [4, DEBIT]] as const
        ) {
          const tx = await db.begin({ mode });
          const nested = tx.transaction(async (inner) => {
            await inner.execute("INSERT INTO accounts VALUES(?, 0, 'nested')", [id]);
            await inner.execute(debit);
          }).then(() => 1, () => 0);
          const committed = await tx.commit().then(() => 1, () => 0);
          // A nested transaction that says that it succeeded is part of what was committed.
          const stored = committed * await nested;
          assert.equal(await value(`SELECT count(*) FROM accounts WHERE id = ${id}`), stored);
        }
      });

      for (const [loss, outcome] of Object.entries(LOSSES) as [Loss, string][]) {
        test(`close() during a commit that is ${loss} leaves its outcome unknown, ${mode}`, async (world) => {
          const { other, value } = world;
          // The helper table is there, and the client has no part in its making.
          await other.transaction((tx) => tx.execute("UPDATE accounts SET note = 'x'"));
          // While an answer is waited for, and in the pauses between attempts.
          for (const [i, wait] of [0, 20, 60, 150].entries()) {
            const { client, met } = losing(world, loss);
            const tx = await client.begin({ mode });
            await tx.execute(CREDIT);
            const failure = tx.commit().then(() => undefined, (error: unknown) => error);
            await met;
            await sleep(wait);
            await client.close();
            const error = await failure;
            assert.ok(error instanceof OutcomeUnknownError, String(error));
            assert.equal(typeof error.id, "string");
            assert.equal(tx.state, "unknown");
            assert.equal(await other.outcome(error.id!), outcome);
            const stored = outcome === "committed" ? (i + 1) * 130 : 0;
            assert.equal(await value("SELECT balance FROM accounts WHERE id = 2"), stored);
          }
        });
      }
    }

    test("transaction() says the same of a commit that close() interrupts", async (world) => {
      const { client, met } = losing(world, "never answered");
      const work = client.transaction((tx) => tx.execute(CREDIT));
      const failure = work.then(() => undefined, (error: unknown) => error);
      await met;
      await client.close();
      const error = await failure;
      assert.ok(error instanceof OutcomeUnknownError, String(error));
      assert.equal(await world.other.outcome(error.id!), "committed");
    });

    test("rollback() succeeds after a statement that failed and that nobody waited for", async (world) => {
      const tx = await world.db.begin();
      void tx.execute(DEBIT);
      await tx.execute(CREDIT);
      await tx.rollback();
      assert.equal(tx.state, "rolledback");
      assert.equal(await balances(world), "100,0");
    });

    test("a read that fails and that nobody waited for fails the commit", async (world) => {
      const tx = await world.db.begin();
      void tx.query("SELECT nothing FROM accounts");
      await tx.execute(CREDIT);
      await assert.rejects(tx.commit(), ProgrammingError);
      assert.equal(await balances(world), "100,0");
    });

    for (const { Hono, version } of COPIES) {
      test(`a handler that does not wait for a debit that fails stores nothing [hono ${version}]`, async (world) => {
        const app = new Hono();
        app.onError(onRqliteError);
        app.use("*", rqlite(world.db, { transaction: true }));
        app.post("/", async (c) => {
          const tx = (c.var as { db: Pick<Client, "execute"> }).db;
          void tx.execute(DEBIT);
          await tx.execute(CREDIT);
          return c.text("transferred");
        });
        const { status } = await app.request("/", { method: "POST" });
        assert.ok(status >= 400, String(status));
        assert.equal(await balances(world), "100,0");
      });
    }

    test("reads of counters and of helper tables are refused at once", async ({ db, network }) => {
      await db.transaction((tx) => tx.execute(CREDIT));
      const tx = await db.begin();
      for (const sql of [...COUNTERS, ...OWN_TABLES]) {
        const before = network.requests.length;
        await assert.rejects(tx.query(sql), NotSupportedError, sql);
        assert.equal(network.requests.length, before, sql);
      }
      for (const sql of HARMLESS) assert.equal((await tx.query(sql)).rows.length, 1, sql);
      await tx.execute("UPDATE accounts SET note = 'kept' WHERE id = 1");
      await tx.commit();
    });

    test("reads of counters are allowed without a guard, those of helper tables never", async ({ db }) => {
      const options: TransactionQueryOptions = { guard: false };
      const tx = await db.begin();
      await tx.execute(CREDIT);
      for (const sql of COUNTERS) await tx.query(sql, [], options);
      for (const sql of OWN_TABLES) {
        await assert.rejects(tx.query(sql, [], options), NotSupportedError, sql);
      }
      await tx.commit();
    });

    test("the message of a conflict names the table of the statement", async (world) => {
      const { db, sql } = world;
      await sql("CREATE TABLE others(n)");
      const reads = await db.begin();
      await reads.query("SELECT n FROM others");
      await reads.query("SELECT balance FROM accounts WHERE id = 1");
      const writes = await db.begin();
      await writes.execute("INSERT INTO others VALUES(1)");
      await writes.execute(
        "UPDATE accounts SET balance = balance + 7 WHERE id = 1 RETURNING balance",
      );
      await sql("UPDATE accounts SET balance = 50 WHERE id = 1");
      await reads.execute("INSERT INTO others VALUES(2)").catch(() => {});
      for (const tx of [reads, writes]) {
        const error = await tx.commit().then(() => assert.fail(), (error: unknown) => error);
        assert.ok(error instanceof TransactionConflictError, String(error));
        assert.match(error.message, /\baccounts\b/);
        assert.doesNotMatch(error.message, /\bothers\b/);
      }
    });

    for (const [what, [sql, params]] of Object.entries(LARGE)) {
      test(`a read of ${what} holds at the commit, or fails as what it is`, async (world) => {
        const { db } = world;
        let runs = 0;
        const work = db.transaction(async (tx) => {
          runs++;
          const { rows } = await tx.query(sql, params, { rows: "array" });
          assert.ok(rows.length > 0);
          await tx.execute(CREDIT);
        });
        const error = await work.then(() => undefined, (error: unknown) => error);
        assert.equal(runs, 1);
        assert.ok(!(error instanceof TransactionConflictError), String(error));
        assert.equal((error as { retryable?: boolean } | undefined)?.retryable ?? false, false);
        assert.equal(await balances(world), error === undefined ? "100,130" : "100,0");
      });
    }
  });
}

for (const place of PLACES) {
  describe(`a transaction of which nobody knows, on ${place.name}`, { skip: place.skip }, () => {
    for (const passes of [true, false]) {
      const what = passes ? "passes" : "is refused";
      it(`is told by its id with the runs before, of which a late copy ${what}`, () =>
        place.run(async ({ db, network, other, sql, value }) => {
          await sql("CREATE TABLE n(v INTEGER)");
          await sql("INSERT INTO n VALUES(0)");
          let runs = 0;
          const ends = await db.transaction(async (tx) => {
            const v = await tx.value<number>("SELECT v FROM n");
            await tx.execute("UPDATE n SET v = ?", [v! + 1]);
            // The first commit meets another row, the second one is lost, and so is what fences both off.
            if (++runs === 1) await sql("UPDATE n SET v = 5");
            else network.plan = () => "delay";
          }, { timeout: 2_000 }).catch((error: unknown) => error);
          assert.ok(ends instanceof OutcomeUnknownError, String(ends));
          assert.equal(runs, 2);
          await sql(`UPDATE n SET v = ${passes ? 0 : 7}`);
          await network.deliver(network.copies[0]!);
          assert.equal(await value("SELECT v FROM n"), passes ? 1 : 7);
          const outcome = await other.outcome(ends.id!);
          assert.equal(outcome, passes ? "committed" : "not committed");
          for (const copy of network.copies) await network.deliver(copy);
          assert.equal(await value("SELECT v FROM n"), passes ? 1 : 7);
        }));
    }
  });
}
