// The same program in a transaction and directly in SQLite: same results, same errors, same database. Every engine
// runs 700 programs of its own.
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import fc from "fast-check";
import { type Client, RqliteError, type Transaction } from "../../mod.ts";
import { PLACES } from "./world.ts";

const SCHEMA = [
  "CREATE TABLE p(id INTEGER PRIMARY KEY, v)",
  "CREATE TABLE c(id INTEGER PRIMARY KEY AUTOINCREMENT, p REFERENCES p(id) ON DELETE CASCADE, u INTEGER UNIQUE)",
  "CREATE TABLE w(k TEXT PRIMARY KEY, v REAL CHECK (v < 100)) WITHOUT ROWID",
  "CREATE TABLE l(what TEXT, n INTEGER)",
  "CREATE TRIGGER p_insert AFTER INSERT ON p BEGIN INSERT INTO l VALUES('p', new.id); END",
  "CREATE TRIGGER c_delete AFTER DELETE ON c BEGIN INSERT INTO l VALUES('c', old.id); END",
  "CREATE TRIGGER p_guard BEFORE UPDATE ON p WHEN new.v = 7 BEGIN SELECT RAISE(ABORT, 'no seven'); END",
  "INSERT INTO p VALUES(1, 'one'), (2, 2.5), (3, NULL)",
  "INSERT INTO c(p, u) VALUES(1, 10), (2, 20)",
  "INSERT INTO w VALUES('a', 0.1), ('b', 1e-5)",
];

/** Each is about `?1` and `?2`, two small numbers. */
const STATEMENTS = [
  "INSERT INTO p(v) VALUES(?1 + ?2)",
  "INSERT INTO p(id, v) VALUES(?1, ?2)",
  "INSERT INTO p(v) SELECT v FROM p WHERE id <= ?1 AND ?2",
  "INSERT OR IGNORE INTO p(id, v) VALUES(?1, ?2), (?2 + 10, ?1)",
  "INSERT OR REPLACE INTO c(id, p, u) VALUES(?1, ?2, ?1 * 10)",
  "REPLACE INTO p(id, v) VALUES(?1, ?2)",
  "INSERT INTO p(id, v) VALUES(?1, ?2) ON CONFLICT(id) DO UPDATE SET v = excluded.v + 1 RETURNING id, v",
  "INSERT INTO c(p, u) VALUES(?1, ?2 * 10) RETURNING id, p, u",
  "INSERT INTO c(p, u) VALUES(?1, ?2)",
  "UPDATE p SET v = ?1 WHERE id > ?2",
  "UPDATE p SET v = v + ?1 WHERE id = ?2 RETURNING v",
  "UPDATE c SET u = u + ?1 WHERE p = ?2",
  "UPDATE c SET p = ?1 WHERE id = ?2",
  "DELETE FROM p WHERE id = ?1 AND ?2 < 5",
  "DELETE FROM c WHERE u > ?1 * 10 AND id <> ?2 RETURNING id",
  "INSERT INTO w VALUES('k' || ?1, ?2 * 0.1)",
  "INSERT INTO w VALUES('k' || ?1, 100 + ?2)",
  "UPDATE w SET v = v * 1e10 + ?1 WHERE ?2",
  "DELETE FROM w WHERE v < ?1 AND ?2 > 3",
  "CREATE TABLE IF NOT EXISTS x(a, b DEFAULT (1))",
  "CREATE TABLE x(a)",
  "INSERT INTO x(a) VALUES(?1 - ?2)",
  "ALTER TABLE x ADD COLUMN b",
  "DROP TABLE x",
  "INSERT INTO nowhere VALUES(?1, ?2)",
  "SELECT * FROM p ORDER BY id",
  "SELECT * FROM x",
  "SELECT c.*, p.v FROM c JOIN p ON p.id = c.p ORDER BY c.id",
  "SELECT count(*), sum(u) FROM c WHERE u > ?1 AND id > ?2",
  "WITH t(n) AS (SELECT n FROM l WHERE what = 'p') SELECT n, ?1 AS a, ?2 AS b FROM t ORDER BY n",
  "VALUES (?1, ?2), (2, 'x')",
  "SELECT k, v FROM w ORDER BY k",
  "SELECT id FROM p WHERE abs(id - ?1 - 9223372036854775807 * (?2 = 5)) >= 0 ORDER BY id",
  "SELECT json(CASE WHEN ?1 = ?2 THEN 'x' ELSE '[1]' END) AS j",
];

interface Run {
  readonly do: "run";
  readonly statement: number;
  readonly a: number;
  readonly b: number;
  /** It is not waited for before the next one is issued. */
  readonly together: boolean;
}
interface Point {
  readonly do: "save" | "back" | "release";
  readonly name: string;
}
type Action = Run | Point;

const action: fc.Arbitrary<Action> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("run" as const),
      statement: fc.nat(STATEMENTS.length - 1),
      a: fc.nat(6),
      b: fc.nat(6),
      together: fc.boolean(),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constantFrom("save" as const, "back" as const, "release" as const),
      name: fc.constantFrom("s", "t"),
    }),
  },
);

/** What a statement gave: rows, or the count and id of a write, or an error. */
type Seen = readonly unknown[];

function values(sql: string, { a, b }: Run): number[] {
  return sql.includes("?2") ? [a, b] : sql.includes("?1") ? [a] : [];
}

