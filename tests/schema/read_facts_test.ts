import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { Facts, TableFacts } from "../../src/schema/facts.ts";
import { readFacts } from "../../src/schema/read_facts.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { embeddedWorld, rqlitedWorld, type World } from "./world.ts";

type Check = (table: (name: string) => TableFacts) => void;

function sorted(set: Iterable<string>): string[] {
  return [...set].sort();
}

/** Asserts the local columns of a table. */
function local(name: string, ...columns: string[]): Check {
  return (table) => assert.deepEqual(sorted(table(name).local), columns.sort());
}

function writes(name: string, ...tables: string[]): Check {
  return (table) => assert.deepEqual(sorted(table(name).writes), [name, ...tables].sort());
}

function all(...checks: Check[]): Check {
  return (table) => checks.forEach((check) => check(table));
}

const BASE = "CREATE TABLE t(id INTEGER PRIMARY KEY, a, b, at DEFAULT CURRENT_TIMESTAMP)";

function trigger(body: string, head = "AFTER INSERT ON t"): string {
  return `CREATE TRIGGER tr ${head} BEGIN ${body}; END`;
}

const DEFAULTS: readonly (readonly [text: string, volatile: boolean])[] = [
  ["CURRENT_TIMESTAMP", true],
  ["current_date", true],
  ["(CURRENT_TIME)", true],
  ["(datetime('now'))", true],
  ["(DATETIME())", true],
  ["(datetime('NOW', '+1 day'))", true],
  ["(strftime('%s'))", true],
  ["(unixepoch('subsec'))", true],
  ["(datetime('2020-01-01', 'localtime'))", true],
  ["(date('2020-01-01', 'utc'))", true],
  ["(random())", true],
  ["(lower(hex(randomblob(16))))", true],
  ["(abs(random ( )) % 10)", true],
  ["(changes())", true],
  ["(last_insert_rowid())", true],
  ["(total_changes())", true],
  ["(sqlite_version())", true],
  ["(sqlite_source_id())", true],
  ["'current_timestamp'", false],
  ["'random()'", false],
  ["(lower('NOW'))", false],
  ["(date('2020-01-01'))", false],
  ["(strftime('%s', '2020-01-01', '+1 day'))", false],
  ["(coalesce(NULL, abs(-1), upper('x')))", false],
  ["(1 + 2 IN (1, 3) AND (NOT (0)))", false],
  ["(CAST('1' AS VARCHAR(10)))", false],
  ["-1.5", false],
  ["NULL", false],
  ["x'00'", false],
  ["TRUE", false],
  ["now", false],
];

