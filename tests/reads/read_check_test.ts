import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { describe, it } from "node:test";
import { checkOfRead, type ReadCheck } from "../../src/reads/read_check.ts";
import { factsOf } from "./facts_of.ts";

const SCHEMA = [
  "CREATE TABLE users(id INTEGER PRIMARY KEY, email TEXT NOT NULL UNIQUE, age INTEGER, price REAL, " +
  "created_at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE orders(id INTEGER PRIMARY KEY, user_id INTEGER, total INTEGER, note TEXT, any)",
  "CREATE TABLE logs(line TEXT, at TEXT DEFAULT CURRENT_TIMESTAMP)",
  "CREATE TABLE pairs(a TEXT NOT NULL, b INTEGER NOT NULL, v REAL, at TEXT DEFAULT CURRENT_DATE, PRIMARY KEY(a, b)) WITHOUT ROWID",
  "CREATE TABLE plain(line TEXT)",
  "CREATE TABLE names(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE COLLATE NOCASE)",
  "CREATE TABLE exact(id INT PRIMARY KEY, n INT, t TEXT, r REAL) STRICT",
  "CREATE VIEW mails AS SELECT id, email FROM users",
  "CREATE VIEW adults(number, mail, since) AS SELECT id, email, created_at FROM users WHERE age >= 18",
  "CREATE VIEW late AS SELECT id FROM users WHERE created_at > '2020'",
  "CREATE VIEW clock AS SELECT id, datetime('now') AS at FROM orders -- 'now'",
  "CREATE VIEW dice AS SELECT random() AS n FROM orders",
  "CREATE VIEW clocks AS SELECT id FROM clock",
  "CREATE TABLE perhaps(id INTEGER PRIMARY KEY, n INTEGER)",
  "CREATE TRIGGER perhaps AFTER INSERT ON plain WHEN random() > 0 BEGIN INSERT INTO perhaps(n) VALUES(1); END",
  "CREATE VIRTUAL TABLE docs USING fts5(title, body)",
];

const facts = factsOf(SCHEMA);

const compiler = new DatabaseSync(":memory:");
for (const sql of SCHEMA) compiler.exec(sql);

function freezeText(sql: string): string {
  return sql.replaceAll("'now'", "'2026-01-02 03:04:05.678Z'");
}

/** The check, with each text that it tells compiled. */
function check(sql: string, params?: readonly unknown[]): ReadCheck {
  const told = checkOfRead(sql, facts, freezeText, params);
  for (const text of [told.guard, told.judged]) {
    if (text !== undefined) compiler.prepare(text);
  }
  return told;
}

function classOf(told: ReadCheck): string {
  if (told.refusal !== undefined) return "refused";
  if (told.judged === undefined) return "shared";
  if (!told.ordered) return `masked ${told.scopes}`;
  return `${told.guard === undefined ? "judged" : "judged beside a guard"} ${told.scopes}`;
}

function assertClass(expected: string, reads: readonly string[]): void {
  for (const sql of reads) assert.equal(classOf(check(sql)), expected, sql);
}

