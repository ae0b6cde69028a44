// What a transaction is told is true of what it commits, by brute force: every state of a small table, one write of
// somebody else between any two steps, every kind of statement. What was told is compared with SQLite itself, which
// runs the same on the state that the commit met. TOLD=all runs every case.
import assert from "node:assert/strict";
import process from "node:process";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import {
  type Client,
  IntegrityError,
  type Result,
  type Row,
  type Transaction,
  TransactionConflictError,
} from "../../mod.ts";
import { sleep } from "../support/http.ts";
import { PLACES, type World } from "./world.ts";

const SCHEMA = [
  "CREATE TABLE t(id INTEGER PRIMARY KEY, v INTEGER, u TEXT UNIQUE)",
  "CREATE TABLE s(w INTEGER PRIMARY KEY)",
];

/** Each key is absent or has one of two values. */
const STATES: readonly (readonly number[])[] = Array.from(
  { length: 27 },
  (_, i) => [i % 3, Math.floor(i / 3) % 3, Math.floor(i / 9)],
);

/** Begins a case: the rows of a state, and two rows in the table beside it. */
function reset(state: readonly number[]): string[] {
  const rows = state.flatMap((value, i) =>
    value === 0 ? [] : [`(${i + 1}, ${value - 1}, '${value === 1 ? "u" : "w"}${i + 1}')`]
  );
  return [
    "DELETE FROM t",
    "DELETE FROM s",
    "INSERT INTO s VALUES(1), (2)",
    ...(rows.length === 0 ? [] : [`INSERT INTO t VALUES${rows.join()}`]),
  ];
}

const FOREIGN = [
  undefined,
  "DELETE FROM t",
  "DELETE FROM t WHERE id = 2",
  "INSERT OR REPLACE INTO t VALUES(2, 0, 'u2')",
  "INSERT OR REPLACE INTO t VALUES(2, 1, 'x')",
  "INSERT OR IGNORE INTO t VALUES(3, 1, 'x')",
  "INSERT INTO t(v, u) VALUES(1, NULL)",
  "UPDATE t SET v = 1 - v WHERE id = 1",
  "UPDATE t SET v = v + 1",
  "UPDATE OR REPLACE t SET u = 'u1' WHERE id = 2",
  "UPDATE OR REPLACE t SET id = 2 WHERE id = 1",
  "UPDATE t SET u = NULL",
  "DELETE FROM s WHERE w = 2",
  "INSERT INTO s VALUES(3)",
];

const STATEMENTS = [
  "INSERT INTO t(v, u) VALUES(1, 'x')",
  "INSERT INTO t VALUES(2, 0, 'x')",
  "INSERT INTO t VALUES(NULL, 0, 'u1')",
  "INSERT INTO t VALUES((SELECT max(id) FROM t) + 1, 3, NULL)",
  "INSERT OR IGNORE INTO t VALUES(2, 1, 'x'), (3, 0, 'y')",
  "INSERT OR IGNORE INTO t(v, u) VALUES(1, 'u1'), (1, 'u2')",
  "INSERT INTO t VALUES(2, 1, 'x'), (4, 0, 'u1') ON CONFLICT DO NOTHING",
  "INSERT INTO t(v, u) VALUES(0, 'u1') ON CONFLICT(u) DO NOTHING",
  "INSERT INTO t VALUES(2, 1, 'x') ON CONFLICT(id) DO UPDATE SET v = v + 10",
  "INSERT INTO t(v, u) VALUES(0, 'u1') ON CONFLICT(u) DO UPDATE SET v = t.v + 10",
  "INSERT INTO t VALUES(2, 1, 'x') ON CONFLICT(id) DO UPDATE SET v = excluded.v WHERE v = 0",
  "REPLACE INTO t VALUES(2, 5, 'u1')",
  "INSERT OR REPLACE INTO t(v, u) VALUES(5, 'u2')",
  "INSERT INTO t VALUES(2, 7, 'u1') ON CONFLICT(id) DO UPDATE SET v = v + 10 " +
  "ON CONFLICT(u) DO UPDATE SET v = v + 100",
  "INSERT INTO t VALUES(2, 7, 'u1') ON CONFLICT(u) DO NOTHING ON CONFLICT DO UPDATE SET v = v + 10",
  "INSERT INTO t(v, u) SELECT v + 20, NULL FROM t WHERE v = 1",
  "INSERT INTO t(v) SELECT w FROM s WHERE w > (SELECT count(*) FROM t)",
  "INSERT OR IGNORE INTO t(id, v) SELECT w, 30 FROM s",
  "INSERT OR REPLACE INTO t SELECT id + 1, v, u FROM t WHERE id <= 2",
  "INSERT INTO t SELECT id, v + 10, NULL FROM t WHERE true ON CONFLICT(id) DO UPDATE SET v = excluded.v",
  "UPDATE t SET v = v + 10 WHERE id >= 2",
  "UPDATE t SET v = v + 10 WHERE v = 1",
  "UPDATE t SET v = (SELECT max(v) FROM t) + 1 WHERE id = 2",
  "UPDATE t SET v = 9 WHERE id IN (SELECT w FROM s)",
  "UPDATE t SET v = 9 WHERE id IN s",
  "UPDATE t SET v = w + 40 FROM s WHERE w = id",
  "UPDATE OR IGNORE t SET u = 'u1' WHERE id = 2",
  "UPDATE OR REPLACE t SET u = 'u1' WHERE id = 2",
  "WITH m(n) AS (SELECT max(id) FROM t) UPDATE t SET v = 50 WHERE id = (SELECT n FROM m)",
  "DELETE FROM t WHERE v = 1",
  "DELETE FROM t WHERE id = 2",
  "DELETE FROM t WHERE id IN (SELECT id FROM t WHERE v = 0)",
  "DELETE FROM t WHERE id NOT IN s",
] as const;

