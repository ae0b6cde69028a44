import type { Random } from "../support/random.ts";

/** One request, to be sent to two servers. */
export interface RandomRequest {
  readonly method: "GET" | "POST";
  readonly path: string;
  readonly body?: string;
}

/** What both servers begin with. */
export const SCHEMA: readonly string[] = [
  "DROP TABLE IF EXISTS u",
  "DROP TABLE IF EXISTS t",
  "DROP TABLE IF EXISTS w",
  "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b TEXT, c REAL, d BLOB, e BOOLEAN, f DATETIME," +
  " g INT UNIQUE, h VARCHAR(10) CHECK(length(h) < 8))",
  "CREATE TABLE u(x REFERENCES t(id) DEFERRABLE INITIALLY DEFERRED, y NOT NULL, z DATE)",
  "CREATE TABLE w(k TEXT PRIMARY KEY, v ANY) WITHOUT ROWID, STRICT",
  "CREATE TRIGGER guard BEFORE INSERT ON u WHEN new.y = 13 BEGIN" +
  " SELECT RAISE(ABORT, 'no thirteen'); END",
  "INSERT INTO t(id) VALUES(1)",
];

const NUMBERS = [
  ...["0", "-0", "1", "2", "3", "13", "-7", "42", "1.0", "1e3", "-0.0", "0.1", "1.5e-9", "1e21"],
  ...["9007199254740993", "9223372036854775807", "-9223372036854775808", "9223372036854775808"],
  ...["1e300", "1700000000", "1700000000123", "1e20", "123456789012345678901234567890"],
];
const TEXTS = [
  ...["", "x", "it's", "<a&b>", "ünï", "🦊", "\u2028", "x'41'", "x'4'", " X'01ff' ", "1", "1.50"],
  ...["2024-02-29", "2024-02-30", "2024-01-02 03:04:05.120+05:30", "2024-01-02T03:04Z", "noon"],
  ...['a\\b"c', "tab\there", "toolongtext", '{"a":[1,2]}'],
];
const OTHERS = ["null", "true", "false", "[]", "[1,2,255]", "[222,173]"];
const WRITTEN = ["a", "b", "c", "d", "e", "f", "g", "h"];
const COLUMNS = ["id", ...WRITTEN];
const OPERATORS = [
  "+",
  "-",
  "*",
  "/",
  "%",
  "||",
  "=",
  "<",
  ">",
  "IS",
  "AND",
  "OR",
  "&",
  "|",
  "->>",
];

/** A random request. */
export function randomRequest(random: Random): RandomRequest {
  const endpoint = random.of(["execute", "execute", "request", "request", "query"]);
  const path = `/db/${endpoint}${flags(random)}`;
  if (endpoint === "query" && random.below(3) === 0) {
    const sql = encodeURIComponent(read(random));
    return { method: "GET", path: `${path}&q=${sql}` };
  }
  const count = 1 + random.below(5);
  const list = Array.from({ length: count }, () => statement(random, endpoint));
  return { method: "POST", path, body: `[${list.join()}]` };
}

function flags(random: Random): string {
  const names = [
    "transaction",
    "associative",
    "blob_array",
    "qualify_columns",
    "pretty",
    "noparse",
  ];
  const chosen = names.filter(() => random.below(4) === 0);
  if (random.below(8) === 0) chosen.push(`level=${random.of(["none", "weak", "strong"])}`);
  return `?${["norwrandom", "norwtime", ...chosen].join("&")}`;
}

function statement(random: Random, endpoint: string): string {
  if (endpoint === "query") return bound(random, read(random));
  switch (random.below(12)) {
    case 0:
    case 1:
    case 2:
      return bound(random, read(random));
    case 3:
      return bound(random, random.of(ODD));
    case 4:
      return JSON.stringify(random.of(["SAVEPOINT s", "RELEASE s", "ROLLBACK TO s", "SELECT 1"]));
    default:
      return bound(random, write(random));
  }
}

