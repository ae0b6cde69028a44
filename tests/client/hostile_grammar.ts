// Statements that people could be tricked into sending, or send without care: right ones, nearly right ones and broken ones.
import type { Random } from "../support/random.ts";

/** One text. */
export interface HostileText {
  readonly sql: string;
  readonly params: readonly (number | string | null)[];
  /** It reads and never ends by itself: it is sent only by ways to read. */
  readonly endless: boolean;
}

/** The file that texts would write to on the server. */
export type Paths = { readonly file: string };

type Make = (random: Random, paths: Paths) => string;

/** Every setting of SQLite but `user_version` and `application_id`, which are part of the data, and some that are none. */
const PRAGMAS =
  ("analysis_limit auto_vacuum automatic_index busy_timeout cache_size cache_spill case_sensitive_like cell_size_check " +
    "checkpoint_fullfsync collation_list compile_options count_changes data_store_directory data_version database_list " +
    "default_cache_size defer_foreign_keys empty_result_callbacks encoding foreign_key_check foreign_key_list foreign_keys " +
    "freelist_count full_column_names fullfsync function_list hard_heap_limit ignore_check_constraints incremental_vacuum " +
    "index_info index_list index_xinfo integrity_check journal_mode journal_size_limit legacy_alter_table locking_mode " +
    "max_page_count mmap_size module_list optimize page_count page_size parser_trace pragma_list query_only quick_check " +
    "read_uncommitted recursive_triggers reverse_unordered_selects schema_version secure_delete short_column_names " +
    "shrink_memory soft_heap_limit stats synchronous table_info table_list table_xinfo temp_store temp_store_directory " +
    "threads trusted_schema vdbe_addoptrace vdbe_debug vdbe_listing vdbe_trace wal_autocheckpoint wal_checkpoint " +
    "writable_schema activate_extensions key rekey hexkey lock_status no_such_pragma").split(" ");

const SETTINGS =
  "0 1 2 -1 ON OFF 'full' EXCLUSIVE DELETE MEMORY WAL TRUNCATE NORMAL prey 65536 1e3 x'00' NULL"
    .split(" ");
const SCHEMAS = ["", "", "", "main.", "temp.", '"main" . ', "[temp].", "attached."];
const TABLES = ["prey", "prey", "prey", "words", "places", "nothing", "main.prey", '"prey"'];
const INNER = [
  "sqlite_schema",
  "sqlite_master",
  "sqlite_temp_master",
  "sqlite_sequence",
  "sqlite_stat1",
];
const OWN = ["_rqlite_commit", "_rqlite_version", "_rqlite_lock", "_RQLITE_COMMIT"];
const COLUMNS = ["a", "b", "c", "rowid", "*", "nothing", "prey.a"];
const VALUES = [
  "1",
  "-1",
  "NULL",
  "'x'",
  "x'00ff'",
  "9223372036854775807",
  "1e999",
  "?",
  "'it''s'",
  "a",
];
/** What a node computes in one piece. A node makes some five times of an answer in memory: of gigabytes no client can know. */
const SIZES = ["0", "1", "1000", "1000000", "4000000", "2147483648", "99999999999", "-5", "'9'"];

const pragma: Make = (r) => {
  const name = `${r.of(SCHEMAS)}${quoted(r, r.of(PRAGMAS))}`;
  const value = r.of(SETTINGS);
  return `PRAGMA ${r.of([name, `${name} = ${value}`, `${name}(${value})`, `${name}=${value}`])}`;
};

const pragmaTable: Make = (r) => {
  const name = `pragma_${r.of(PRAGMAS)}`;
  const call = r.of([
    name,
    `${name}(${r.of(SETTINGS)})`,
    `${name}('prey', 'main')`,
    `main.${name}`,
  ]);
  return r.of([
    `SELECT * FROM ${call}`,
    `SELECT count(*) FROM prey, ${call}`,
    `INSERT INTO prey(b) SELECT 1 FROM ${call} LIMIT 3`,
    `DELETE FROM ${name}`,
    `CREATE VIEW settings AS SELECT * FROM ${call}`,
  ]);
};