const MODES = ["eager", "lazy", "nested"] as const;

/** Between which steps somebody else writes. */
const MOMENTS = ["before the statement", "before the commit", "before another statement"] as const;

interface Case {
  readonly state: readonly number[];
  readonly foreign: string | undefined;
  readonly statement: string;
  readonly mode: typeof MODES[number];
  readonly moment: typeof MOMENTS[number];
  /** The foreign write is one of another client, and not of another program. */
  readonly ours: boolean;
  /** lastInsertId is looked at while the transaction is open. */
  readonly looks: boolean;
}

const DIMENSIONS = {
  state: STATES,
  foreign: FOREIGN,
  statement: STATEMENTS.flatMap((sql) => [sql, `${sql} RETURNING id, v`]),
  mode: MODES,
  moment: MOMENTS,
  ours: [true, false],
  looks: [true, false],
} as const;

const TOTAL = Object.values(DIMENSIONS).reduce((product, { length }) => product * length, 1);

function caseOf(number: number): Case {
  let rest = number;
  const entries = Object.entries(DIMENSIONS).map(([name, values]) => {
    const value = values[rest % values.length];
    rest = Math.floor(rest / values.length);
    return [name, value];
  });
  return Object.fromEntries(entries) as Case;
}

/** Numbers of cases, spread over all of them by a step that has no divisor in common with their count. */
function* sample(count: number): Iterable<Case> {
  if (process.env["TOLD"] === "all") count = TOTAL;
  for (let i = 0; i < count; i++) yield caseOf((i * 1_000_003 + 7) % TOTAL);
}

/** What one statement told. */
type Told = { readonly rows: unknown } | { readonly count: number; readonly id: unknown } | {
  readonly error: string;
};

const SECOND = "UPDATE t SET v = v + 1000 WHERE id = 1 RETURNING id, v";

const programOf = ({ statement, moment }: Case): string[] =>
  moment === "before another statement" ? [statement, SECOND] : [statement];

/** Whose id SQLite and a result have in common. */
const hasId = (sql: string): boolean =>
  /^INSERT (OR IGNORE )?INTO/.test(sql) && !/ UPDATE /.test(sql);

/**
 * Which clause decides is known to the node alone that runs it: the leader may have to judge what was told, and does not
 * see a write of another program after that.
 */
const isJudged = ({ statement, ours }: Case): boolean =>
  !ours && statement.split("ON CONFLICT").length > 2;

const sorted = (rows: readonly unknown[]): unknown[] =>
  rows.map((row) => JSON.stringify(row)).sort();

function toldBy(sql: string, { rows, rowsAffected, ...rest }: Result, looks: () => unknown): Told {
  assert.ok("columns" in rest);
  if (sql.includes("RETURNING")) return { rows: sorted(rows) };
  return { count: rowsAffected, id: looks() };
}