const CASES: readonly (readonly [what: string, schema: readonly string[], check: Check])[] = [
  ["a column that a trigger stamps", [
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a, touched)",
    trigger("UPDATE t SET touched = datetime('now') WHERE id = NEW.id", "AFTER UPDATE OF a ON t"),
  ], all(local("t", "touched"), (table) => assert.equal(table("t").triggered, true))],
  ["all that a trigger names which uses chance anywhere", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x, y, z)",
    trigger("INSERT INTO log(x, y) VALUES(1, 2); SELECT random()"),
  ], all(local("log", "x", "y"), writes("t", "log"))],
  ["all columns where rows come by a condition that uses chance", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x, y)",
    trigger("INSERT INTO log(x) VALUES(1)", "AFTER INSERT ON t WHEN random() > 0"),
  ], local("log", "id", "x", "y")],
  [
    "what triggers write that fire on some nodes only",
    [
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
      "CREATE TABLE u(id INTEGER PRIMARY KEY, a, b)",
      "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
      "CREATE TABLE kept(id INTEGER PRIMARY KEY, x)",
      trigger("UPDATE u SET a = 1 WHERE random() > 0"),
      "CREATE TRIGGER tu AFTER UPDATE OF a ON u BEGIN INSERT INTO log(x) VALUES(1); END",
      "CREATE TRIGGER ti AFTER INSERT ON u BEGIN INSERT INTO kept(x) VALUES(NEW.b); END",
    ],
    all(local("u", "a"), local("log", "id", "x"), local("kept")),
  ],
  [
    "nothing else where a trigger stamps the row that it is about",
    [
      "CREATE TABLE t(id INTEGER PRIMARY KEY, a, touched)",
      "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
      trigger(
        "UPDATE t SET touched = datetime('now') WHERE id = NEW.id",
        "AFTER UPDATE OF a ON t",
      ),
      "CREATE TRIGGER tl AFTER UPDATE ON t BEGIN INSERT INTO log(x) VALUES(NEW.a); END",
    ],
    all(local("t", "touched"), local("log")),
  ],
  [
    "rows that a foreign key deletes by a local column",
    ["CREATE TABLE t(id INTEGER PRIMARY KEY, p DEFAULT (random()) REFERENCES t ON DELETE CASCADE, v)"],
    local("t", "id", "p", "v"),
  ],
  ["all columns of a table whose rows a trigger may refuse by the clock", [
    "CREATE TABLE t(id INTEGER PRIMARY KEY, a)",
    trigger("SELECT RAISE(IGNORE) WHERE NEW.a < date('now')", "BEFORE INSERT ON t"),
  ], local("t", "id", "a")],
  ["all columns where a trigger may replace rows by chance", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x UNIQUE)",
    trigger("INSERT OR REPLACE INTO log(x) VALUES(random() % 2)"),
  ], local("log", "id", "x")],
  ["all columns where a trigger names none", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger("INSERT INTO log SELECT NULL, CURRENT_TIMESTAMP"),
  ], local("log", "id", "x")],
  ["all columns where a trigger deletes by the clock", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger("DELETE FROM log WHERE x < unixepoch('now', '-1 day')"),
  ], local("log", "id", "x")],
  ["what an upsert of a trigger sets", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x, y, z)",
    trigger(
      "INSERT INTO log(id) VALUES(1) ON CONFLICT(id) DO UPDATE SET (x, y) = (1, random())",
    ),
  ], local("log", "id", "x", "y", "z")],
  ["what a trigger copies from a local column of its row", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger('INSERT INTO log(x) VALUES(NEW."AT")'),
  ], local("log", "x")],
  ["nothing that a trigger copies from other columns", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x, note DEFAULT 'random()')",
    trigger("INSERT INTO log(x) VALUES(NEW.a || NEW.b || 'now' || replace(NEW.a, 'x', 'y'))"),
  ], all(local("log"), writes("t", "log"))],
  ["what triggers hand on from table to table", [
    BASE,
    "CREATE TABLE one(id INTEGER PRIMARY KEY, x)",
    "CREATE TABLE two(id INTEGER PRIMARY KEY, y, double AS (y * 2), other AS (id + 1))",
    "CREATE TRIGGER a AFTER INSERT ON one BEGIN UPDATE two SET y = NEW.x WHERE id = NEW.id; END",
    "CREATE TRIGGER b AFTER INSERT ON t BEGIN INSERT INTO one(x) VALUES((SELECT max(at) FROM t)); END",
  ], all(local("one", "x"), local("two", "y", "double"), writes("t", "one", "two"))],
  ["what a trigger reads with a star", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    "CREATE TABLE src(v)",
    trigger("INSERT INTO log(x) SELECT count(*) FROM (SELECT * FROM t)", "AFTER INSERT ON src"),
  ], local("log", "id", "x")],
  ["no count of rows", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    "CREATE TABLE src(v)",
    trigger("INSERT INTO log(x) SELECT count(*) * 2 FROM t", "AFTER INSERT ON src"),
  ], local("log")],
  ["what a trigger reads from a view with a clock", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    "CREATE VIEW v AS SELECT datetime('now') AS n",
    "CREATE VIEW w AS SELECT n FROM v",
    "CREATE TABLE src(v)",
    trigger("INSERT INTO log(x) SELECT n FROM w", "AFTER INSERT ON src"),
  ], local("log", "id", "x")],
  ["what a trigger takes from rowids that VACUUM changes", [
    "CREATE TABLE loose(a)",
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger("INSERT INTO log(x) VALUES(NEW.rowid)", "AFTER INSERT ON loose"),
  ], local("log", "x")],
  ["no rowid that is an INTEGER PRIMARY KEY", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger("INSERT INTO log(x) VALUES(NEW.rowid)"),
  ], local("log")],
  ["what functions give that are not known", [
    BASE,
    "CREATE TABLE log(id INTEGER PRIMARY KEY, x)",
    trigger("INSERT INTO log(x) SELECT name FROM pragma_table_list"),
  ], local("log", "id", "x")],
  ["a default, but none of the rowid", [
    'CREATE TABLE t(id INTEGER PRIMARY KEY DEFAULT (random()), "At" DEFAULT CURRENT_DATE)',
  ], local("t", "at")],
  ["generated columns made of local ones", [
    "CREATE TABLE t(a, at DEFAULT CURRENT_TIMESTAMP, d GENERATED ALWAYS AS (substr(at, 1, 10)) STORED, e AS (d), f AS (a))",
  ], local("t", "at", "d", "e")],
  ["keys that are cascaded from a local column", [
    "CREATE TABLE p(k TEXT PRIMARY KEY DEFAULT (hex(randomblob(8))), v)",
    "CREATE TABLE c(id INTEGER PRIMARY KEY, p REFERENCES p ON UPDATE CASCADE, q REFERENCES p(v))",
  ], all(local("c", "p"), writes("p", "c"), writes("c"))],
  ["what an INSTEAD OF trigger of a view writes", [
    BASE,
    "CREATE VIEW v AS SELECT a, b FROM t",
    trigger("UPDATE t SET a = NEW.a WHERE b = NEW.b", "INSTEAD OF UPDATE ON v"),
  ], all(writes("v", "t"), local("t", "at"))],
  [
    "the tables that foreign keys' actions write",
    [
      "CREATE TABLE p(id INTEGER PRIMARY KEY, q REFERENCES p ON DELETE CASCADE)",
      "CREATE TABLE c(p REFERENCES p ON DELETE SET NULL, d REFERENCES d)",
      'CREATE TABLE d(id INTEGER PRIMARY KEY, p REFERENCES "P" ON UPDATE SET DEFAULT)',
      "CREATE TABLE e(p REFERENCES p ON DELETE RESTRICT)",
    ],
    all(
      writes("p", "c", "d"),
      writes("d"),
      (table) =>
        assert.deepEqual(["p", "c", "d"].map((name) => table(name).triggered), [
          ...[true, false, false],
        ]),
    ),
  ],
  ["the tables beneath views", [
    BASE,
    "CREATE TABLE u(x)",
    'CREATE VIEW v AS SELECT a FROM t WHERE EXISTS (SELECT 1 FROM main."U")',
    "CREATE VIEW w AS WITH c(a) AS (SELECT * FROM v) SELECT c.a, d.a AS z FROM c, v AS d",
    "CREATE VIEW n AS SELECT 't', date('now') FROM u",
  ], (table) => {
    assert.deepEqual(sorted(table("v").reads), ["t", "u"]);
    assert.deepEqual(sorted(table("w").reads), ["t", "u"]);
    assert.deepEqual(sorted(table("t").reads), ["t"]);
    assert.deepEqual([table("v"), table("w"), table("n")].map((view) => view.volatile), [
      ...[false, false, true],
    ]);
    assert.deepEqual(table("w").columns.map(({ name }) => name), ["a", "z"]);
  }],
  ["what is unique among values that nodes may hold differently", [
    ...["a", "b", "c", "d", "e", "f"].map((name) =>
      `CREATE TABLE ${name}(id INTEGER PRIMARY KEY, mail TEXT, token TEXT DEFAULT (hex(randomblob(8)))${
        name === "f" ? " UNIQUE" : ""
      })`
    ),
    "CREATE UNIQUE INDEX ai ON a(mail, token)",
    "CREATE UNIQUE INDEX bi ON b(mail) WHERE token > ''",
    "CREATE UNIQUE INDEX ci ON c(lower(token))",
    "CREATE UNIQUE INDEX di ON d(mail)",
    "CREATE INDEX ei ON e(token)",
  ], (table) => {
    const seen = ["a", "b", "c", "d", "e", "f"].map((name) => table(name).localUnique);
    assert.deepEqual(seen, [true, true, true, false, false, true]);
  }],
  ["what decides about a write besides its row", [
    "CREATE TABLE p(id INTEGER PRIMARY KEY, self REFERENCES p)",
    "CREATE TABLE c(id TEXT PRIMARY KEY, p REFERENCES P(id), v)",
    "CREATE UNIQUE INDEX cv ON c(abs(v)) WHERE v > 0",
    "CREATE TABLE u(id INTEGER PRIMARY KEY, A UNIQUE, b)",
    "CREATE UNIQUE INDEX uba ON u(b, a) WHERE a > 0",
    "CREATE VIEW w AS SELECT * FROM c",
    "CREATE TRIGGER ct BEFORE DELETE ON c BEGIN SELECT RAISE(ABORT, 'no') FROM w; END",
  ], (table) => {
    const lists = (name: string) => {
      const { triggers, parents, children, uniques } = table(name).bonds;
      return [triggers && sorted(triggers), sorted(parents), sorted(children), uniques];
    };
    assert.deepEqual(lists("p"), [undefined, ["p"], ["c", "p"], []]);
    assert.deepEqual(lists("c"), [["w"], ["p"], [], undefined]);
    assert.deepEqual(lists("u").at(-1), [["b", "a"], ["a"]]);
  }],
  ["keys and what is unique", [
    "CREATE TABLE i(id INTEGER PRIMARY KEY, a NOT NULL UNIQUE, b UNIQUE, c NOT NULL)",
    "CREATE UNIQUE INDEX ic ON i(c, a)",
    "CREATE UNIQUE INDEX ip ON i(c) WHERE b > 0",
    "CREATE UNIQUE INDEX ie ON i(c, abs(a))",
    "CREATE INDEX ii ON i(c)",
    "CREATE TABLE d(id INTEGER PRIMARY KEY DESC)",
    "CREATE TABLE k(a, b, PRIMARY KEY(b, a)) WITHOUT ROWID",
    "CREATE TABLE n(a TEXT PRIMARY KEY)",
    'CREATE TABLE o("Id" INTEGER, PRIMARY KEY(id AUTOINCREMENT))',
    "CREATE TABLE none(a)",
  ], (table) => {
    const seen = ["i", "d", "k", "n", "o", "none"].map((name) => {
      const { rowid, withoutRowid, key, candidateKeys } = table(name);
      return [rowid, withoutRowid, key, [...candidateKeys].sort()];
    });
    assert.deepEqual(seen, [
      ["id", false, ["id"], [["a"], ["c", "a"], ["id"]]],
      [undefined, false, ["id"], []],
      [undefined, true, ["b", "a"], [["b", "a"]]],
      [undefined, false, ["a"], []],
      ["Id", false, ["Id"], [["id"]]],
      [undefined, false, [], []],
    ]);
  }],
  ["virtual tables and the tables that keep them", [
    BASE,
    "CREATE VIRTUAL TABLE f USING fts5(a, content='t', content_rowid='id')",
    "CREATE TABLE other(a)",
    trigger("INSERT INTO f(rowid, a) VALUES(NEW.id, NEW.a)"),
  ], (table) => {
    assert.equal(table("f").kind, "virtual");
    assert.ok(table("f").reads.has("t") && table("f").writes.has("f_data"));
    assert.ok(table("t").writes.has("f_data") && !table("t").writes.has("other"));
    assert.deepEqual(sorted(table("f").local), []);
  }],
  ["virtual tables over local columns", [
    BASE,
    "CREATE VIRTUAL TABLE f USING fts5(a, at, content='t', content_rowid='id')",
    "CREATE VIRTUAL TABLE g USING fts5vocab('f', 'row')",
  ], (table) => {
    assert.ok(["a", "at"].every((column) => table("f").local.has(column)));
    assert.ok(table("g").local.has("term"));
  }],
  ["a schema in which a view does not compile", [
    BASE,
    "CREATE VIEW broken AS SELECT gone FROM nowhere",
    "CREATE VIEW behind AS SELECT a, datetime('now') FROM t",
    "CREATE TRIGGER tb INSTEAD OF INSERT ON behind BEGIN INSERT INTO t(a) VALUES(NEW.a); END",
  ], (table) => {
    assert.deepEqual(table("broken").columns, []);
    assert.deepEqual(sorted(table("behind").reads), ["t"]);
    assert.equal(table("behind").volatile, true);
    local("t", "at", "a")(table);
  }],
  ["odd names in any case", [
    `CREATE TABLE "a ""b"(id INTEGER PRIMARY KEY, "x y" DEFAULT CURRENT_TIME, [select])`,
    trigger(`UPDATE [a "b] SET "select" = NEW."X Y"`, `AFTER INSERT ON 'a "b'`),
  ], (table) => {
    assert.equal(table('A "B').name, 'a "b');
    assert.deepEqual(sorted(table('a "b').local), ["select", "x y"]);
  }],
];