const control: Make = (r) =>
  r.of([
    ...[
      "BEGIN",
      "BEGIN IMMEDIATE",
      "BEGIN EXCLUSIVE TRANSACTION",
      "COMMIT",
      "COMMIT TRANSACTION",
      "END",
    ],
    ...[
      "ROLLBACK",
      "ROLLBACK TO a",
      "SAVEPOINT a",
      "RELEASE a",
      "RELEASE SAVEPOINT a",
      "ROLLBACK TRANSACTION TO a",
    ],
    ...[
      "BEGINN",
      "BEGIN;",
      "COMMIT AND CHAIN",
      "START TRANSACTION",
      "'BEGIN'",
      '"COMMIT"',
      "[ROLLBACK]",
      "(BEGIN)",
    ],
    ...[
      "BEGIN -- COMMIT",
      "INSERT OR ROLLBACK INTO prey(b) VALUES(1)",
      "UPDATE OR ROLLBACK prey SET a = 1",
    ],
    ...[
      "REPLACE INTO prey(b) VALUES(1); COMMIT",
      "WITH x AS (SELECT 1) COMMIT",
      "SELECT 1 UNION BEGIN",
    ],
    ...["UPDATE OR FAIL prey SET a = a + 1", "INSERT OR FAIL INTO prey(a) VALUES(1),(1)"],
    "CREATE TABLE IF NOT EXISTS torn(a UNIQUE ON CONFLICT ROLLBACK)",
    ...["INSERT INTO torn VALUES(1)", "DROP TABLE IF EXISTS torn"],
    "CREATE TRIGGER IF NOT EXISTS ends BEFORE INSERT ON words BEGIN SELECT RAISE(ROLLBACK, 'no'); END",
    ...["INSERT INTO words VALUES('x')", "DROP TRIGGER IF EXISTS ends"],
  ]);

const files: Make = (r, { file }) =>
  r.of([
    `ATTACH '${file}' AS attached`,
    `ATTACH DATABASE ':memory:' AS a`,
    "attach ? as x",
    ...["DETACH attached", "DETACH DATABASE main", "DETACH temp"],
    ...[
      `VACUUM INTO '${file}'`,
      `VACUUM main INTO '${file}'`,
      "VACUUM temp",
      "VACUUM",
      "VACUUM attached",
    ],
    `SELECT writefile('${file}', 'x')`,
    `SELECT readfile('/etc/hostname')`,
    `SELECT load_extension('${file}')`,
    `SELECT edit('x')`,
    `SELECT fts3_tokenizer('simple', x'0000000000000000')`,
    `CREATE VIRTUAL TABLE f USING csv(filename='/etc/passwd')`,
    `CREATE VIRTUAL TABLE f USING zipfile('${file}')`,
    `SELECT * FROM fsdir('/')`,
    `SELECT * FROM dbstat`,
    `SELECT * FROM sqlite_dbpage`,
    `UPDATE sqlite_dbpage SET data = zeroblob(4096)`,
    `SELECT sqlite_source_id(), sqlite_log(1, 'x')`,
  ]);

const temporary: Make = (r) => {
  const name = r.of(["kept", "prey", "x"]);
  const temp = r.of(["TEMP", "TEMPORARY", "temp", "Temp"]);
  const schema = r.of(["temp", "[temp]", "'temp'", "`TEMP`", '"tEmP"']);
  return r.of([
    `CREATE ${temp} TABLE ${name}(a, n)`,
    `CREATE ${temp} TABLE IF NOT EXISTS ${name} AS SELECT 1 AS n`,
    `CREATE ${temp} VIEW ${name} AS SELECT 1 AS id, 1 AS n`,
    `CREATE ${temp} TRIGGER x AFTER INSERT ON kept BEGIN DELETE FROM kept; END`,
    `CREATE TABLE ${schema}.${name}(a)`,
    `CREATE VIEW ${schema} . ${name} AS SELECT 1`,
    `CREATE TRIGGER ${schema}.x AFTER UPDATE ON main.kept BEGIN SELECT RAISE(ABORT, 'no'); END`,
    `CREATE INDEX ${schema}.i ON kept(n)`,
    `CREATE VIRTUAL TABLE ${schema}.${name} USING fts5(a)`,
    `CREATE VIRTUAL TABLE v USING fts5vocab(temp, words, row)`,
    `INSERT INTO ${schema}.sqlite_master VALUES(1, 2, 3, 4, 5)`,
    `DELETE FROM ${schema}.${name}`,
    `ALTER TABLE prey RENAME TO temp.kept`,
    `DROP TABLE IF EXISTS ${schema}.${name}`,
    `SELECT * FROM ${schema}.sqlite_master`,
  ]);
};