const POINTS = { save: "SAVEPOINT", back: "ROLLBACK TO", release: "RELEASE" };

async function go(tx: Transaction, { do: what, name }: Point): Promise<undefined> {
  if (what === "save") await tx.savepoint(name);
  else if (what === "back") await tx.rollbackTo(name);
  else await tx.release(name);
}

function inSqlite(db: DatabaseSync, actions: readonly Action[]): Seen[] {
  db.exec("BEGIN");
  const seen = actions.map((one): Seen => {
    try {
      if (one.do !== "run") return [db.exec(`${POINTS[one.do]} ${one.name}`)];
      const sql = STATEMENTS[one.statement]!;
      const prepared = db.prepare(sql);
      if (/^(SELECT|WITH|VALUES)|RETURNING/.test(sql)) {
        return ["rows", prepared.all(...values(sql, one).map(BigInt)).map((row) => ({ ...row }))];
      }
      const before = total(db);
      const { lastInsertRowid } = prepared.run(...values(sql, one).map(BigInt));
      return [
        "write",
        changed(db, before, sql),
        inserted(sql, changed(db, before, sql), lastInsertRowid),
      ];
    } catch (error) {
      return ["error", one.do === "run" ? (error as Error).message : "savepoint"];
    }
  });
  try {
    db.exec("COMMIT");
    return seen;
  } catch (error) {
    db.exec("ROLLBACK");
    return [...seen, ["commit", (error as Error).message]];
  }
}

function total(db: DatabaseSync): number {
  return Number(Object.values(db.prepare("SELECT total_changes()").get()!)[0]);
}

/** `changes()` keeps the count of an earlier statement where DDL changes nothing. */
function changed(db: DatabaseSync, before: number, sql: string): number {
  if (!/^(INSERT|REPLACE|UPDATE|DELETE)/.test(sql) || total(db) === before) return 0;
  return Number(Object.values(db.prepare("SELECT changes()").get()!)[0]);
}

/** Only a plain insert into a table with rowids has an id. */
function inserted(sql: string, count: number, id: unknown): unknown {
  return /^(INSERT|REPLACE)/.test(sql) && !/INTO w/.test(sql) && count > 0 ? Number(id) : undefined;
}

async function inTransaction(tx: Transaction, actions: readonly Action[]): Promise<Seen[]> {
  const seen: Promise<Seen>[] = [];
  for (const one of actions) {
    const done = perform(tx, one);
    seen.push(done);
    if (one.do !== "run" || !one.together) await done;
  }
  return await Promise.all(seen);
}

async function perform(tx: Transaction, one: Action): Promise<Seen> {
  try {
    if (one.do !== "run") return [await go(tx, one)];
    const sql = STATEMENTS[one.statement]!;
    if (/^(SELECT|WITH|VALUES)/.test(sql)) {
      return ["rows", (await tx.query(sql, values(sql, one))).rows];
    }
    const { rows, rowsAffected, lastInsertId } = await tx.execute(sql, values(sql, one));
    if (sql.includes("RETURNING")) return ["rows", rows];
    const id = inserted(sql, rowsAffected, lastInsertId);
    return ["write", rowsAffected, id];
  } catch (error) {
    assert.ok(error instanceof RqliteError, String(error));
    return ["error", one.do === "run" ? words(error) : "savepoint"];
  }
}

/** SQLite's own, without the place in the statement. */
function words({ message }: Error): string {
  return message.replace(/ at line \d+, column [^]*/, "");
}

const TABLES = ["p", "c", "w", "l", "x", "sqlite_sequence WHERE name <> '_rqlite_commit'"];

/** Leaves a database as it was when it was made. */
async function clean(db: Client): Promise<void> {
  const { rows } = await db.query<{ name: string }>(
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite%' " +
      "AND name NOT LIKE '_rqlite%' ORDER BY name = 'p'",
  );
  await db.batch(rows.map(({ name }) => `DROP TABLE ${name}`));
}

function rowsOf(db: DatabaseSync, sql: string): unknown {
  try {
    return db.prepare(sql).all().map((row) => ({ ...row }));
  } catch {
    return "none";
  }
}

async function compare(db: Client, actions: readonly Action[]): Promise<void> {
  const plain = new DatabaseSync(":memory:");
  for (const sql of SCHEMA) plain.exec(sql);
  const expected = inSqlite(plain, actions);
  await clean(db);
  await db.batch(SCHEMA);
  const tx = await db.begin();
  const seen = await inTransaction(tx, actions);
  await tx.commit().catch((error: Error) => seen.push(["commit", words(error)]));
  assert.deepEqual(seen, expected);
  for (const table of TABLES) {
    const sql = `SELECT * FROM ${table}`;
    const rows = await db.query(sql).then(({ rows }) => rows, () => "none");
    assert.deepEqual(rows, rowsOf(plain, sql), table);
  }
  plain.close();
}

describe("a transaction does what SQLite does", () => {
  for (const { name, skip, run } of PLACES) {
    it(`on ${name}`, { skip }, () =>
      run(async ({ other }) => {
        const programs = fc.array(action, { maxLength: 9 });
        const property = fc.asyncProperty(programs, (actions) => compare(other, actions));
        await fc.assert(property, { numRuns: name === "rqlited" ? 60 : 700, seed: 20261122 });
      }));
  }
});
