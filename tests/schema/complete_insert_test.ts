import fc from "fast-check";
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { NotSupportedError } from "../../src/errors.ts";
import { completeInsert } from "../../src/schema/complete_insert.ts";
import type { Facts } from "../../src/schema/facts.ts";
import { usesNode, viewOf } from "../../src/schema/node_state.ts";
import type { Param } from "../../src/sql/value.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { embeddedWorld, type NodeAnswer, rqlitedWorld, type World } from "./world.ts";

/** What stands between « and » is a default that must not fire in a completed statement. */
const SCHEMA: readonly string[] = [
  `CREATE TABLE t(id INTEGER PRIMARY KEY, a TEXT UNIQUE, b, at TEXT NOT NULL DEFAULT «CURRENT_TIMESTAMP»,
    u DEFAULT («strftime('%Y-%m-%dT%H:%M:%fZ', 'now') /* utc */ -- ?
    »), fixed TEXT DEFAULT 'current_timestamp', up AS (substr(at, 1, 2)))`,
  `CREATE TABLE r(id TEXT NOT NULL PRIMARY KEY DEFAULT («lower(hex(randomblob(8)))»), a,
    n INTEGER DEFAULT («1000000000000 + abs(random() % 1000000000)»))`,
  `CREATE TABLE w(k TEXT PRIMARY KEY, v, at TEXT NOT NULL ON CONFLICT REPLACE DEFAULT «CURRENT_TIMESTAMP»)
    WITHOUT ROWID`,
  `CREATE TABLE "q ""t"(id INTEGER PRIMARY KEY, "a b", [select] TEXT DEFAULT «CURRENT_TIMESTAMP»)`,
  `CREATE TABLE log(id INTEGER PRIMARY KEY, line TEXT)`,
  `CREATE TABLE src(x, y, conflict)`,
  `CREATE TABLE noted(v)`,
  `CREATE VIEW seen AS SELECT a, at FROM t`,
  `CREATE TRIGGER tr AFTER INSERT ON t BEGIN INSERT INTO log(line) VALUES(NEW.a || NEW.at); END`,
  `CREATE TRIGGER vr INSTEAD OF INSERT ON seen BEGIN INSERT INTO noted VALUES(NEW.a); END`,
];

const ROWS: readonly string[] = [
  "INSERT INTO t(a, b, at, u) VALUES('x', 1, 'before', 'before')",
  "INSERT INTO r(id, a, n) VALUES('one', 1, 1)",
  "INSERT INTO w VALUES('k', 1, 'before')",
  "INSERT INTO src VALUES('s1', 1, 1), ('s2', 2, 1), ('x', 3, 1)",
];

const TABLES = ["t", "r", "w", '"q ""t"', "log", "noted"];

type Case = readonly [sql: string, ...params: Param[]];