const inner: Make = (r) => {
  const table = r.of([...INNER, ...OWN]);
  return r.of([
    `SELECT * FROM ${table}`,
    `SELECT count(*) FROM ${table}`,
    `DELETE FROM ${r.of(INNER)}`,
    `UPDATE ${r.of(INNER)} SET sql = 'x'`,
    `UPDATE sqlite_sequence SET seq = ${r.of(VALUES)}`,
    `UPDATE main."sqlite_sequence" SET seq = 0 WHERE 1 OR name = 'prey' RETURNING seq`,
    `INSERT INTO ${r.of(INNER)} VALUES('table', 'x', 'x', 2, 'CREATE TABLE x(a)')`,
    `DROP TABLE ${r.of(INNER)}`,
    `CREATE TABLE sqlite_mine(a)`,
    `ALTER TABLE sqlite_schema RENAME TO x`,
    `CREATE TRIGGER IF NOT EXISTS on_own AFTER INSERT ON sqlite_schema BEGIN SELECT 1; END`,
    `CREATE VIEW IF NOT EXISTS seen AS SELECT * FROM ${table}`,
    `ANALYZE ${table}`,
    `REINDEX ${table}`,
  ]);
};

const write: Make = (r) => {
  const table = r.of(TABLES);
  const value = () => r.of(VALUES);
  return r.of([
    `INSERT INTO ${table}(b) VALUES(${value()})`,
    `INSERT INTO ${table}(b, c) VALUES(${value()}, ${value()}) RETURNING ${r.of(COLUMNS)}`,
    `INSERT OR ${
      r.of(["IGNORE", "REPLACE", "ABORT", "FAIL", "ROLLBACK", "COMMIT"])
    } INTO ${table}(a) VALUES(${value()})`,
    `WITH x(y) AS (SELECT ${value()}) INSERT INTO ${table}(b) SELECT y FROM x RETURNING a, (SELECT count(*) FROM prey)`,
    `WITH x AS (DELETE FROM prey RETURNING a) SELECT * FROM x`,
    `UPDATE ${table} SET b = ${value()} WHERE a = ${value()} RETURNING ${r.of(COLUMNS)}`,
    `UPDATE prey SET b = hex(randomblob(${r.of(["0", "5000", "9999999", "-5"])})) WHERE a = 1`,
    `UPDATE prey SET c = datetime('now'), b = random() WHERE a < ${value()}`,
    `INSERT INTO prey(b) VALUES(zeroblob(${r.of(["0", "50000", "2147483648", "-5"])}))`,
    `DELETE FROM ${table} WHERE ${value()}`,
    `INSERT INTO prey(a) VALUES(1) ON CONFLICT(a) DO UPDATE SET b = ${value()}`,
    `INSERT INTO prey DEFAULT VALUES RETURNING last_insert_rowid(), changes(), total_changes()`,
    `REPLACE INTO ${table} SELECT * FROM ${table} LIMIT 2`,
    `DELETE FROM prey WHERE a > 500`,
  ]);
};

const schema: Make = (r) => {
  const name = r.of(["prey", "x", "y", "z", '"a""b"', "[]", "'s'", "é", "main.x"]);
  return r.of([
    `CREATE TABLE IF NOT EXISTS prey(a INTEGER PRIMARY KEY, b, c TEXT)`,
    `CREATE TABLE IF NOT EXISTS ${name}(a, b DEFAULT (random()), c DEFAULT CURRENT_TIMESTAMP)`,
    `CREATE TABLE ${name} AS SELECT * FROM prey`,
    `CREATE VIEW IF NOT EXISTS ${name} AS SELECT ${r.of(VALUES)}`,
    `CREATE TRIGGER IF NOT EXISTS t${
      r.below(3)
    } AFTER INSERT ON prey BEGIN UPDATE prey SET b = 1; ${
      r.of(["COMMIT;", "PRAGMA foreign_keys = 0;", "BEGIN;", "SELECT 1;", "DELETE FROM x;"])
    } END`,
    `DROP TRIGGER IF EXISTS t${r.below(3)}`,
    `DROP TABLE IF EXISTS ${name}`,
    `DROP VIEW IF EXISTS ${name}`,
    `ALTER TABLE ${name} ADD COLUMN d${r.below(9)} ${
      r.of(["", "NOT NULL", "DEFAULT 1", "GENERATED ALWAYS AS (b) VIRTUAL"])
    }`,
    `CREATE INDEX IF NOT EXISTS i ON ${name}(${r.of(COLUMNS)})`,
    `CREATE TABLE z${r.below(5)}(a CHECK (a > ${r.of(VALUES)}), FOREIGN KEY(a) REFERENCES nothing)`,
    ...["ANALYZE", "REINDEX", "REINDEX prey", "ANALYZE main"],
  ]);
};

