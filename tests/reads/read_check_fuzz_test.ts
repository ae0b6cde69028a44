import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { digestOf, orderedDigestOf } from "../../src/reads/digest.ts";
import { checkOfRead, type ReadCheck } from "../../src/reads/read_check.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { factsOf } from "./facts_of.ts";
import { Random, randomRead } from "./random_reads.ts";

const SCHEMA = [
  "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL, age INTEGER, price REAL, made TEXT DEFAULT CURRENT_TIME)",
  "CREATE UNIQUE INDEX users_email ON users(email)",
  "CREATE INDEX users_age ON users(age)",
  "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER, note TEXT)",
  "CREATE TABLE logs(line TEXT, level INTEGER, made TEXT DEFAULT CURRENT_TIME)",
  "CREATE TABLE pairs(a TEXT NOT NULL, b INTEGER NOT NULL, v INTEGER, made TEXT DEFAULT CURRENT_TIME, PRIMARY KEY(a, b)) WITHOUT ROWID",
  "CREATE VIEW adults(id, email, age, made) AS SELECT id, email, age, made FROM users WHERE age >= 4",
  "CREATE VIEW late(id, age, made) AS SELECT id, age, made FROM users WHERE made > 'm5'",
  "CREATE VIEW clock(id, total, at) AS SELECT id, total, datetime('now') FROM orders",
];

const facts = factsOf(SCHEMA);

const freezeText = (sql: string) => sql.replaceAll("'now'", "'2026-01-02 03:04:05.678Z'");

function sharedRows(random: Random): string[] {
  const sql: string[] = [];
  for (let id = 1; id <= 12; id++) {
    sql.push(
      `INSERT INTO users(id,email,age,price,made) VALUES(${id},'e${id}',${random.below(9)},` +
        `${random.below(9)}.25,'m0')`,
      `INSERT INTO orders VALUES(${id},${1 + random.below(12)},${random.below(5)},'n${
        random.below(4)
      }')`,
      `INSERT INTO logs VALUES('l${random.below(5)}',${random.below(3)},'m0')`,
      `INSERT INTO pairs VALUES('a${id % 4}',${Math.floor(id / 4)},${random.below(4)},'m0')`,
    );
  }
  return sql;
}

/** What each node would have stored for itself. */
function localValues(random: Random): string[] {
  return ["users", "logs", "pairs"].map((table) =>
    `UPDATE ${table} SET made = 'm' || ((${random.below(1000)} + 7919 * ` +
    `${table === "users" ? "id" : table === "logs" ? "level" : "b"}) % ${2 + random.below(11)})`
  );
}

function sharedChange(random: Random): string {
  const id = 1 + random.below(12);
  return random.of([
    `UPDATE users SET age = ${random.below(9)} WHERE id = ${id}`,
    `UPDATE users SET price = price + 1 WHERE id = ${id}`,
    `UPDATE users SET email = email || 'x' WHERE id = ${id}`,
    `UPDATE users SET id = id + 20 WHERE id = ${id}`,
    `DELETE FROM users WHERE id = ${id}`,
    `UPDATE orders SET total = total + 1, note = 'n' WHERE id = ${id}`,
    `UPDATE orders SET user_id = ${1 + random.below(12)} WHERE id < ${id}`,
    `DELETE FROM orders WHERE id = ${id}`,
    `INSERT INTO orders VALUES(${id + 20},${id},3,'n1')`,
    `UPDATE logs SET level = level + 1 WHERE line = 'l${random.below(5)}'`,
    `DELETE FROM logs WHERE level = ${random.below(3)}`,
    `UPDATE pairs SET v = v + 1 WHERE b = ${random.below(4)}`,
    `DELETE FROM pairs WHERE a = 'a${random.below(4)}'`,
  ]);
}

function database(random: Random, shared: readonly string[]): DatabaseSync {
  const db = new DatabaseSync(":memory:");
  for (const sql of [...SCHEMA, ...shared, ...localValues(random)]) db.exec(sql);
  return db;
}

/** The rows as arrays; the names of columns need not differ. */
function rowsOf(db: DatabaseSync, sql: string): unknown[][] {
  const columns = db.prepare(sql).columns().length;
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  return db.prepare(`WITH r(${names}) AS MATERIALIZED (${sql}) SELECT * FROM r`).all()
    .map((row) => Object.values(row));
}

function digest(db: DatabaseSync, sql: string, ordered = false): unknown {
  const columns = db.prepare(sql).columns().length;
  const text = ordered ? orderedDigestOf(sql, columns) : digestOf(sql, columns);
  return Object.values(db.prepare(text).get()!)[0];
}

function seenBy(db: DatabaseSync, check: ReadCheck): unknown[] {
  return [
    check.guard === undefined ? "" : digest(db, check.guard),
    check.judged === undefined ? "" : digest(db, check.judged, check.ordered),
  ];
}

function classOf({ judged, ordered, guard }: ReadCheck): string {
  if (judged === undefined) return "shared";
  if (!ordered) return "masked";
  return guard === undefined ? "judged" : "judged beside a guard";
}

/** A seed per run, told in failures. */
const seed = Date.now() % 1_000_000;