/** What SQLite says that a program does. */
class Oracle {
  readonly #db = new DatabaseSync(":memory:");

  constructor() {
    for (const sql of SCHEMA) this.#db.exec(sql);
  }

  /** Runs statements, as a transaction that is committed; one that fails does nothing. */
  run(state: readonly number[], before: readonly string[], program: readonly string[]): Told[] {
    for (const sql of [...reset(state), ...before]) this.#attempt(sql);
    return program.map((sql) => this.#attempt(sql));
  }

  get rows(): unknown {
    return this.#db.prepare("SELECT id, v, u FROM t ORDER BY id").all().map((row) =>
      Object.values(row)
    );
  }

  close(): void {
    this.#db.close();
  }

  #attempt(sql: string): Told {
    try {
      const prepared = this.#db.prepare(sql);
      if (sql.includes("RETURNING")) return { rows: sorted(prepared.all()) };
      const { changes, lastInsertRowid } = prepared.run();
      const inserted = hasId(sql) && Number(changes) > 0;
      return { count: Number(changes), id: inserted ? Number(lastInsertRowid) : undefined };
    } catch (error) {
      return { error: (error as Error).message };
    }
  }
}

/** Statements that go past every client of ours. */
type Raw = (statements: readonly string[]) => Promise<{ values?: unknown[][] }[]>;

async function rawOf({ connect, network }: World): Promise<Raw> {
  let node = "";
  const client = connect({ onRequest: (event) => void (node = event.node) });
  await client.query("SELECT 1");
  await client.close();
  return async (statements) => {
    const response = await network.fetch(`${node}/db/request?level=strong`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(statements),
    });
    return (await response.json() as { results: { values?: unknown[][] }[] }).results;
  };
}

interface Ended {
  readonly told: readonly Told[];
  readonly error: unknown;
}

/** Runs a case; what `interfere` does is done once, at its moment. */
async function perform(db: Client, one: Case, interfere: () => Promise<unknown>): Promise<Ended> {
  const tx = await db.begin({ mode: one.mode === "lazy" ? "lazy" : "eager" });
  const told: Told[] = [];
  const step = async (tx: Transaction, sql: string): Promise<void> => {
    try {
      const result = await tx.execute(sql);
      const looks = () => one.looks && hasId(sql) ? result.lastInsertId : undefined;
      told.push(toldBy(sql, result, looks));
    } catch (error) {
      if (error instanceof TransactionConflictError) throw error;
      assert.ok(error instanceof IntegrityError, String(error));
      told.push({ error: error.message });
    }
  };
  const all = async (tx: Transaction): Promise<void> => {
    const [first, second] = programOf(one);
    await tx.query("SELECT 1 AS one");
    if (one.moment === "before the statement") await interfere();
    await step(tx, first!);
    if (one.moment === "before another statement") await interfere();
    if (second !== undefined) await step(tx, second);
  };
  try {
    await (one.mode === "nested" ? tx.transaction(all) : all(tx));
    if (one.moment === "before the commit") await interfere();
    await tx.commit();
    return { told, error: undefined };
  } catch (error) {
    await tx.rollback();
    return { told, error };
  }
}

/** Leaves out of a result what the caller was not told. */
function visible(told: Told, sql: string, { mode, looks }: Case): Told | undefined {
  if (!("count" in told)) return told;
  if (mode === "lazy") return undefined;
  return { count: told.count, id: looks && hasId(sql) ? told.id : undefined };
}

function check(one: Case, { told, error }: Ended, stored: unknown, oracle: Oracle): void {
  const what = JSON.stringify(one);
  const foreign = one.foreign === undefined ? [] : [one.foreign];
  const program = programOf(one);
  if (error !== undefined) {
    const late = one.mode === "lazy" && error instanceof IntegrityError;
    assert.ok(late || error instanceof TransactionConflictError, `${what}: ${error}`);
    assert.ok(late || one.foreign !== undefined, `${what}: conflicts with nobody`);
    oracle.run(one.state, foreign, []);
    return assert.deepEqual(stored, oracle.rows, `${what}: a commit that failed stored something`);
  }
  const failed = told.map((one) => "error" in one);
  // What was told to have failed is no part of what was committed.
  const kept = program.filter((_, i) => !failed[i]);
  const truth = oracle.run(one.state, foreign, kept);
  const heard = told.filter((_, i) => !failed[i]);
  assert.deepEqual(stored, oracle.rows, `${what}: is not what SQLite stores`);
  kept.forEach((sql, i) => {
    const claim = visible(heard[i]!, sql, one);
    if (claim === undefined || isJudged(one)) return;
    assert.deepEqual(claim, visible(truth[i]!, sql, one), `${what}: told and stored differ`);
  });
}