for (
  const [name, make, skip] of [
    ["the embedded engine", embeddedWorld, false],
    ["a server", rqlitedWorld, skipWithoutRqlited()],
  ] as const
) {
  describe(`readFacts() on ${name} tells`, { skip }, () => {
    let world: World;

    before(async () => {
      world = await make();
    });

    after(() => world?.stop());

    async function factsOf(schema: readonly string[]): Promise<Facts> {
      await world.clear();
      await world.run(...schema);
      return await world.facts();
    }

    it("which defaults are volatile", async () => {
      const columns = DEFAULTS.map(([text], i) => `c${i} DEFAULT ${text}`);
      const facts = await factsOf([`CREATE TABLE t(${columns.join(", ")})`]);
      const seen = facts.table("t")!.columns.map(({ volatileDefault }, i) => [
        DEFAULTS[i]![0],
        volatileDefault,
      ]);
      assert.deepEqual(seen, DEFAULTS);
    });

    for (const [what, schema, check] of CASES) {
      it(what, async () => {
        const facts = await factsOf(schema);
        check((name) => facts.table(name) ?? assert.fail(`no table ${name}`));
      });
    }

    it("columns as they are declared", async () => {
      const facts = await factsOf([
        "CREATE TABLE t(id INTEGER PRIMARY KEY, a VARCHAR(10) NOT NULL DEFAULT 'x', g AS (a) STORED)",
      ]);
      const none = { notNull: false, volatileDefault: false, generated: false, hidden: false };
      assert.deepEqual(facts.table("T")!.columns, [
        { ...none, name: "id", type: "INTEGER", default: undefined, key: 1 },
        { ...none, name: "a", type: "VARCHAR(10)", notNull: true, default: "'x'", key: 0 },
        { ...none, name: "g", type: "", default: undefined, key: 0, generated: true },
      ]);
      assert.equal(facts.table("sqlite_schema"), undefined);
      assert.equal(facts.table("nowhere"), undefined);
    });

    it("a version that changes with the schema and with nothing else", async () => {
      await factsOf([BASE]);
      const before = await world.version();
      await world.run("INSERT INTO t(a) VALUES(1)");
      assert.equal(typeof before, "string");
      assert.equal(await world.version(), before);
      await world.run("CREATE INDEX i ON t(a)");
      assert.notEqual(await world.version(), before);
    });
  });
}