const ODD = [
  ...["", " ", ";", "-- comment", "SELEC 1", "SELECT", "SELECT * FROM nope", "SELECT nope FROM t"],
  ...["INSERT INTO t(a) VALUES(1,2)", "INSERT INTO nope VALUES(?)", "SELECT abs(?, ?)", "VACUUM"],
  ...["SELECT 1; SELECT 2", "INSERT INTO t(a) VALUES(1); INSERT INTO t(a) VALUES(2)", "PRAGMA x"],
  ...["SELECT 1; -- c", "EXPLAIN SELECT * FROM t WHERE id = ?", "PRAGMA table_info(t)"],
  ...["PRAGMA foreign_keys", "PRAGMA journal_mode=DELETE", "CREATE TABLE IF NOT EXISTS t(q)"],
  ...["DROP TABLE IF EXISTS missing", "CREATE INDEX IF NOT EXISTS i ON t(a)", "DROP INDEX i"],
  ...["SELECT :a, @b, $c, ?, ?5", "SELECT json(?)", "SELECT ? AS a, ? AS a, ? AS b", "REINDEX t"],
  ...["WITH q AS (SELECT ? AS n) INSERT INTO t(a) SELECT n FROM q", "SELECT x'00ff', 9e999 > 1"],
  ...["INSERT INTO u(x, y) VALUES(999999, 1)", "DELETE FROM t RETURNING id, d, f;-- c"],
];

function write(random: Random): string {
  const names = WRITTEN.filter(() => random.below(3) === 0);
  const columns = names.length === 0 ? ["a"] : names;
  const returning = random.below(3) === 0 ? ` RETURNING ${expressions(random)}` : "";
  const or = random.of(["", "", "", " OR IGNORE", " OR REPLACE", " OR FAIL"]);
  switch (random.below(6)) {
    case 0: {
      const sets = columns.map((column) => `${column} = ${expression(random, 2)}`);
      return `UPDATE${or} t SET ${sets.join()} WHERE ${expression(random, 1)}${returning}`;
    }
    case 1:
      return `DELETE FROM t WHERE ${expression(random, 1)}${returning}`;
    case 2:
      return `INSERT${or} INTO u(x, y, z) VALUES(?, ?, ?)`;
    case 3:
      return "INSERT INTO w(k, v) VALUES(?, ?) ON CONFLICT(k) DO UPDATE SET v = excluded.v";
    default: {
      const values = columns.map(() => random.of(["?", "?", expression(random, 0)]));
      return `INSERT${or} INTO t(${columns.join()}) VALUES(${values.join()})${returning}`;
    }
  }
}

function read(random: Random): string {
  const where = random.below(2) === 0 ? ` WHERE ${expression(random, 2)}` : "";
  switch (random.below(5)) {
    case 0:
      return `SELECT * FROM t${where} ORDER BY id`;
    case 1:
      return "SELECT t.id, u.*, t.f FROM t LEFT JOIN u ON u.x = t.id ORDER BY t.id, u.rowid";
    case 2:
      return `SELECT count(*), max(c), group_concat(b, '|'), total(a) FROM t${where}`;
    case 3:
      return "SELECT k, v, typeof(v) FROM w UNION ALL SELECT ?, ?, 1 ORDER BY 1";
    default:
      return `SELECT ${expressions(random)} FROM t${where} ORDER BY id`;
  }
}

function expressions(random: Random): string {
  return Array.from({ length: 1 + random.below(3) }, () => expression(random, 2)).join(", ");
}

function expression(random: Random, depth: number): string {
  if (depth === 0 || random.below(3) === 0) return random.of([...COLUMNS, "?", "1", "'x'", "NULL"]);
  const [left, right] = [expression(random, depth - 1), expression(random, depth - 1)];
  switch (random.below(6)) {
    case 0:
      return `coalesce(${left}, ${right})`;
    case 1:
      return `typeof(${left})`;
    case 2:
      return `CAST(${left} AS ${random.of(["TEXT", "REAL", "INTEGER", "BLOB"])})`;
    default:
      return `(${left} ${random.of(OPERATORS)} ${right})`;
  }
}

/** The statement with about as many values as it wants. */
function bound(random: Random, sql: string): string {
  const wanted = sql.split("?").length - 1 + (sql.includes(":a") ? 3 : 0);
  if (wanted === 0) return random.below(2) ? JSON.stringify(sql) : `[${JSON.stringify(sql)}]`;
  const count = random.below(10) === 0 ? random.below(wanted + 2) : wanted;
  const values = Array.from({ length: count }, () => value(random));
  if (random.below(12) === 0) values.push(`{"a":${value(random)},"zz":1}`);
  return `[${[JSON.stringify(sql), ...values].join()}]`;
}

function value(random: Random): string {
  switch (random.below(8)) {
    case 0:
      return random.of(OTHERS);
    case 1:
    case 2:
    case 3:
      return JSON.stringify(random.of(TEXTS));
    case 4:
      return String(random.below(20));
    default:
      return random.of(NUMBERS);
  }
}