const FORMS: readonly Case[] = [
  ["INSERT INTO t(a) VALUES('n')"],
  ["INSERT INTO t(a, b) VALUES(?, ?), (?, ?)", "m", 1, "n", 2],
  ["INSERT INTO t(b, a) VALUES(?2, ?1)", "m", 1],
  ["INSERT INTO t(a, b) VALUES((SELECT max(x) FROM src), (1, 2) = (1, 2)) RETURNING *"],
  ["INSERT INTO t(a, at) VALUES('n', 'given')"],
  ["INSERT INTO t(A, AT, U) VALUES('n', 'given', NULL)"],
  ["INSERT INTO t VALUES(7, 'n', 1, 'given', 'given', 'given')"],
  ["INSERT INTO t DEFAULT VALUES"],
  ["INSERT INTO t DEFAULT VALUES RETURNING id, at, u"],
  ["INSERT INTO main.t AS z DEFAULT VALUES RETURNING id"],
  ["/* c */ INSERT INTO t -- c\n(a /* c */) VALUES /* c */ ('n') -- c\n;"],
  ["INSERT INTO t(a) SELECT x FROM src WHERE y < ?", 3],
  ["INSERT INTO t(a, b) SELECT x, x FROM src WHERE y < ? ORDER BY y DESC LIMIT ?", 3, 2],
  ["INSERT INTO t(a) SELECT x FROM src WHERE y = 1 UNION ALL SELECT y FROM src ORDER BY 1 DESC"],
  ["INSERT INTO t(a) WITH c(v) AS (SELECT x FROM src LIMIT 2) SELECT v FROM c"],
  ["WITH c(v) AS (SELECT x FROM src LIMIT 2) INSERT INTO t(a) SELECT v FROM c RETURNING *"],
  ["WITH c(v) AS (VALUES('n')) INSERT INTO t(a) VALUES((SELECT v FROM c))"],
  ["WITH c(v) AS (VALUES(1)) INSERT INTO t(a) WITH d(v) AS (VALUES(2)) SELECT c.v + d.v FROM c, d"],
  ["INSERT INTO t(a) VALUES('m') UNION ALL SELECT 'n'"],
  ["INSERT INTO t(a, b) SELECT * FROM (VALUES('m', 1), ('n', 2))"],
  ["INSERT INTO t(a) SELECT a || 'y' FROM t"],
  ["INSERT INTO t(a, b) SELECT ?, ? WHERE NOT EXISTS (SELECT 1 FROM t WHERE a = ?1)", "n", 1],
  ["INSERT INTO t(a, b) VALUES('x', 2) ON CONFLICT(a) DO UPDATE SET b = excluded.b, at = excluded.at"],
  ["INSERT INTO t AS z(a) VALUES('x') ON CONFLICT(a) DO UPDATE SET b = z.b + 1 RETURNING *"],
  ["INSERT INTO t(a) VALUES('x'), ('n') ON CONFLICT DO NOTHING RETURNING id, a"],
  [
    "INSERT INTO t(a) SELECT x FROM src WHERE true ON CONFLICT(a) DO UPDATE SET b = excluded.a RETURNING a, b, at",
  ],
  ["INSERT INTO t(a) SELECT s.x FROM src s JOIN src z ON conflict = s.y AND z.y = 1"],
  ["INSERT OR IGNORE INTO t(a) VALUES('x'), ('n')"],
  ["INSERT OR IGNORE INTO t(a, at) VALUES('n', NULL)"],
  ["INSERT OR REPLACE INTO t(a) VALUES('x'), ('n') RETURNING *"],
  ["INSERT OR REPLACE INTO t(id, a, at) VALUES(1, 'n', ?), (2, 'o', ?)", null, "given"],
  ["INSERT OR REPLACE INTO t VALUES(1, 'n', ?, NULL, NULL, NULL)", 5],
  ["REPLACE INTO t(a, at) VALUES('x', coalesce(NULL, NULL)), ('n', 'given') RETURNING a, at"],
  ["REPLACE INTO t(a) SELECT x FROM src ORDER BY y DESC"],
  ["REPLACE INTO t(a, at) SELECT x, CASE WHEN y > ? THEN y END FROM src ORDER BY y DESC", 1],
  [
    "WITH c AS (SELECT * FROM src) INSERT OR REPLACE INTO t SELECT y, x, y, NULL, NULL, NULL FROM c RETURNING *",
  ],
  ["REPLACE INTO t(at, a) WITH c AS (SELECT * FROM src) SELECT NULL, x FROM c"],
  ["INSERT INTO t(rowid, a) VALUES(9, 'n')"],
  ["INSERT INTO `t`('a', \"b\") VALUES('n', 1)"],
  ["INSERT INTO t(a) VALUES(NULL)"],
  ["INSERT INTO t(a, at) VALUES('n', NULL)"],
  ["INSERT INTO t(a) VALUES('x')"],
  ["INSERT INTO t(a, nope) VALUES('n', 1)"],
  ["INSERT INTO t(a) DEFAULT VALUES"],
  ['INSERT INTO "q ""t"("a b") VALUES(?)', "n"],
  ['INSERT INTO main."q ""t" DEFAULT VALUES RETURNING *'],
  ["INSERT INTO r(a) VALUES(1), (2), (3) RETURNING *"],
  ["INSERT INTO r DEFAULT VALUES"],
  ["INSERT INTO r(a) SELECT ? WHERE 1 IS DISTINCT FROM 2", 5],
  ["REPLACE INTO r(id, a) VALUES(?, 1), (?, 2), ('one', 3)", null, null],
  ["INSERT INTO w(k, v) VALUES('k2', 1)"],
  ["INSERT INTO w VALUES('k2', 1, ?)", null],
  ["INSERT INTO w(k, at) SELECT x, NULL FROM src"],
  ["INSERT OR ABORT INTO w(k, at) VALUES('k2', NULL)"],
  ["INSERT INTO w(k, v) VALUES('k', 2) ON CONFLICT(k) DO UPDATE SET at = NULL"],
  ["INSERT INTO w(k) VALUES('k') ON CONFLICT(k) DO UPDATE SET at = excluded.at RETURNING *"],
  ["UPDATE w SET at = ?, v = 2 RETURNING k, at", null],
  ["UPDATE main.w AS z SET (v, at) = (z.v + 1, NULL) WHERE k = 'k'"],
  ["UPDATE OR REPLACE t SET at = NULL WHERE a IS DISTINCT FROM 'y'"],
  ["UPDATE OR REPLACE t SET at = 'given', a = NULL"],
  ["UPDATE OR IGNORE t SET at = NULL"],
  ["UPDATE t SET at = NULL"],
  ["DELETE FROM t RETURNING at"],
  ["INSERT INTO seen(a) VALUES('n')"],
];