describe("readFacts() of rows that it cannot read", () => {
  const columns = JSON.stringify([[0, "id", "INTEGER", 0, null, 1, 0], [
    1,
    "a",
    "",
    0,
    null,
    0,
    0,
  ]]);
  const table = (name: string, sql: string, cells: unknown = columns): unknown[] => {
    return ["table", name, name, sql, "table", 0, cells, "[]", "[]"];
  };

  it("takes every column but the key for local, and every table for written", () => {
    const facts = readFacts([table("t", "CREATE TABLE t(id INTEGER PRIMARY KEY, 'a")], "1");
    assert.deepEqual(sorted(facts.table("t")!.local), ["a"]);
    assert.deepEqual(sorted(facts.table("t")!.writes), ["*", "t"]);
  });

  it("takes all columns for local where they are not told", () => {
    for (const cells of [null, 5, "{", "{}", "[1]"]) {
      const facts = readFacts([table("t", "CREATE TABLE t(a)", cells)], "1");
      assert.deepEqual(sorted(facts.table("t")!.local), ["*"]);
    }
  });

  it("takes all that a trigger names for local", () => {
    for (
      const sql of ["CREATE TRIGGER tr", "CREATE TRIGGER tr AFTER INSERT ON t BEGIN SELECT 'u"]
    ) {
      const facts = readFacts([
        table("t", "CREATE TABLE t(id INTEGER PRIMARY KEY, a)"),
        table("u", "CREATE TABLE u(id INTEGER PRIMARY KEY, a)"),
        ["trigger", "tr", "t", sql, null, null, null, null, null],
      ], "1");
      assert.deepEqual(sorted(facts.table("t")!.local), ["a", "id"]);
      assert.deepEqual(sorted(facts.table("t")!.writes), ["*", "t"]);
      assert.equal(facts.table("u")!.triggered, true);
    }
  });

  it("throws nothing", () => {
    assert.equal(readFacts([[], [null, 1], ["view", "v", "v", null]], "1").version, "1");
  });
});