describe("checkOfRead()", () => {
  it("compares shared data on every node", () => {
    assertClass("shared", [
      "SELECT id, email FROM users WHERE id = ?",
      "SELECT total, note FROM orders WHERE id = ?3 AND total > :n",
      "SELECT count(*), sum(total), max(total), min(note), avg(total) FROM orders",
      "SELECT sum(age) FROM users",
      "SELECT price * 2, price + total FROM users, orders",
      "SELECT u.email, o.* FROM users AS u LEFT JOIN orders o ON o.user_id = u.id WHERE o.total IN (1, 2)",
      "SELECT user_id, count(*) AS n FROM orders GROUP BY user_id HAVING n > 1",
      "SELECT user_id, total FROM orders GROUP BY 1, 2",
      "SELECT orders.id, note, count(*) FROM orders GROUP BY orders.id",
      "SELECT DISTINCT user_id FROM orders",
      "SELECT email FROM users UNION SELECT note FROM orders",
      "SELECT any FROM orders UNION ALL SELECT price FROM users",
      "SELECT 1 WHERE EXISTS (SELECT * FROM users WHERE id = ? LIMIT 1)",
      "SELECT count(*) FROM (SELECT * FROM users)",
      "SELECT id FROM (SELECT * FROM users WHERE age > 3)",
      "SELECT id FROM orders WHERE user_id IN (SELECT id FROM users WHERE age > ?)",
      "SELECT (SELECT count(*) FROM orders o WHERE o.user_id = u.id) AS n FROM users u",
      "SELECT (SELECT email FROM users WHERE id = 7) AS e",
      "SELECT note, (SELECT email FROM users u WHERE u.id = o.user_id) AS mail FROM orders AS o",
      "SELECT u.id, price, count(*) FROM users u JOIN orders ON user_id = u.id GROUP BY u.id, price",
      "SELECT lower(email) || ' ' || users.id, substr(note, 2), coalesce(total, 0) FROM users, orders",
      "SELECT CASE age WHEN 1 THEN 'one' ELSE email END, CAST(total AS INTEGER) FROM users, orders",
      "SELECT value FROM json_each(?) WHERE value IN (SELECT total FROM orders)",
      "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9) SELECT i FROM n",
      "WITH a AS (SELECT id AS x FROM users) SELECT x FROM a WHERE x NOT BETWEEN 1 AND 2",
      "SELECT id FROM orders ORDER BY id DESC LIMIT 10 OFFSET ?",
      "SELECT id FROM orders ORDER BY total, id LIMIT 10",
      "SELECT a, b, v FROM pairs ORDER BY b, a LIMIT ?",
      "SELECT v FROM pairs WHERE a = ? AND 2 = b AND v > 1 LIMIT 1",
      "SELECT email AS e FROM users WHERE email = ? LIMIT 1",
      "SELECT count(*) FROM orders LIMIT 1",
      "SELECT user_id FROM orders GROUP BY user_id ORDER BY user_id LIMIT 2",
      "SELECT rank() OVER (PARTITION BY user_id ORDER BY total) FROM orders",
      "SELECT row_number() OVER w FROM orders WINDOW w AS (PARTITION BY user_id ORDER BY total, id)",
      "SELECT sum(total) OVER (ORDER BY total) FROM orders",
      "SELECT group_concat(note, ',' ORDER BY id) FROM orders",
      "SELECT json_group_array(json_array(id, note) ORDER BY id) FROM orders",
      "SELECT json_object('id', id, 'mail', email) FROM users",
      "SELECT title FROM docs WHERE docs MATCH ?",
      "SELECT d.rowid, o.note FROM docs d JOIN orders o ON o.id = d.rowid WHERE d.title MATCH 'x'",
      "SELECT rowid, _rowid_ FROM orders WHERE oid = 5",
      "SELECT date('2026-01-02 03:04:05.678Z', '-1 day'), strftime('%Y-%m', ?), unixepoch(id) FROM orders",
      "SELECT id, email FROM mails ORDER BY id",
      "SELECT number FROM adults",
      "VALUES (1, 'a'), (2, 'b')",
      "SELECT sum(n), n || t FROM exact GROUP BY n, t",
      'SELECT "email" AS "x", [age] FROM `users` AS \'u\' WHERE u.id IS NOT NULL AND NOT age ISNULL',
    ]);
    const told = check("SELECT id, email FROM users WHERE id = ?");
    assert.equal(told.guard, "SELECT id, email FROM users WHERE id = ?");
    assert.deepEqual([told.extra, told.read === told.guard, told.scopes], [0, true, []]);
  });

  it("masks local columns that are result columns and nothing else", () => {
    assertClass("masked users!", [
      "SELECT * FROM users WHERE id = ?",
      "SELECT created_at FROM users",
      "SELECT u.*, u.created_at AS made, o.note FROM users u JOIN orders o ON o.user_id = u.id ORDER BY o.id",
      "SELECT made FROM (SELECT id, created_at AS made FROM users)",
      "WITH recent AS (SELECT * FROM users WHERE age > ?) SELECT r.* FROM recent r",
      "SELECT users.created_at FROM users WHERE EXISTS (SELECT 1 FROM orders WHERE user_id = users.id)",
      "SELECT * FROM users ORDER BY id LIMIT 3",
      "SELECT * FROM adults",
      "SELECT since FROM adults WHERE mail = 'a'",
    ]);
    assertClass("masked pairs!", ["SELECT * FROM pairs"]);
    // Nothing can stand in for it that says which row it is, so other rows matter, too.
    assertClass("masked logs", ["SELECT at FROM logs"]);
    assert.equal(
      check("SELECT * FROM users WHERE id = ?").guard,
      'WITH "users" AS NOT MATERIALIZED (SELECT "id","email","age","price","id" AS "created_at" ' +
        'FROM main."users") SELECT * FROM users WHERE id = ?',
    );
    assert.equal(
      check("WITH RECURSIVE a AS (SELECT at FROM pairs) SELECT * FROM a").guard,
      'WITH RECURSIVE "pairs" AS NOT MATERIALIZED (SELECT "a","b","v","a" AS "at" FROM main."pairs"), ' +
        "a AS (SELECT at FROM pairs) SELECT * FROM a",
    );
    assert.equal(
      check("SELECT at FROM logs").guard,
      'WITH "logs" AS NOT MATERIALIZED (SELECT "line",NULL AS "at" FROM main."logs") SELECT at FROM logs',
    );
  });

  it("puts a view in the text where it tells the time or needs a mask", () => {
    const told = check("SELECT * FROM clock");
    const inlined = 'WITH "clock"("id","at") AS NOT MATERIALIZED (SELECT id, ' +
      "datetime('2026-01-02 03:04:05.678Z') AS at FROM orders) SELECT * FROM clock";
    assert.deepEqual([told.read, told.guard, told.judged], [inlined, inlined, undefined]);
    const masked = check("SELECT since FROM adults").guard!;
    assert.match(
      masked,
      /^WITH "users" AS .*, "adults"\("number","mail","since"\) AS NOT MATERIALIZED /,
    );
    assert.equal(check("SELECT number FROM adults").guard, "SELECT number FROM adults");
    assert.match(check("SELECT id FROM clocks").guard!, /^WITH "clock"\(.*, "clocks"\("id"\) AS /);
    assert.equal(classOf(check("SELECT id FROM late")), "judged beside a guard users");
    assert.equal(classOf(check("SELECT * FROM main.clock")), "judged orders");
    assert.equal(classOf(checkOfRead("SELECT * FROM clock", facts)), "judged orders");
    assert.equal(
      classOf(check("WITH orders AS (SELECT 1 AS id) SELECT * FROM clock")),
      "judged orders",
    );
  });

  it("does not keep what holds the time", () => {
    const at = (time: string) =>
      checkOfRead("SELECT * FROM clock", facts, () => `SELECT 1, '${time}'`);
    assert.notEqual(at("10:00").guard, at("11:00").guard);
    const [first, second] = [check("SELECT id FROM orders"), check("SELECT id FROM orders")];
    assert.equal(first, second);
  });

  it("has the leader judge what local columns decide, beside what is shared of it", () => {
    assertClass("judged beside a guard users", [
      "SELECT id FROM users WHERE created_at > ?",
      "SELECT id FROM users ORDER BY created_at",
      "SELECT *, created_at AS c FROM users ORDER BY c",
      "SELECT id, created_at FROM users ORDER BY 2",
      "SELECT DISTINCT created_at FROM users",
      "SELECT max(created_at) FROM users",
      "SELECT count(*) FROM users GROUP BY created_at",
      "SELECT created_at IS NULL FROM users",
      "SELECT created_at FROM users UNION SELECT email FROM users",
      "SELECT (SELECT created_at FROM users WHERE id = 1)",
      "SELECT x FROM (SELECT created_at AS x FROM users) WHERE x > 1",
      "WITH a AS (SELECT * FROM users) SELECT id FROM a WHERE created_at = 1",
      "SELECT 1 WHERE 5 IN (SELECT created_at FROM users)",
      "SELECT id FROM users WINDOW w AS (ORDER BY id) ORDER BY rank() OVER (ORDER BY created_at)",
      "SELECT 1 FROM users WHERE EXISTS (SELECT 1 WHERE created_at = 'a')",
    ]);
    assertClass("judged orders,users", [
      "SELECT users.id FROM users, orders WHERE created_at LIKE note",
    ]);
    assertClass("judged perhaps", ["SELECT count(*) FROM perhaps", "SELECT n FROM perhaps"]);
    assertClass("judged beside a guard logs,users", [
      "SELECT 1 FROM logs JOIN users ON at = email",
    ]);
    assertClass("judged users", [
      "SELECT sum(created_at) FROM users",
      "SELECT created_at FROM main.users",
      "SELECT rowid, created_at FROM users",
      "SELECT main.users.created_at FROM users",
      "SELECT created_at FROM users INDEXED BY sqlite_autoindex_users_1 WHERE email = 'a'",
      "WITH b AS (SELECT * FROM main.users) SELECT created_at FROM b",
    ]);
  });

  it("has the leader judge what versions, builds or settings may compute differently", () => {
    assertClass("judged orders", [
      "SELECT CAST(any AS TEXT) FROM orders",
      "SELECT any || 'x' FROM orders",
      "SELECT total || 'x' FROM orders",
      "SELECT note || ? FROM orders",
      "SELECT sum(any), note FROM orders GROUP BY note",
      "SELECT printf('%f', total) FROM orders",
      "SELECT round(total, 2) FROM orders",
      "SELECT id FROM orders WHERE note LIKE 'a%'",
      "SELECT note ->> '$.a' FROM orders",
      "SELECT json_extract(note, '$.a') FROM orders",
      "SELECT date(note) FROM orders",
      "SELECT datetime(?, 'localtime') FROM orders",
      "SELECT note + 1 FROM orders",
      "SELECT 0.12345678901234567 * total FROM orders",
      "SELECT sqlite_version(), id FROM orders",
      "SELECT e.value FROM orders, json_each(orders.note) e",
    ]);
    assertClass("judged users", ["SELECT sum(price) FROM users", "SELECT quote(price) FROM users"]);
    assert.equal(classOf(check("SELECT note || ? FROM orders", ["%"])), "shared");
    assert.equal(classOf(check("SELECT note || ? FROM orders", [1.5])), "judged orders");
    assert.equal(classOf(check("SELECT 0.5 * price FROM users")), "shared");
  });

  it("has the leader judge rows, orders and values that the planner chooses", () => {
    assertClass("judged orders", [
      "SELECT id FROM orders LIMIT 1",
      "SELECT id FROM orders ORDER BY total LIMIT 1",
      "SELECT id FROM orders WHERE id > 5 LIMIT 1",
      "SELECT id FROM orders WHERE id = 5 OR total = 3 LIMIT 1",
      "SELECT id FROM orders ORDER BY id + 1 LIMIT 1",
      "SELECT total AS id FROM orders ORDER BY id LIMIT 1",
      'SELECT total AS id FROM orders ORDER BY "id" LIMIT 1',
      "SELECT (SELECT note FROM orders WHERE total > 5)",
      "SELECT (SELECT total AS k FROM orders WHERE id = k)",
      "SELECT a.id FROM orders a, orders b ORDER BY a.id LIMIT 1",
      "SELECT id FROM orders UNION SELECT total FROM orders ORDER BY 1 LIMIT 1",
      "SELECT group_concat(note) FROM orders",
      "SELECT json_group_array(id) FROM orders",
      "SELECT group_concat(note, ',' ORDER BY note) FROM orders",
      "SELECT note, count(*) FROM orders",
      "SELECT note, max(total) FROM orders GROUP BY user_id",
      "SELECT *, count(*) FROM orders",
      "SELECT row_number() OVER (ORDER BY total) FROM orders",
      "SELECT sum(total) OVER (ORDER BY total ROWS 1 PRECEDING) FROM orders",
      "SELECT DISTINCT total FROM orders ORDER BY note",
      "SELECT DISTINCT any FROM orders",
      "SELECT total AS id FROM orders GROUP BY id ORDER BY total LIMIT 1",
      "SELECT any FROM orders GROUP BY any",
      "SELECT any FROM orders UNION SELECT 1",
      "SELECT total AS x FROM orders ORDER BY x + 1",
      "SELECT note COLLATE NOCASE AS c, count(*) FROM orders GROUP BY c",
    ]);
    assertClass("judged names", [
      "SELECT DISTINCT name FROM names",
      "SELECT id FROM names WHERE name = ? LIMIT 1",
    ]);
    assertClass("judged plain", ["SELECT rowid FROM plain"]);
    assertClass("judged docs,docs_config,docs_content,docs_data,docs_docsize,docs_idx", [
      "SELECT rank FROM docs WHERE docs MATCH 'a'",
      "SELECT title FROM docs WHERE docs MATCH 'a' ORDER BY rank",
      "SELECT bm25(docs) FROM docs('a')",
    ]);
  });

  it("is careful with what it does not know", () => {
    assertClass("judged sqlite_schema", ["SELECT rootpage FROM sqlite_schema"]);
    assertClass("judged *", [
      "SELECT * FROM pragma_table_info('users')",
      "SELECT * FROM pragma_database_list",
      "SELECT CURRENT_TIMESTAMP FROM orders",
      "PRAGMA table_info(users)",
      "EXPLAIN SELECT 1",
    ]);
    for (
      const sql of [
        "",
        ";",
        "SELECT",
        "SELECT (",
        "SELECT ) FROM t",
        "SELECT * FROM nowhere",
        "SELECT * FROM temp.users",
        "WITH a AS (SELECT * FROM a) SELECT * FROM a JOIN nowhere",
        "SELECT 'open",
        `SELECT ${"(".repeat(20_000)}1${")".repeat(20_000)}`,
        "SELECT 1 FROM sqlite_sequence",
      ]
    ) {
      const told = checkOfRead(sql, facts);
      assert.deepEqual(
        [told.guard, told.judged, told.scopes],
        [undefined, sql, ["*"]],
        sql.slice(0, 50),
      );
    }
    assert.equal(checkOfRead("SELECT nothing FROM users", facts).guard, undefined);
  });

  it("refuses what tells of the connection, and tables of our own", () => {
    assertClass("refused", [
      "SELECT changes()",
      "SELECT id FROM orders WHERE id = last_insert_rowid()",
      "SELECT total_changes()",
      "SELECT * FROM dice",
    ]);
    assert.equal(checkOfRead("SELECT * FROM _rqlite_commit", facts).refusal, "_rqlite_commit");
  });

  it("makes the terms of ORDER BY result columns, with the numbers of their placeholders", () => {
    const known: [string, string, number][] = [
      ["SELECT id FROM orders ORDER BY total DESC NULLS LAST", "SELECT id, total FROM orders", 1],
      [
        "SELECT id FROM orders ORDER BY note COLLATE NOCASE ASC, 1",
        "SELECT id, note COLLATE NOCASE FROM orders",
        1,
      ],
      [
        "SELECT id AS x, total FROM orders ORDER BY x, orders.total",
        "SELECT id AS x, total FROM orders",
        0,
      ],
      ["SELECT id x FROM orders ORDER BY total", "SELECT id x, total FROM orders", 1],
      ["SELECT * FROM orders ORDER BY total", "SELECT * FROM orders", 0],
      [
        "SELECT o.* FROM orders o, users u ORDER BY u.id",
        "SELECT o.*, u.id FROM orders o, users u",
        1,
      ],
      [
        "SELECT user_id FROM orders GROUP BY user_id ORDER BY count(*)",
        "SELECT user_id, count(*) FROM orders GROUP BY user_id",
        1,
      ],
      [
        "SELECT id FROM orders WHERE id > ? ORDER BY total * ?, user_id",
        "SELECT id, total * ?2, user_id FROM orders WHERE id > ?1",
        2,
      ],
      [
        "SELECT ? AS p FROM orders WHERE id = :a ORDER BY total + :b",
        "SELECT ?1 AS p, total + ?3 FROM orders WHERE id = ?2",
        1,
      ],
      [
        "SELECT id FROM orders UNION SELECT 1 ORDER BY 1",
        "SELECT id FROM orders UNION SELECT 1",
        0,
      ],
    ];
    for (const [sql, guard, extra] of known) {
      const told = check(sql);
      assert.equal(classOf(told), "shared", sql);
      assert.equal(told.extra, extra, sql);
      assert.ok(told.guard!.startsWith(`${guard} ORDER BY `), told.guard!);
    }
    const masked = check(
      "SELECT created_at FROM users WHERE id < ? ORDER BY age, created_at LIMIT 3",
    );
    assert.equal(classOf(masked), "judged users");
    const beside = check("SELECT id FROM users ORDER BY age, created_at");
    assert.deepEqual([classOf(beside), beside.extra], ["judged beside a guard users", 1]);
  });

  it("tells guards that take the parameters of the read", () => {
    const db = new DatabaseSync(":memory:");
    for (const sql of SCHEMA) db.exec(sql);
    db.exec("INSERT INTO users VALUES(1,'a',30,1.5,'x'), (2,'b',20,2.5,'y'), (3,'c',10,3.5,'z')");
    const sql =
      "WITH big AS (SELECT * FROM users WHERE id > ?2) SELECT created_at, ? AS p FROM big " +
      "WHERE age > ?1 ORDER BY age * ?4, ?3";
    const { guard, extra } = check(sql, [15, 0, 7, -1]);
    const rows = (text: string) =>
      db.prepare(text).all(5, 0, 7, -1).map((row) => Object.values(row));
    assert.equal(extra, 1);
    assert.deepEqual(rows(sql), [["x", 7], ["y", 7], ["z", 7]]);
    assert.deepEqual(rows(guard!), [[1, 7, -30], [2, 7, -20], [3, 7, -10]]);
    db.close();
  });
});
