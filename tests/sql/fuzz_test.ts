import fc from "fast-check";
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import { describe, it } from "node:test";
import { NotSupportedError, ProgrammingError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { volatileValuesOf } from "../../src/sql/volatile_values.ts";
import { clean } from "../../src/sql/clean.ts";
import { literal } from "../../src/sql/quoting.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import { splitScript } from "../../src/sql/split.ts";
import type { Statement } from "../../src/sql/statement.ts";
import { sql } from "../../src/sql/template.ts";
import { tokenize } from "../../src/sql/tokenize.ts";

const SEED = 20261122;
const now = new Date(0);

/** Pieces that lexers stumble over. */
const fragments = [
  ..."'\"`[];-/*?:@$#.,()=<>|!~+%&\\{} \t\n\r\f\v\0\ufeff_xX0e9",
  ..."-- ,/*,*/,'',\"\",x',X'0f',->,->>,||,::,0x,1_000,1e-3,.5,é,\ud83d\ude00,\ud800,$a::b(c),?12"
    .split(","),
  ..."SELECT ,INSERT INTO t,VALUES(,RETURNING,BEGIN,END,CREATE TRIGGER,CASE ,WITH a AS (,random("
    .split(","),
  ..."datetime('now'),CURRENT_DATE,OR ROLLBACK,UPDATE t SET,PRAGMA ,count(*),EXPLAIN,strftime("
    .split(","),
];

const text = fc.array(fc.constantFrom(...fragments), { maxLength: 30, size: "max" }).map((parts) =>
  parts.join("")
);

/** Words and values with blanks between, so that more of it is SQL. */
const statement = fc.array(
  fc.constantFrom(
    ..."SELECT * FROM t WHERE a = ? AND b IN ( 1 , :a ) , @b $c ?2 'x' \"y\" [z] x'00' . + - || 1.5"
      .split(" "),
    ..."INSERT INTO VALUES UPDATE SET DELETE RETURNING WITH AS CREATE TABLE TRIGGER BEGIN END CASE ;"
      .split(" "),
    "-- c\n",
    "/* ; */",
    "random()",
    "date('now')",
    "CURRENT_TIMESTAMP",
  ),
  { maxLength: 20, size: "max" },
).map((parts) => parts.join(" "));

/** Expressions that may depend on the time in every way but through other functions. */
const { expression: timeExpression } = fc.letrec<{ expression: string }>((tie) => ({
  expression: fc.oneof(
    { maxDepth: 4, depthSize: "medium" },
    fc.constantFrom(
      ..."'now';'NOW';CURRENT_TIMESTAMP;current_date;CURRENT_TIME;datetime();julianday('now');1;'a'"
        .split(";"),
      ..."strftime('%s');unixepoch('subsec');date('2020-01-01');NULL;strftime('%f', 'now');x'6e6f77'"
        .split(";"),
    ),
    fc.tuple(
      fc.constantFrom(
        ..."(%);coalesce(NULL, %);ifnull(%, %);CASE WHEN % THEN % ELSE % END;% || %;datetime(%)"
          .split(";"),
        ..."date(%, '+1 day');(SELECT %);% IS DISTINCT FROM %;max(%, %);strftime('%Y', %);lower(%)"
          .split(";"),
        ..."timediff(%, %);% IN (%, %);% BETWEEN % AND %;time((%), '-1 hour', 'subsec');- %;+%"
          .split(";"),
      ),
      tie("expression"),
      tie("expression"),
      tie("expression"),
    ).map(([form, ...parts]) => {
      let next = 0;
      return form.replace(/%(?!Y)/g, () => parts[next++]!);
    }),
  ),
}));

function isFreezable(source: Statement): boolean {
  try {
    prepare(source, { now });
    return true;
  } catch (error) {
    assert.ok(error instanceof NotSupportedError);
    return false;
  }
}

function check<T>(
  arbitrary: fc.Arbitrary<T>,
  numRuns: number,
  predicate: (value: T) => void,
): void {
  fc.assert(fc.property(arbitrary, predicate), { seed: SEED, numRuns });
}

describe("fuzzed tokenize()", () => {
  it("covers any text without a gap", () => {
    check(text, 50_000, (source) => {
      let at = 0;
      for (const { start, end } of tokenize(source)) {
        assert.equal(start, at);
        assert.ok(end > start);
        at = end;
      }
      assert.equal(at, source.length);
    });
  });

  it("cuts a token that stands alone as it did in the text", () => {
    check(text, 15_000, (source) => {
      for (const { kind, start, end } of tokenize(source)) {
        const [alone] = tokenize(source.slice(start, end));
        // White space and comments that are not closed may read on.
        if (kind === "error" || kind === "punct") continue;
        assert.deepEqual({ ...alone }, { kind, start: 0, end: end - start });
      }
    });
  });
});

const verb = fc.constantFrom("SELECT", "CREATE TRIGGER r BEGIN", "INSERT INTO t", "WITH a AS (");

/** `undefined` for what SQLite would not begin a statement with, or not cut into tokens. */
function splitOrRefuse(script: string): string[] | undefined {
  try {
    return splitScript(script);
  } catch (error) {
    assert.ok(error instanceof ProgrammingError, String(error));
    return undefined;
  }
}

describe("fuzzed clean() and splitScript()", () => {
  it("clean() changes nothing the second time", () => {
    check(fc.oneof(text, statement), 30_000, (source) => {
      const once = clean(source);
      assert.equal(clean(once), once);
    });
  });

  it("splitScript() finds again what was joined", () => {
    let split = 0;
    check(fc.tuple(verb, statement), 15_000, ([verb, source]) => {
      const parts = splitOrRefuse(`${verb} ${source}`);
      if (parts === undefined) return;
      assert.deepEqual(splitScript(parts.join(";\n")), parts);
      for (const part of parts) assert.equal(analyse(part).statements, 1, part);
      split += Number(parts.length > 1);
    });
    assert.ok(split > 200, String(split));
  });
});

describe("fuzzed analyse()", () => {
  it("is not moved by what stands in quotes", () => {
    const place = fc.constantFrom(
      "SELECT %",
      "INSERT INTO t VALUES(%)",
      "PRAGMA a = %",
      "DROP TABLE %",
    );
    const quoted = fc.tuple(text, fc.constantFrom("'", '"', "`")).map(([inner, mark]) =>
      mark + inner.replaceAll("\0", "").replaceAll(mark, mark + mark) + mark
    );
    check(fc.tuple(place, quoted), 20_000, ([form, value]) => {
      const { text, ...facts } = analyse(form.replace("%", () => value));
      const expected = analyse(form.replace("%", "'x'"));
      const { table } = facts;
      const own = { problem: "", text: "", source: "", view: undefined, table };
      assert.deepEqual({ ...facts, ...own }, { ...expected, ...own });
      assert.equal(text, form.replace("%", () => value));
    });
  });

  it("is not moved by comments and blanks", () => {
    const comment = text.map((inner) => `/*${inner.replaceAll("*/", "* /")} */`);
    const line = text.map((inner) => `--${inner.replaceAll("\n", "")}\n`);
    const trivia = fc.array(fc.oneof(comment, line, fc.constantFrom(" ", "\n", "\t")), {
      maxLength: 3,
    });
    check(fc.tuple(trivia, trivia, trivia), 10_000, ([a, b, c]) => {
      const source = `${a.join("")}WITH x AS (SELECT 1)${b.join("")}DELETE FROM t RETURNING a${
        c.join("")
      }`;
      const { kind, verb, returning, statements, table, placeholders, problem } = analyse(source);
      assert.deepEqual(
        { kind, verb, returning, statements, table, placeholders, problem },
        {
          kind: "write",
          verb: "DELETE",
          returning: true,
          statements: 1,
          table: "t",
          placeholders: [],
          problem: undefined,
        },
      );
    });
  });

  it("throws nothing", () => {
    check(fc.oneof(text, statement, fc.string({ unit: "binary" })), 20_000, (source) => {
      const analysis = analyse(source);
      for (const { start, end } of volatileValuesOf(analysis)) {
        assert.ok(start >= 0 && start <= end && end <= analysis.text.length);
      }
      for (let i = 1; i < volatileValuesOf(analysis).length; i++) {
        assert.ok(volatileValuesOf(analysis)[i]!.start >= volatileValuesOf(analysis)[i - 1]!.end);
      }
    });
  });
});

/** Its node:sqlite crashes while it collects the garbage of so many statements. */
const skip = process.versions.node.startsWith("22.") && "node:sqlite of Node 22 crashes";

describe("fuzzed against SQLite", () => {
  const db = new DatabaseSync(":memory:");

  /** Whether SQLite objects to a token; `#1` is one to its tokenizer, but to nothing behind it. */
  function unrecognized(source: string): boolean {
    try {
      db.prepare(source).all();
    } catch (error) {
      return /unrecognized token|near "#\d/.test(String(error));
    }
    return false;
  }

  it("SQLite finds fault with a token only where tokenize() does", { skip }, () => {
    check(text, 5_000, (source) => {
      // To SQLite a NUL ends the text, and a string in it is not closed.
      const fault = source.includes("\0") || tokenize(source).some(({ kind }) => kind === "error");
      if (unrecognized(source)) assert.ok(fault, JSON.stringify(source));
    });
  });

  it("SQLite takes a single token as tokenize() does", { skip }, () => {
    const part = fc.array(
      fc.constantFrom(..."0123456789_xXeE.+-abfAF$:@#?()'\"[]` é\t\n"),
      { minLength: 1, maxLength: 8 },
    ).map((parts) => parts.join(""));
    check(part, 10_000, (source) => {
      const tokens = tokenize(source);
      const error = tokens.find(({ kind }) => kind === "error");
      // As a comment or string that swallows the rest shows, the token is read before the grammar objects.
      const accepted = !unrecognized(`SELECT ${source}`);
      if (tokens.length === 1 && error !== undefined) assert.ok(!accepted, JSON.stringify(source));
      if (error === undefined) assert.ok(accepted, JSON.stringify(source));
    });
  });

  it("literal() evaluates to its value", { skip }, () => {
    const value = fc.oneof(
      fc.string({ unit: "binary" }).map((text) => text.toWellFormed()),
      fc.uint8Array(),
    );
    check(value, 3_000, (value) => {
      const text = typeof value === "string";
      const expression = text ? `CAST(${literal(value)} AS BLOB)` : literal(value);
      const v = db.prepare(`SELECT ${expression} AS v`).get()?.v;
      assert.deepEqual(v, text ? new TextEncoder().encode(value) : value);
    });
  });

  it("prepare() sends what SQLite would have bound", { skip }, () => {
    const value = fc.oneof(
      fc.constantFrom("x'41'", " X'00' ", "a", "it's", "now"),
      // Node 22 binds no bytes as NULL.
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
      fc.integer(),
      fc.constant(null),
    );
    const placeholder = fc.constantFrom("?", "?", "?", "?2", "?1", "?4");
    const cases = fc.tuple(
      fc.array(placeholder, { minLength: 1, maxLength: 6 }),
      fc.array(value, { minLength: 16, maxLength: 16 }),
    );
    check(cases, 3_000, ([placeholders, values]) => {
      const source = `SELECT ${placeholders.map((one, i) => `${one} AS c${i}`).join(",")}`;
      const params = values.slice(0, analyse(source).parameterCount);
      const prepared = prepare({ sql: source, params }, { now });
      const original = db.prepare(source).get(...params);
      const again = db.prepare(prepared.sql).get(...prepared.params as null[]);
      assert.deepEqual(again, original);
    });
  });

  it("freeze() replaces time and chance, and nothing else that has such a name", { skip }, () => {
    const columns = 'date, time, random, now, "current_date", utc, localtime, datetime';
    db.exec(`CREATE TABLE named(at REAL, value, ${columns})`);
    const fixed = [
      "2001-02-03",
      "04:05:06",
      7,
      "2008-09-10 11:12:13",
      "2014-01-01",
      "+1 day",
      "+2 days",
      "x",
    ];
    db.prepare("INSERT INTO named VALUES(0, NULL, ?, ?, ?, ?, ?, ?, ?, ?)").run(...fixed);
    const read = db.prepare("SELECT at, typeof(value) AS type, quote(value) AS value FROM named");
    const { expression } = fc.letrec<{ expression: string }>((tie) => ({
      expression: fc.oneof(
        { maxDepth: 4, depthSize: "medium" },
        fc.constantFrom(
          ...`date;"date";named.time;random;"random";now;[now];named."now";\`now\`;"current_date";named.current_date`
            .split(";"),
          ...`'now';'random()';'it''s now()';"now";x'6e6f77';?;?;CURRENT_DATE;CURRENT_TIMESTAMP;datetime();date`
            .split(";"),
          ...`NULL;'2020-01-01';1.5;time('now');julianday();datetime(*);[datetime];utc;named."utc"`
            .split(";"),
          "/* random() 'now' */ random",
          "random -- date('now')\n",
        ),
        fc.tuple(
          fc.constantFrom(
            ..."date(%);datetime(%, %);time((%));% || %;coalesce(%, %);lower(%);(SELECT % AS random)"
              .split(";"),
            ..."(SELECT date FROM (SELECT % AS date, % AS now));CASE % WHEN % THEN % END;strftime('%F', %)"
              .split(";"),
            ..."(SELECT max(random) FROM named AS datetime WHERE random <> %);% = %;timediff(%, %);+%;hex(%)"
              .split(";"),
          ),
          tie("expression"),
          tie("expression"),
          tie("expression"),
        ).map(([form, ...parts]) => {
          let next = 0;
          return form.replace(/%(?!F)/g, () => parts[next++]!);
        }),
      ),
    }));
    const values = fc.array(
      fc.constantFrom<null | number | string | Uint8Array>(
        "now",
        "utc",
        "localtime",
        "random()",
        "2020-02-02",
        "+1 day",
        5,
        null,
        new TextEncoder().encode("now"),
      ),
      { minLength: 30, maxLength: 30 },
    );
    const tokensOf = (source: string) =>
      tokenize(source).filter(({ kind }) => kind !== "space" && kind !== "comment")
        .map(({ start, end }) => source.slice(start, end));
    let compared = 0;
    check(fc.tuple(expression, values), 3_000, ([expression, given]) => {
      const set = `UPDATE named SET value = (${expression})`;
      const analysis = analyse(set);
      const { parameterCount, text } = analysis;
      const params = given.slice(0, parameterCount);
      if (!isFreezable([set, ...params])) return;
      try {
        db.prepare(`${set}, at = unixepoch('now', 'subsec')`).run(...params);
      } catch (error) {
        assert.match(String(error), /no such column|ambiguous/);
        return;
      }
      const { at, ...original } = read.get() as { at: number };
      const frozen = prepare([set, ...params], { now: new Date(Math.round(at * 1000)) });
      db.prepare(frozen.sql).run(...frozen.params as null[]);
      const { at: _, ...again } = read.get() as { at: number };
      assert.deepEqual(again, original, `${set}\n${frozen.sql}`);
      // Around the places each token stays where it is, but that placeholders get numbers and bytes are written out.
      let from = 0;
      const kept = [...volatileValuesOf(analysis), { start: text.length, end: text.length }]
        .flatMap(
          ({ start, end }) => {
            const piece = tokensOf(text.slice(from, start));
            from = end;
            return piece;
          },
        );
      const left = tokensOf(frozen.sql).values();
      for (const token of kept.filter((one) => one !== "?")) {
        assert.ok(left.some((one) => one === token), `${token} of ${set} is gone in ${frozen.sql}`);
      }
      compared++;
    });
    assert.ok(compared > 800, `${compared} were compared`);
  });

  it("freeze() changes no result", { skip }, () => {
    db.exec("CREATE TABLE frozen(at REAL, value); INSERT INTO frozen VALUES(0, NULL)");
    const read = db.prepare("SELECT at, typeof(value) AS type, quote(value) AS value FROM frozen");
    let compared = 0;
    check(timeExpression, 2_000, (expression) => {
      const set = `UPDATE frozen SET value = (${expression})`;
      if (!isFreezable(set)) return;
      db.exec(`${set}, at = unixepoch('now', 'subsec')`);
      const { at, ...original } = read.get() as { at: number };
      const { sql } = prepare(set, { now: new Date(Math.round(at * 1000)) });
      assert.deepEqual(volatileValuesOf(analyse(sql)), [], sql);
      db.exec(sql);
      const { at: _, ...again } = read.get() as { at: number };
      assert.deepEqual(again, original, sql);
      compared++;
    });
    assert.ok(compared > 1_000);
  });

  it("sql.id() names what it is given", { skip }, () => {
    const name = fc.string({ unit: "grapheme", minLength: 1 }).filter((text) =>
      !text.includes("\0")
    );
    check(name, 2_000, (name) => {
      if (!name.isWellFormed()) return;
      const row = db.prepare(`SELECT 1 AS ${sql.id(name).sql}`).get();
      assert.deepEqual(Object.keys({ ...row }), [name]);
    });
  });

  it("splitScript() finds as many statements as SQLite runs", { skip }, () => {
    const piece = fc.constantFrom(
      "INSERT INTO log VALUES(1);",
      "INSERT INTO log VALUES(';');",
      "-- ;\n",
      "/* ; */",
      " ; ",
      "INSERT INTO log SELECT CASE WHEN 1 THEN 2 END;",
      "CREATE TEMP TRIGGER IF NOT EXISTS r AFTER INSERT ON log BEGIN SELECT 1; SELECT CASE 1 WHEN 2 THEN 3 END; END;",
    );
    db.exec("CREATE TABLE log(a)");
    check(fc.array(piece, { maxLength: 8 }), 1_000, (pieces) => {
      const script = pieces.join("\n");
      const count = (): unknown => db.prepare("SELECT count(*) AS n FROM log").get()?.n;
      db.exec("DELETE FROM log");
      db.exec(script);
      const whole = count();
      db.exec("DELETE FROM log");
      for (const part of splitScript(script)) db.prepare(part).run();
      assert.equal(count(), whole);
    });
  });
});