async function compare(
  world: World,
  count: number,
): Promise<{ committed: number; refused: number }> {
  const raw = await rawOf(world);
  const oracle = new Oracle();
  const db = world.connect({});
  await raw(SCHEMA);
  const totals = { committed: 0, refused: 0 };
  const wrong: string[] = [];
  for (const one of sample(count)) {
    await raw(reset(one.state));
    let due = one.foreign;
    const interfere = async (): Promise<void> => {
      if (due === undefined) return;
      const sql = due;
      due = undefined;
      // It may fail, as SQLite's own does in this state.
      await (one.ours ? world.other.execute(sql).catch(() => {}) : raw([sql]));
    };
    try {
      const ended = await perform(db, one, interfere);
      // A statement that conflicted before its moment came must not shift the state that is expected.
      await interfere();
      totals[ended.error === undefined ? "committed" : "refused"]++;
      const [result] = await raw(["SELECT id, v, u FROM t ORDER BY id"]);
      check(one, ended, result?.values ?? [], oracle);
    } catch (error) {
      wrong.push((error as Error).message);
    }
  }
  await db.close();
  oracle.close();
  assert.equal(wrong.length, 0, `${wrong.length} of ${count}:\n${wrong.slice(0, 5).join("\n")}`);
  return totals;
}

const RANDOM_KEYS = [
  "CREATE TABLE users(id TEXT PRIMARY KEY DEFAULT (lower(hex(randomblob(16)))), email TEXT UNIQUE, " +
  "at TEXT DEFAULT CURRENT_TIMESTAMP, ms REAL DEFAULT (julianday('now')))",
  "CREATE TABLE posts(id INTEGER PRIMARY KEY, author TEXT NOT NULL)",
  "CREATE TABLE notes(id INTEGER PRIMARY KEY, v)",
];

const ORPHANS = "SELECT count(*) FROM posts WHERE author NOT IN (SELECT id FROM users)";

