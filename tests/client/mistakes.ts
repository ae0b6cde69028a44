import { sql } from "../../mod.ts";

/** What a program without types may do with a database. */
export type Untyped = Record<
  "query" | "execute" | "first" | "value" | "batch" | "transaction",
  (...args: unknown[]) => Promise<unknown>
>;

/** A call, and how it is refused. */
export type Mistake = readonly [
  what: string,
  make: (db: Untyped) => Promise<unknown>,
  message: RegExp,
  name?: "ProgrammingError",
];

/** A write with one value. */
const INSERT = "INSERT INTO t VALUES(?)";

/** Whoever comes from pg, postgres.js, mysql2, better-sqlite3 or libsql. */
export const MISTAKES: readonly Mistake[] = [
  ["batch()", (db) => db.batch(), /Cannot run undefined as a batch: give a list/],
  ["batch(text)", (db) => db.batch("SELECT 1"), /Cannot run a string as a batch: give a list/],
  ["batch(statement)", (db) => db.batch({ sql: INSERT, params: [1] }), /an object as a batch/],
  [
    "batch([sql, value])",
    (db) => db.batch(["SELECT 1", 2]),
    /a number as a statement: .*\[sql, \.\.\./,
  ],
  ["batch([[sql, values]])", (db) => db.batch([[INSERT, [1]]]), /spread it, \[sql, \.\.\.params\]/],
  ["batch([{ sql, args }])", (db) => db.batch([{ sql: INSERT, args: [1] }]), /`args`.* `params`/],
  ["query({ sql, args })", (db) => db.query({ sql: "SELECT 1", args: [] }), /`args`.* `params`/],
  ["execute({ sql, values })", (db) => db.execute({ sql: INSERT, values: [1] }), /`values`.*`par/],
  ["query({ text, values })", (db) => db.query({ text: "SELECT 1" }), /give SQL text, \{ sql, par/],
  ["query()", (db) => db.query(), /Cannot read undefined as a statement: give SQL text/],
  ["query(undefined, params)", (db) => db.query(undefined, [1]), /read undefined as a statement/],
  ["execute(undefined)", (db) => db.execute(undefined), /read undefined as a statement/],
  ["query(promise)", (db) => db.query(Promise.resolve("")), /Cannot read a promise as a statement/],
  ["query`…`", (db) => db.query`SELECT 1`, /template by itself: write query\(sql`…`\)/],
  ["query`…${value}`", (db) => db.query`SELECT ${1}`, /template by itself: write query\(sql`…`\)/],
  [
    "query(sql, ...values)",
    (db) => db.query("SELECT ?, ?", 1, 2),
    /one list, \[a, b\]|a list, \[value\]/,
  ],
  ["query(sql, value)", (db) => db.query("SELECT ?", 1), /a number as params: .*\[value\]/],
  ["query(sql, text)", (db) => db.query("SELECT ?", "a"), /a string as params: .*\[value\]/],
  ["query(sql, null)", (db) => db.query("SELECT ?", null), /null as params: give a list/],
  [
    "query(sql, date)",
    (db) => db.query("SELECT ?", new Date()),
    /type Date as params: give a list/,
  ],
  [
    "query(sql, bytes)",
    (db) => db.query("SELECT ?", new Uint8Array(1)),
    /Uint8Array as params: giv/,
  ],
  ["query(sql, map)", (db) => db.query("SELECT :a", new Map()), /type Map as params: .*of names/],
  [
    "query(sql, set)",
    (db) => db.query("SELECT ?", new Set([1])),
    /type Set as params: give a list/,
  ],
  ["query(sql, callback)", (db) => db.query("SELECT 1", () => {}), /a function as params: give/],
  [
    "a promise as params",
    (db) => db.query("SELECT ?", Promise.resolve([1])),
    /a promise as params/,
  ],
  ["a forgotten await", (db) => db.query("SELECT ?", [Promise.resolve(1)]), /a promise: await it/],
  ["a function", (db) => db.execute(INSERT, [Math.random]), /parameter 1 .* a function: call it/],
  ["undefined", (db) => db.execute(INSERT, [undefined]), /is undefined: bind null for NULL/],
  ["an object", (db) => db.execute(INSERT, [{ a: 1 }]), /is an object: .*JSON\.stringify\(\)/],
  ["a fragment as a value", (db) => db.query("SELECT ?", [sql`1`]), /put fragments together with/],
  ["IN (?)", (db) => db.query("SELECT 1 IN (?)", [[1, 2]]), /use sql\.list\(\) for IN \(…\)/],
  ["IN (${array})", (db) => db.query(sql`SELECT 1 IN (${[1, 2] as never})`), /use sql\.list\(\)/],
  ["a fragment pasted", (db) => db.query(`SELECT ${sql`1`}`), /plain string .*write sql`…`/],
  ["too few values", (db) => db.query("SELECT ?, ?", [1]), /1 value .*2 pl/, "ProgrammingError"],
  ["too many values", (db) => db.query("SELECT ?", [1, 2]), /2 values .*1 pl/, "ProgrammingError"],
  ["LIKE '%?%'", (db) => db.query("SELECT 'a' LIKE '%?%'", ["a"]), /'%' \|\|/, "ProgrammingError"],
  ["$1", (db) => db.query("SELECT $1, $2", [1, 2]), /write \?1 for \$1/, "ProgrammingError"],
  [
    "options in place of params",
    (db) => db.query("SELECT 1", { level: "none" }),
    /options come behind the params/,
    "ProgrammingError",
  ],
  [
    "several statements in one text",
    (db) => db.execute("DELETE FROM t; DELETE FROM u"),
    /one by one, with batch\(\) or with script\(\)/,
    "ProgrammingError",
  ],
  ["transaction()", (db) => db.transaction(), /`fn` as it is undefined: write transaction\(async/],
  [
    'transaction("write")',
    (db) => db.transaction("write"),
    /it is a string: write transaction\(async/,
  ],
  [
    "transaction(promise)",
    (db) => db.transaction(Promise.resolve()),
    /it is a promise: write trans/,
  ],
];