/** What virtual tables keep their data in is left out: where that is damaged, a node cannot tell the schema any more. */
const search: Make = (r) => {
  const command = r.of(
    "delete-all optimize rebuild integrity-check automerge crisismerge merge pgsz rank".split(" "),
  );
  return r.of([
    `CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(w, content='', tokenize='trigram')`,
    `CREATE VIRTUAL TABLE IF NOT EXISTS words USING fts5(w)`,
    `INSERT INTO words(words) VALUES('${command}')`,
    `INSERT INTO words(words, rank) VALUES('${command}', ${r.of(SETTINGS)})`,
    `SELECT * FROM words WHERE words MATCH '${"(".repeat(r.below(60))}a${
      r.of(["", "*", " NEAR(b c, 5)", '"', " OR"])
    }'`,
    `SELECT highlight(words, 0, '<', '>'), bm25(words) FROM words('x')`,
    `DROP TABLE IF EXISTS words`,
    `CREATE VIRTUAL TABLE IF NOT EXISTS places USING rtree(id, x0, x1)`,
    `INSERT INTO places VALUES(${r.of(VALUES)}, ${r.of(VALUES)}, 5)`,
    `SELECT rtreecheck('places'), rtreenode(2, x'0000'), rtreedepth(x'ff')`,
    `SELECT * FROM places WHERE x0 > ${r.of(VALUES)}`,
    `DROP TABLE IF EXISTS places`,
  ]);
};

const large: Make = (r) => {
  const size = r.of(SIZES);
  const depth = r.of([10, 99, 900, 2000, 20_000]);
  return r.of([
    `SELECT length(randomblob(${size}))`,
    `SELECT zeroblob(${size})`,
    `SELECT hex(zeroblob(${size}))`,
    `SELECT length(printf('%.*c', ${size}, 'x'))`,
    `SELECT length(printf('%*d', ${size}, 1))`,
    `SELECT replace(hex(zeroblob(1000)), '0', hex(zeroblob(${r.of(["10", "100", "999"])})))`,
    `SELECT quote(zeroblob(${size}))`,
    `WITH c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT ${
      r.of(["10", "20000"])
    }) SELECT group_concat(x, hex(zeroblob(50))) FROM c`,
    `SELECT 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab' LIKE '${"%a".repeat(r.below(5))}%c'`,
    `SELECT 'a' GLOB '${"[a-z]*".repeat(r.below(4))}'`,
    `SELECT 'x' LIKE '${"_%".repeat(depth)}'`,
    `SELECT ${"(".repeat(depth)}1${")".repeat(depth)}`,
    `SELECT ${"(".repeat(depth)}1${")".repeat(r.below(depth))}`,
    `SELECT ${"-".repeat(depth).replaceAll("--", "- -")}1`,
    `SELECT ${"(SELECT ".repeat(depth % 1000)}1${")".repeat(depth % 1000)}`,
    `SELECT 1${" + 1".repeat(depth)}`,
    `SELECT 1${" UNION SELECT 1".repeat(depth)}`,
    `SELECT ${"NOT ".repeat(depth)}1`,
    `SELECT ${Array.from({ length: depth }, (_, i) => `1 AS c${i}`).join(", ")}`,
    `SELECT count(*) FROM prey${
      Array.from({ length: depth % 2000 }, (_, i) => `, prey p${i}`).join("")
    } WHERE 0`,
    `SELECT 1 IN (${Array.from({ length: depth }, () => "?").join(", ")})`,
    `SELECT CASE ${"WHEN 0 THEN 1 ".repeat(depth)}END`,
    `WITH ${
      Array.from({ length: depth % 500 + 1 }, (_, i) => `w${i} AS (SELECT 1)`).join(", ")
    } SELECT 1`,
    `SELECT json('${"[".repeat(depth)}${"]".repeat(depth)}')`,
    `SELECT json_valid('${'{"a":'.repeat(depth)}1${"}".repeat(depth)}')`,
    `SELECT count(*) FROM json_tree('${"[1,".repeat(depth % 1000)}1${"]".repeat(depth % 1000)}')`,
    `SELECT json_extract('{"a":1}', '$${".a".repeat(depth)}')`,
    `SELECT json_set('[]', '$[${size}]', 1)`,
    `SELECT '${"x".repeat(depth)}`,
    `SELECT "${"é".repeat(depth)}"`,
    `/*${"/*".repeat(depth)}*/ SELECT 1`,
    `${";".repeat(depth)}SELECT 1`,
    `CREATE TABLE IF NOT EXISTS wide(${
      Array.from({ length: depth % 2500 + 1 }, (_, i) => `c${i}`).join(", ")
    })`,
  ]);
};