for (const place of PLACES) {
  describe(`what a transaction is told on ${place.name}`, { skip: place.skip }, () => {
    const count = place.name === "rqlited" ? 200 : 1000;
    it(`${count} of ${TOTAL} cases: it is what is stored, or the commit conflicts`, () =>
      place.run(async (world) => {
        const { committed, refused } = await compare(world, count);
        // A transaction that refuses everything would be right as well.
        assert.ok(committed > refused, `${committed} committed, ${refused} refused`);
        assert.ok(refused > count / 100, `${committed} committed, ${refused} refused`);
      }));

    const test = (name: string, body: (world: World) => Promise<void>) =>
      it(name, () =>
        place.run(async (world) => {
          for (const sql of RANDOM_KEYS) await world.sql(sql);
          await body(world);
        }));

    /** A transaction of each kind; none runs again. */
    const each = async (db: Client, fn: (tx: Transaction, i: number) => Promise<void>) => {
      for (const [i, mode] of MODES.entries()) {
        const options = { mode: mode === "lazy" ? mode : "eager", retries: 0 } as const;
        await db.transaction(
          (tx) => mode === "nested" ? tx.transaction((inner) => fn(inner, i)) : fn(tx, i),
          options,
        );
      }
    };

    test("ids of a random default that RETURNING told have their rows", async ({ db, value }) => {
      await each(db, async (tx, i) => {
        const { rows } = await tx.execute<{ id: string }>(
          "INSERT INTO users(email) VALUES(?), (?) RETURNING id",
          [`a${i}`, `b${i}`],
        );
        assert.equal(new Set(rows.map(({ id }) => id)).size, 2);
        for (const { id } of rows) await tx.execute("INSERT INTO posts(author) VALUES(?)", [id]);
      });
      assert.equal(await value(ORPHANS), 0);
      assert.equal(await value("SELECT count(DISTINCT id) FROM users"), 6);
    });

    test("ids of DEFAULT VALUES that RETURNING told have their rows", async ({ db, value }) => {
      await each(db, async (tx) => {
        const { rows: [user] } = await tx.execute<{ id: string }>(
          "INSERT INTO users DEFAULT VALUES RETURNING id",
        );
        await tx.execute("INSERT INTO posts(author) VALUES(?)", [user!.id]);
      });
      assert.equal(await value(ORPHANS), 0);
    });

    test("ids of a batch that RETURNING told have their rows", async ({ db, value }) => {
      await db.transaction(async (tx) => {
        const [result] = await tx.batch([
          ["INSERT INTO users(email) VALUES(?) RETURNING id", "a"],
          "INSERT INTO notes(v) VALUES(1)",
        ]);
        const [row] = result!.rows;
        await tx.execute("INSERT INTO posts(author) VALUES(?)", [(row as Row)["id"] as string]);
      }, { retries: 0 });
      assert.equal(await value(ORPHANS), 0);
    });

    test("a row with defaults of chance and clock that is read back does not conflict", async (world) => {
      const { db, other } = world;
      const seen: unknown[] = [];
      await each(db, async (tx, i) => {
        await tx.execute("INSERT INTO users(email) VALUES(?)", [`u${i}`]);
        const { rows } = await tx.query("SELECT * FROM users WHERE email = ?", [`u${i}`]);
        seen.push(rows[0]);
        await tx.execute("INSERT INTO posts(author) VALUES(?)", [rows[0]!["id"] as string]);
      });
      const { rows } = await other.query("SELECT * FROM users ORDER BY email");
      assert.deepEqual(rows, seen);
      assert.equal(await world.value(ORPHANS), 0);
    });

    test("times that were told are stored, however late the commit is", async ({ db, other }) => {
      const seen = await db.transaction(async (tx) => {
        const { rows } = await tx.execute(
          "INSERT INTO users(email) VALUES('a') RETURNING id, at, ms",
        );
        await sleep(1100);
        const { rows: again } = await tx.query("SELECT id, at, ms FROM users WHERE email = 'a'");
        assert.deepEqual(again, rows);
        return rows;
      }, { retries: 0 });
      assert.deepEqual((await other.query("SELECT id, at, ms FROM users")).rows, seen);
    });

    test("lastInsertId that is looked at after the commit is the stored one", async (world) => {
      const { db, sql, other } = world;
      for (const nested of [false, true]) {
        for (const foreign of [false, true]) {
          const mine = `mine ${nested} ${foreign}`;
          const tx = await db.begin();
          const insert = (tx: Transaction) => tx.execute("INSERT INTO notes(v) VALUES(?)", [mine]);
          const result = await (nested ? tx.transaction(insert) : insert(tx));
          if (foreign) await sql("INSERT INTO notes(v) VALUES('theirs')");
          await tx.commit();
          const { rows } = await other.query("SELECT id FROM notes WHERE v = ?", [mine]);
          assert.equal(rows[0]!["id"], result.lastInsertId, mine);
        }
      }
    });

    test("lastInsertId that is looked at before the commit holds, or the commit conflicts", async (world) => {
      const { db, sql, value } = world;
      const tx = await db.begin();
      const { lastInsertId } = await tx.execute("INSERT INTO notes(v) VALUES('mine')");
      assert.equal(lastInsertId, 1);
      await sql("INSERT INTO notes(v) VALUES('theirs')");
      await assert.rejects(tx.commit(), TransactionConflictError);
      assert.equal(await value("SELECT group_concat(v) FROM notes"), "theirs");
    });

    test("lastInsertId that is used for another row refers to it", async ({ db, sql, value }) => {
      let runs = 0;
      await db.transaction(async (tx) => {
        const { lastInsertId } = await tx.execute("INSERT INTO notes(v) VALUES('mine')");
        if (runs++ === 0) await sql("INSERT INTO notes(v) VALUES('theirs')");
        await tx.execute("INSERT INTO posts(author) VALUES(?)", [lastInsertId!]);
      });
      assert.equal(runs, 2);
      const joined = "SELECT group_concat(v) FROM posts JOIN notes ON notes.id = author";
      assert.equal(await value(joined), "mine");
    });
  });
}