/** Times and random values by what they are; all else as it is. */
function masked(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(masked);
  if (typeof value === "number" && value > 1e11) return "<integer>";
  if (typeof value !== "string") return value;
  return value.replace(/\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(\.\d{3}Z)?/, "<time>")
    .replace(/^[0-9a-f]{16}$/, "<random>");
}

function answered({ values, error }: NodeAnswer): unknown {
  return error === undefined
    ? masked(values ?? [])
    : error.replace(/^\d+ values for \d+ col.*/, "");
}

class Comparison {
  readonly world: World;
  facts: Facts | undefined;

  constructor(world: World) {
    this.world = world;
  }

  async #reset(schema: readonly string[]): Promise<void> {
    await this.world.clear();
    await this.world.run(...schema, ...ROWS);
  }

  async #state(): Promise<unknown> {
    const tables = [];
    for (const name of TABLES) {
      tables.push(
        await this.world.rows(`SELECT *, typeof(rowid) FROM ${name}`.replace(
          ", typeof(rowid) FROM w",
          " FROM w",
        )),
      );
    }
    return masked(tables);
  }

  async start(): Promise<void> {
    await this.#reset(SCHEMA.map((sql) => sql.replace(/[«»]/g, "")));
    this.facts = await this.world.facts();
  }

  /** What SQLite does with the statement as it is, and what is left when the defaults must not fire. */
  async both(
    [sql, ...params]: Case,
    complete: (sql: string) => string = (sql) => completeInsert(sql, this.facts!),
  ): Promise<{ original: unknown; completed: unknown }> {
    await this.#reset(SCHEMA.map((text) => text.replace(/[«»]/g, "")));
    const original = [answered(await this.world.write([sql, ...params])), await this.#state()];
    await this.#reset(SCHEMA.map((text) => text.replace(/«[^»]*»/g, "'fired'")));
    const answer = await this.world.write([complete(sql), ...params]);
    assert.ok(!usesNode(viewOf(answer.sent)!), answer.sent);
    return { original, completed: [answered(answer), await this.#state()] };
  }
}

for (
  const [name, make, skip] of [
    ["the embedded engine", embeddedWorld, false],
    ["a server", rqlitedWorld, skipWithoutRqlited()],
  ] as const
) {
  describe(`completeInsert() stores on ${name} what SQLite stores of`, { skip }, () => {
    let compare: Comparison;

    before(async () => {
      compare = new Comparison(await make());
      await compare.start();
    });

    after(() => compare?.world.stop());

    for (const form of FORMS) {
      it(JSON.stringify(form), async () => {
        const { original, completed } = await compare.both(form);
        assert.deepEqual(completed, original);
      });
    }

    it("nothing where the defaults are left to the node", async () => {
      const { original, completed } = await compare.both(FORMS[0]!, (sql) => sql);
      assert.notDeepEqual(completed, original);
    });

    it("any list of columns, rows and conflicts", async () => {
      const arbitrary = fc.record({
        verb: fc.constantFrom("INSERT", "INSERT OR IGNORE", "INSERT OR REPLACE", "REPLACE"),
        columns: fc.subarray(["id", "a", "b", "at", "u", "fixed"], { minLength: 1 }).chain((some) =>
          fc.shuffledSubarray(some, { minLength: some.length })
        ),
        rows: fc.array(fc.array(fc.constantFrom<Param>(null, 1, 2, "x", "y"), { minLength: 6 }), {
          minLength: 1,
          maxLength: 3,
        }),
        form: fc.constantFrom("VALUES", "SELECT", "CTE"),
        upsert: fc.constantFrom(
          "",
          " ON CONFLICT DO NOTHING",
          " ON CONFLICT(a) DO UPDATE SET b = 9",
        ),
        returning: fc.constantFrom("", " RETURNING *"),
      });
      const property = fc.asyncProperty(arbitrary, async (given) => {
        const { verb, columns, rows, form, upsert, returning } = given;
        const row = `(${columns.map(() => "?").join(", ")})`;
        const values = `VALUES ${rows.map(() => row).join(", ")}`;
        const source = form === "VALUES"
          ? values
          : form === "SELECT"
          ? `SELECT * FROM (${values}) WHERE true`
          : `WITH c AS (${values}) SELECT * FROM c WHERE true`;
        const sql = `${verb} INTO t(${columns.join(", ")}) ${source}${upsert}${returning}`;
        const params = rows.flatMap((values) => values.slice(0, columns.length));
        const { original, completed } = await compare.both([sql, ...params]);
        assert.deepEqual(completed, original, sql);
      });
      await fc.assert(property, { seed: 20261129, numRuns: name === "a server" ? 30 : 200 });
    });
  });
}

describe("completeInsert()", () => {
  let world: World;
  let facts: Facts;

  before(async () => {
    world = await embeddedWorld();
    await world.run(
      ...SCHEMA.map((sql) => sql.replace(/[«»]/g, "")),
      "CREATE TABLE zone(a, at DEFAULT (datetime('now', 'localtime')))",
      "CREATE TABLE total(a, n DEFAULT (total_changes()))",
      "CREATE TABLE build(a, v DEFAULT (sqlite_version()))",
      "CREATE TABLE counts(a, n DEFAULT (changes()), i DEFAULT (last_insert_rowid()))",
      "CREATE TABLE odd(a, n DEFAULT (datetime(lower('NOW'))))",
      "CREATE TABLE rand(a, token TEXT NOT NULL DEFAULT (hex(randomblob(4))))",
      "CREATE TABLE key(id INTEGER PRIMARY KEY DEFAULT (random()), a)",
      "CREATE VIRTUAL TABLE words USING fts5(body)",
    );
    facts = await world.facts();
  });

  after(() => world?.stop());

  const untouched = [
    "SELECT 1",
    "INSERT INTO t(a, at, u) VALUES(?, ?, ?)",
    "INSERT INTO t VALUES(1, 2, 3, 4, 5, 6)",
    "INSERT INTO temp.t(a) VALUES(1)",
    "INSERT INTO nowhere(a) VALUES(1)",
    "INSERT INTO seen(a) VALUES(1)",
    "INSERT INTO words(body) VALUES('a')",
    "INSERT INTO key(a) VALUES(1)",
    "INSERT INTO log DEFAULT VALUES",
    "EXPLAIN INSERT INTO t(a) VALUES(1)",
    "INSERT INTO t(a) VALUES(1); INSERT INTO t(a) VALUES(2)",
    "INSERT INTO t(a",
    "INSERT INTO t(a + 1) VALUES(1)",
    "INSERT OR REPLACE INTO t(a, at, u) VALUES(?, 'given', ?)",
    "UPDATE t SET at = ?",
    "UPDATE w SET at = 'given'",
  ];
  for (const sql of untouched) {
    it(`leaves ${sql}`, () => assert.equal(completeInsert(sql, facts), sql));
  }

  const texts: readonly (readonly [sql: string, completed: string])[] = [
    [
      "INSERT INTO t(a) VALUES (?), (:b)",
      `INSERT INTO t(a, "at", "u") VALUES (?, CURRENT_TIMESTAMP, (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))), (:b, CURRENT_TIMESTAMP, (strftime('%Y-%m-%dT%H:%M:%fZ', 'now')))`,
    ],
    [
      "REPLACE INTO w(k, at) VALUES (?, ?)",
      "REPLACE INTO w(k, at) VALUES (?, coalesce(?, CURRENT_TIMESTAMP))",
    ],
    [
      "INSERT INTO w(k) SELECT x FROM src ON CONFLICT DO NOTHING",
      'INSERT INTO w(k, "at") SELECT *, CURRENT_TIMESTAMP FROM (SELECT x FROM src) WHERE true ON CONFLICT DO NOTHING',
    ],
  ];
  for (const [sql, completed] of texts) {
    it(`writes ${sql}`, () => assert.equal(completeInsert(sql, facts), completed));
  }

  const refused: readonly (readonly [sql: string, about: RegExp])[] = [
    ["INSERT INTO zone(a) VALUES(1)", /column "at" of "zone".*give the value yourself/],
    ["INSERT INTO total DEFAULT VALUES", /column "n" of "total".*give the value yourself/],
    ["INSERT INTO build(a) SELECT x FROM src", /column "v" of "build".*give the value yourself/],
    ["INSERT INTO counts(a, n) VALUES(1, 1)", /column "i" of "counts".*give the value yourself/],
    ["INSERT INTO counts(a, i) VALUES(1, 1)", /column "n" of "counts".*give the value yourself/],
    ["INSERT INTO odd(a) VALUES(1)", /column "n" of "odd".*give the value yourself/],
    ["INSERT INTO rand(a) SELECT x FROM src", /"rand".*"token".*insert them with VALUES/],
    ["INSERT INTO rand(a) VALUES(1) UNION SELECT 2", /"rand".*"token"/],
    ["INSERT INTO rand(a) WITH c AS (SELECT 1) SELECT * FROM c", /"rand".*"token"/],
    ["REPLACE INTO rand(a, token) SELECT x, y FROM src", /"rand".*"token"/],
    ["UPDATE OR REPLACE rand SET token = ?", /column "token" of "rand".*bind/],
    ["UPDATE w SET (v, at) = (SELECT 1, 2)", /column "at" of "w".*bind/],
  ];
  for (const [sql, about] of refused) {
    it(`refuses ${sql}`, () => {
      assert.throws(() => completeInsert(sql, facts), (error) => {
        assert.ok(error instanceof NotSupportedError);
        assert.match(error.message, about);
        assert.equal(error.sql, sql);
        return true;
      });
    });
  }

  it("keeps the placeholders in order", () => {
    const sql = "REPLACE INTO w(v, at, k) VALUES (?, ?2, :c), (@d, ?, $c)";
    const marks = (text: string): string[] => text.match(/[?:@$]\w*/g) ?? [];
    assert.deepEqual(marks(completeInsert(sql, facts)), marks(sql));
  });

  it("answers the same text again from its cache", () => {
    const sql = "INSERT INTO t(a) VALUES('cached')";
    assert.equal(completeInsert(sql, facts), completeInsert(sql, facts));
  });

  it("throws nothing but NotSupportedError, and changes no statement that is complete", () => {
    const piece = fc.constantFrom(
      ..."INSERT|REPLACE|UPDATE|WITH c AS (|OR REPLACE|INTO t|INTO r|INTO w|t|(a|,|a|at|)|(|VALUES|DEFAULT VALUES|SELECT|*|x"
        .split("|"),
      ..."FROM src|ON CONFLICT|DO NOTHING|DO UPDATE SET|SET|=|?|NULL|'s'|RETURNING|WHERE true|UNION|;|AS z|main.|random()"
        .split("|"),
    );
    const text = fc.array(piece, { maxLength: 16, size: "max" }).map((parts) => parts.join(" "));
    fc.assert(
      fc.property(text, (sql) => {
        try {
          const once = completeInsert(sql, facts);
          if (!/REPLACE|w/.test(once)) assert.equal(completeInsert(once, facts), once);
        } catch (error) {
          assert.ok(error instanceof NotSupportedError, String(error));
        }
      }),
      { seed: 20261129, numRuns: 20_000 },
    );
  });
});