const read: Make = (r) =>
  r.of([
    `SELECT ${r.of(COLUMNS)} FROM ${r.of(TABLES)} WHERE ${r.of(COLUMNS)} = ${r.of(VALUES)}`,
    `SELECT ${r.of(VALUES)}, ${r.of(VALUES)} UNION SELECT ${r.of(VALUES)}`,
    `SELECT * FROM prey ORDER BY random() LIMIT ${r.of(VALUES)}`,
    `VALUES(${r.of(VALUES)}), (${r.of(VALUES)})`,
    `SELECT changes(), last_insert_rowid()`,
    `SELECT sum(9223372036854775807) OVER (), abs(-9223372036854775807 - 1)`,
    `SELECT * FROM generate_series(1, 5)`,
    `SELECT CAST(x'ff' AS TEXT), char(0, 55296, 1114111)`,
    `SELECT count(*) FROM prey WHERE a IN (SELECT a FROM prey WHERE b = ${r.of(VALUES)})`,
    `SELECT sqlite_compileoption_get(${r.of(SETTINGS)}), likelihood(1, 2)`,
    `SELECT ?1, ?3, :a, @a, $a::b(c), ?32766`,
  ]);

const ENDLESS = [
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT count(*) FROM c",
  "WITH c AS (VALUES(1) UNION ALL SELECT * FROM c) SELECT max(column1) FROM c",
  "SELECT (WITH c(x) AS (SELECT 1 UNION ALL SELECT 1 FROM c) SELECT count(*) FROM c) AS n",
  "wItH/**/c(x) AS (SELECT 1 UNION ALL SELECT -x FROM c) SELECT 1 FROM c WHERE x = 0",
];

/** With how many of a hundred texts each kind comes. */
const KINDS: readonly (readonly [number, Make])[] = [
  [18, pragma],
  [7, pragmaTable],
  [14, control],
  [8, files],
  [11, temporary],
  [7, inner],
  [12, write],
  [6, schema],
  [6, search],
  [4, large],
  [7, read],
];

const BLANKS = [
  " ",
  "  ",
  "\t",
  "\n",
  "/**/",
  "/* ; */",
  " -- x\n",
  "\u00a0",
  "\u2003",
  "\u3000",
  "\ufeff",
  "\f",
  "\v",
  "\0",
];
const PREFIXES = [
  ...[
    "EXPLAIN ",
    "EXPLAIN QUERY PLAN ",
    "explain/**/",
    ";",
    ";;",
    "/* a */",
    "-- a\n",
    "\ufeff",
    "\u00a0",
    "\0",
    "(",
  ],
  ...[
    "/* /* */",
    "WITH x AS (SELECT 1) ",
    "SELECT 1; ",
    "BEGIN; ",
    "-- \r",
    "\\",
    "'",
    "--",
    "/*",
    "#",
  ],
];
const SUFFIXES = [
  ";",
  ";;",
  " -- x",
  " /* x",
  "; COMMIT",
  ";BEGIN",
  "; PRAGMA foreign_keys = 0",
  "\0; COMMIT",
  ")",
  "'",
  "\ud800",
  ";\0",
];

/** One text. */
export function hostileText(random: Random, paths: Paths): HostileText {
  if (random.below(400) === 0) return { sql: random.of(ENDLESS), params: [], endless: true };
  let at = random.below(100);
  const [, make] = KINDS.find(([share]) => (at -= share) < 0)!;
  const sql = disguised(random, make(random, paths));
  const filled = sql.length < 1000 ? Array.from(sql.matchAll(/\?(?!\d)/g), () => 1) : [];
  const params = random.below(20) === 0 ? random.of([[], [1], ["x", null]]) : filled;
  return { sql, params, endless: false };
}

function quoted(random: Random, name: string): string {
  return random.of([name, name, name, name.toUpperCase(), `"${name}"`, `[${name}]`, `'${name}'`]);
}

/** The same, as it is or in one of the ways in which texts escape who only looks for words. */
function disguised(random: Random, sql: string): string {
  switch (random.below(10)) {
    case 0:
      return random.of(PREFIXES) + sql;
    case 1:
      return sql + random.of(SUFFIXES);
    case 2:
      return sql.length > 1000 ? sql : sql.replaceAll(" ", () => random.of(BLANKS));
    case 3:
      return sql.length > 1000
        ? sql
        : Array.from(sql, (c) => random.of([c.toUpperCase(), c.toLowerCase()])).join("");
    case 4:
      return random.of(PREFIXES) + sql + random.of(SUFFIXES);
    case 5:
      return sql.slice(0, random.below(sql.length + 1));
    default:
      return sql;
  }
}