describe("checkOfRead() of random reads", () => {
  const random = new Random(seed);
  const shared = sharedRows(random);
  const classes = new Map<string, number>();

  it("tells guards that compile, mean the same and do not see what is local", () => {
    const [one, other] = [database(random, shared), database(random, [...shared].reverse())];
    // Whatever a planner may choose elsewhere: it scans backwards, by other indexes.
    other.exec("PRAGMA reverse_unordered_selects = ON; PRAGMA case_sensitive_like = ON; ANALYZE");
    other.exec("DELETE FROM logs WHERE line = 'l1'; DROP INDEX users_age; VACUUM");
    one.exec("DELETE FROM logs WHERE line = 'l1'");
    for (let i = 0; i < 3000; i++) {
      const { sql } = randomRead(random);
      const check = checkOfRead(sql, facts, freezeText);
      const named = classOf(check);
      classes.set(named, (classes.get(named) ?? 0) + 1);
      const about = `seed ${seed}: ${sql}\n${check.guard}`;
      one.prepare(sql);
      if (check.guard === undefined) continue;
      assert.equal(digest(one, check.guard), digest(other, check.guard), about);
      if (named === "judged beside a guard") continue;
      assertSameMeaning(one, check, about);
    }
    const least = { shared: 300, masked: 150, judged: 150, "judged beside a guard": 150 };
    for (const [name, count] of Object.entries(least)) {
      assert.ok((classes.get(name) ?? 0) >= count, `seed ${seed}: ${JSON.stringify([...classes])}`);
    }
  });

  it("tells a change of what a read answers, but for ties", () => {
    const db = database(random, shared);
    let told = 0;
    for (let i = 0; i < 4000; i++) {
      const { sql, paired } = randomRead(random);
      const check = checkOfRead(sql, facts, freezeText);
      db.exec("BEGIN");
      const look = () =>
        [rowsOf(db, check.read), sortedRows(rowsOf(db, paired)), seenBy(db, check)] as const;
      const before = look();
      const change = random.below(4) === 0 ? random.of(localValues(random)) : sharedChange(random);
      db.exec(change);
      const after = look();
      db.exec("ROLLBACK");
      if (JSON.stringify(before[2]) !== JSON.stringify(after[2])) {
        told++;
        if (before[2][0] === after[2][0]) assertScope(check, change, `seed ${seed}: ${sql}`);
        continue;
      }
      // Rows that are sorted by the same may come in any order.
      const same = JSON.stringify(before[0]) === JSON.stringify(after[0]) ||
        JSON.stringify(before[1]) === JSON.stringify(after[1]);
      assert.ok(same, `seed ${seed}: ${sql}\n${change}\n${JSON.stringify(check)}`);
    }
    assert.ok(told > 300, String(told));
  });

  it("tells guards that a server computes alike", { skip: skipWithoutRqlited() }, async () => {
    const server = await startRqlited();
    try {
      const db = database(random, shared);
      await post(`${server.url}/db/execute?transaction&norwtime&norwrandom`, [
        ...SCHEMA,
        ...shared,
        ...localValues(random),
      ]);
      const guards: string[] = [];
      while (guards.length < 1000) {
        const { guard } = checkOfRead(randomRead(random).sql, facts, freezeText);
        if (guard !== undefined) guards.push(guard);
      }
      const texts = guards.map((sql) => digestOf(sql, db.prepare(sql).columns().length));
      const answers = await post(`${server.url}/db/query?level=weak`, texts);
      for (const [i, answer] of answers.entries()) {
        assert.deepEqual(
          answer.values?.[0]?.[0],
          digest(db, guards[i]!),
          `seed ${seed}: ${guards[i]}`,
        );
      }
    } finally {
      await server.stop();
    }
  });
});

/** The rows of the guard are those of the read, but for local columns and what is sorted by. */
function assertSameMeaning(
  db: DatabaseSync,
  { guard, read, extra }: ReadCheck,
  about: string,
): void {
  const names = db.prepare(read).columns().map(({ name }) => name);
  const shared = (rows: unknown[][]) =>
    sortedRows(rows.map((row) => row.slice(0, names.length).filter((_, i) => names[i] !== "made")));
  const masked = rowsOf(db, guard!);
  if (masked.length > 0) assert.equal(masked[0]!.length, names.length + extra, about);
  assert.deepEqual(shared(masked), shared(rowsOf(db, read)), about);
}

/** What only the leader's judgement tells is among the tables that may not have been written since. */
function assertScope({ scopes }: ReadCheck, change: string, about: string): void {
  const table = /(?:UPDATE|FROM|INTO) (\w+)/.exec(change)![1]!;
  const within = scopes.includes(table) ||
    (change.includes("SET made") && scopes.includes(`${table}!`));
  assert.ok(within, `${about}\n${change}\n${scopes}`);
}

function sortedRows(rows: unknown[][]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}

interface Answer {
  readonly error?: string;
  readonly values?: readonly (readonly unknown[])[];
}

async function post(url: string, statements: readonly string[]): Promise<readonly Answer[]> {
  const response = await fetch(url, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(statements),
  });
  const { results } = await response.json() as { results: Answer[] };
  for (const { error } of results) assert.equal(error, undefined);
  return results;
}
