import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DataError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import type { Result } from "../../src/sql/value.ts";
import { Answer, MalformedAnswerError, type ResultSpec } from "../../src/wire/decode.ts";

const SPEC: ResultSpec = {
  analysis: analyse("SELECT * FROM t"),
  rows: "object",
  integers: "number",
};

function answer(...results: object[]): Answer {
  return new Answer(JSON.stringify({ results }));
}

/** The result of a text that has one column of that type and one row with that cell. */
function cell(type: string, token: string, spec: Partial<ResultSpec> = {}): unknown {
  const text = `{"results":[{"columns":["a"],"types":["${type}"],"values":[[${token}]]}]}`;
  return new Answer(text).result(0, { ...SPEC, ...spec }).rows[0]?.a;
}

/** The result of a write. */
function wrote(sql: string, result: object, spec: Partial<ResultSpec> = {}): Result {
  return answer(result).result(0, { ...SPEC, ...spec, analysis: analyse(sql) });
}

describe("Answer.doubts()", () => {
  const doubts = (type: string, ...tokens: string[]): boolean[] => {
    const rows = tokens.map((token) => `[${token}]`);
    const text = `{"results":[{"columns":["a"],"types":["${type}"],"values":[${rows}]}]}`;
    return (["number", "auto", "bigint", "string"] as const).map((mode) =>
      new Answer(text).doubts(0, mode).length > 0
    );
  };
  const never = [false, false, false, false];
  const always = [true, true, true, true];

  it("tells bytes that were lost from U+FFFD, and from its escape as text", () => {
    for (const type of ["", "text", "json", "varchar(9)", "nchar(1)", "clob"]) {
      assert.deepEqual(doubts(type, '"\\ufffd"'), always, type);
      assert.deepEqual(doubts(type, '"a\\\\\\ufffd"'), always, type);
      assert.deepEqual(doubts(type, '"\ufffd"', '"\\\\ufffd"', '"a\\n\\t\\u003c"'), never, type);
      assert.deepEqual(doubts(type, '"\\u0000"'), always, type);
    }
    for (const type of ["blob", "char(5)", "any", "datetime"]) {
      assert.deepEqual(doubts(type, '"\\ufffd"'), never, type);
    }
  });

  it("takes text beside other values for what may be bytes, but not in a declared type", () => {
    assert.deepEqual(doubts("text", '"a"', "1"), always);
    assert.deepEqual(doubts("", "null", '"a"', "[1]"), always);
    assert.deepEqual(doubts("json", '"a"', "1"), never);
    assert.deepEqual(doubts("text", '"a"', "null"), never);
  });

  it("asks for a number only where it can be an INTEGER or a REAL, and that matters", () => {
    assert.deepEqual(doubts("real", "1.5", "1"), [false, false, true, true]);
    assert.deepEqual(doubts("real", "1.5", "1152921504606847000"), always);
    assert.deepEqual(doubts("integer", "1", "1152921504606847000"), always);
    // No REAL is written like that.
    assert.deepEqual(doubts("integer", "1", "1152921504606847001"), never);
    assert.deepEqual(doubts("real", "1.5", "2.5"), never);
    assert.deepEqual(doubts("double", "1.5", "1", "1152921504606847000"), never);
    assert.deepEqual(doubts("bigint", "1152921504606847000", "1"), never);
    assert.deepEqual(doubts("integer", "1152921504606847000"), never);
  });

  it("does not ask about a declared type again, but for a REAL that may be an INTEGER", () => {
    const again = (type: string, token: string): number[] =>
      new Answer(
        `{"results":[{"columns":["a"],"types":["${type}"],"values":[[1],[${token}]]}]}`,
      ).doubts(0, "bigint", [type]);
    assert.deepEqual(again("integer", "1152921504606847000"), []);
    assert.deepEqual(again("real", "2"), []);
    assert.deepEqual(again("real", "1152921504606847000"), [0]);
  });
});

describe("Answer.look()", () => {
  const text = (type: string): string =>
    `{"results":[{"columns":["c0","k"],"types":["${type}","text"],"values":[["\\ufffd","FF"]]}]}`;

  it("refuses an answer of another width, and one that is converted another way", () => {
    const answer = new Answer(text("text"));
    assert.equal(
      answer.look(0, { columns: ["a", "b"], types: ["text", ""], told: [0] }),
      undefined,
    );
    assert.equal(answer.look(0, { columns: ["a"], types: ["date"], told: [0] }), undefined);
    assert.equal(answer.look(1, { columns: ["a"], types: ["text"], told: [0] }), undefined);
    assert.deepEqual(answer.look(0, { columns: ["a"], types: ["text"], told: [0] }), []);
  });

  it("answers the columns that the server treats another way than in the statement itself", () => {
    const answer = (type: string) =>
      new Answer(
        `{"results":[{"columns":["c0","c1","k"],"types":["${type}","text","text"],"values":[]}]}`,
      );
    const others = (was: string, is: string) =>
      answer(is).look(0, { columns: ["a", "b"], types: [was, "text"], told: [1] });
    assert.deepEqual(others("integer", "boolean"), [0]);
    assert.deepEqual(others("blob", "text"), [0]);
    assert.deepEqual(others("text", "datetime"), [0]);
    assert.deepEqual(others("text", "blob"), []);
    assert.equal(others("boolean", "integer"), undefined);
  });

  it("gives what was told to those who want it exact, and U+FFFD to others, again and again", () => {
    const answer = new Answer(text("text"));
    answer.look(0, { columns: ["a"], types: ["text"], told: [0] });
    for (let i = 0; i < 2; i++) {
      const exact = answer.result(0, { ...SPEC, exact: true });
      assert.deepEqual(exact.rows, [{ a: Uint8Array.of(255) }]);
      assert.deepEqual(answer.result(0, SPEC).rows, [{ a: "\ufffd" }]);
    }
  });
});

describe("Answer.result()", () => {
  it("gives rows as objects or as arrays", () => {
    const result = {
      columns: ["id", "n"],
      types: ["integer", "text"],
      values: [[1, "a"], [2, null]],
    };
    assert.deepEqual(answer(result).result(0, SPEC), {
      columns: ["id", "n"],
      types: ["integer", "text"],
      rows: [{ id: 1, n: "a" }, { id: 2, n: null }],
      rowsAffected: 0,
      lastInsertId: undefined,
    });
    const { rows } = answer(result).result(0, { ...SPEC, rows: "array" });
    assert.deepEqual(rows, [[1, "a"], [2, null]]);
  });

  it("has no rows where values or everything is missing", () => {
    const { rows, columns } = answer({ columns: ["a"], types: [""] }).result(0, SPEC);
    assert.deepEqual([rows, columns], [[], ["a"]]);
    assert.deepEqual(answer({}).result(0, SPEC), {
      columns: [],
      types: [],
      rows: [],
      rowsAffected: 0,
      lastInsertId: undefined,
    });
  });

  it("gives the same result again, in any form", () => {
    const text =
      '{"results":[{"columns":["a"],"types":["blob"],"values":[[[1]],[9007199254740993]]}]}';
    const both = new Answer(text);
    for (const rows of ["object", "array", "object"] as const) {
      for (const integers of ["auto", "bigint", "string"] as const) {
        const fresh = new Answer(text).result(0, { ...SPEC, rows, integers });
        assert.deepEqual(both.result(0, { ...SPEC, rows, integers }), fresh);
      }
    }
  });

  it("gives each caller bytes of its own", () => {
    const text = '{"results":[{"columns":["a"],"types":["blob"],"values":[[[1,2]]]}]}';
    for (const kept of [true, false]) {
      const both = new Answer(text);
      if (kept) both.keep(0);
      const [first, second] = [1, 2].map(() => both.result(0, SPEC).rows[0]!["a"] as Uint8Array);
      first!.fill(9);
      assert.deepEqual(second, Uint8Array.of(1, 2));
    }
  });

  it("makes bytes also where long integers have to be looked for in another way", () => {
    // Of a number with an exponent the text does not tell that it may be one.
    const text = '{"results":[{"columns":["b","a"],"types":["blob","integer"],' +
      '"values":[[[1,255],9007199254740993],[[],9e17]]}]}';
    const { rows } = new Answer(text).result(0, { ...SPEC, rows: "array", integers: "auto" });
    assert.deepEqual(rows as unknown[], [
      [Uint8Array.of(1, 255), 9007199254740993n],
      [new Uint8Array(), 9e17],
    ]);
  });

  it("keeps the results apart that it gave before", () => {
    const text = '{"results":[{"columns":["a"],"types":["real"],"values":[[1e18]]},' +
      '{"columns":["a"],"types":["integer"],"values":[[9007199254740993]]}]}';
    const both = new Answer(text);
    const first = both.result(0, SPEC);
    const second = both.result(1, { ...SPEC, integers: "auto" });
    assert.deepEqual([first.rows, second.rows], [[{ a: 1e18 }], [{ a: 9007199254740993n }]]);
  });

  it("gives REAL as numbers beside a result with long integers", () => {
    const text = '{"results":[{"columns":["a"],"types":[""],"values":[[9007199254740993]]},' +
      '{"columns":["a"],"types":["real"],"values":[[9007199254740992]]}]}';
    const both = new Answer(text);
    both.result(0, { ...SPEC, integers: "auto" });
    assert.deepEqual(both.result(1, SPEC).rows, [{ a: 9007199254740992 }]);
  });

  it("throws for a position that is not there", () => {
    assert.throws(() => answer({}).result(1, SPEC), RangeError);
    assert.throws(() => answer().lost(0, SPEC.analysis), RangeError);
  });
});

describe("Answer.result() values", () => {
  it("makes bytes of lists", () => {
    assert.deepEqual(cell("blob", "[0,255]"), new Uint8Array([0, 255]));
    assert.deepEqual(cell("blob", "[]"), new Uint8Array());
    assert.deepEqual(cell("integer", "[1]"), new Uint8Array([1]));
  });

  it("leaves text in a BLOB column text", () => {
    assert.equal(cell("blob", '"QQ=="'), "QQ==");
  });

  it("leaves booleans, text, null and fractions alone in every mode", () => {
    for (const integers of ["number", "bigint", "string", "auto"] as const) {
      assert.equal(cell("boolean", "true", { integers }), true);
      assert.equal(
        cell("datetime", '"2024-01-02T00:00:00Z"', { integers }),
        "2024-01-02T00:00:00Z",
      );
      assert.equal(cell("integer", "null", { integers }), null);
      assert.equal(cell("", "1.5", { integers }), 1.5);
      assert.equal(cell("numeric", "1e+21", { integers }), 1e21);
      assert.equal(cell("", "100000000000000000000", { integers }), 1e20);
      assert.ok(Object.is(cell("", "-0", { integers }), -0));
    }
  });

  it("gives integers in the mode that was asked for", () => {
    const modes: [ResultSpec["integers"], unknown, unknown][] = [
      ["bigint", 5n, 9007199254740993n],
      ["string", "5", "9007199254740993"],
      ["auto", 5, 9007199254740993n],
    ];
    for (const [integers, short, long] of modes) {
      assert.equal(cell("integer", "5", { integers }), short);
      assert.equal(cell("integer", "9007199254740993", { integers }), long);
    }
    assert.equal(cell("integer", "-9007199254740991"), -9007199254740991);
  });

  it("gives REAL columns as numbers in every mode", () => {
    for (const integers of ["number", "bigint", "string", "auto"] as const) {
      for (const type of ["real", "double precision", "float"]) {
        assert.equal(cell(type, "2", { integers }), 2);
        assert.equal(cell(type, "1000000000000000000", { integers }), 1e18);
      }
    }
    const mixed = '{"results":[{"columns":["r","i"],"types":["real","int"],' +
      '"values":[[1000000000000000000,9007199254740993]]}]}';
    const { rows } = new Answer(mixed).result(0, { ...SPEC, integers: "auto" });
    assert.deepEqual(rows, [{ r: 1e18, i: 9007199254740993n }]);
  });

  it("throws in mode number for an integer that is none, and names the column", () => {
    const text = '{"results":[{"columns":["a","my id"],"types":["text",""],' +
      '"values":[["x",1],["y",-9007199254740993]]}]}';
    assert.throws(() => new Answer(text).result(0, SPEC), (error: unknown) => {
      assert.ok(error instanceof DataError);
      assert.equal(error.column, "my id");
      assert.match(error.message, /-9007199254740993 of column "my id"/);
      return true;
    });
  });

  it("makes own properties of odd names and keeps duplicates in arrays", () => {
    const columns = ["__proto__", "constructor", "", "é", "a", "a"];
    const result = { columns, types: columns.map(() => ""), values: [[1, 2, 3, 4, 5, 6]] };
    const { rows } = answer(result).result(0, SPEC);
    assert.deepEqual(Object.entries(rows[0]!), [
      ["__proto__", 1],
      ["constructor", 2],
      ["", 3],
      ["é", 4],
      ["a", 6],
    ]);
    assert.deepEqual(answer(result).result(0, { ...SPEC, rows: "array" }).rows, [[
      1,
      2,
      3,
      4,
      5,
      6,
    ]]);
  });
});

describe("Answer.result() of a write", () => {
  const counts = { last_insert_id: 7, rows_affected: 2 };

  it("counts rows of INSERT, REPLACE, UPDATE and DELETE only", () => {
    const writes = [
      "INSERT INTO t VALUES(1)",
      "REPLACE INTO t VALUES(1)",
      "UPDATE t SET a=1",
      "DELETE FROM t",
    ];
    for (const sql of writes) assert.equal(wrote(sql, counts).rowsAffected, 2, sql);
    for (
      const sql of ["CREATE TABLE t(a)", "SELECT 1", "PRAGMA foreign_keys", "EXPLAIN DELETE FROM t"]
    ) {
      const { rowsAffected, lastInsertId } = wrote(sql, counts);
      assert.deepEqual([rowsAffected, lastInsertId], [0, undefined], sql);
    }
    assert.equal(wrote("DELETE FROM t", {}).rowsAffected, 0);
  });

  it("counts the rows of RETURNING", () => {
    const rows = { columns: ["a"], types: [""], values: [[1], [2]] };
    const result = wrote("INSERT INTO t VALUES(1),(2) RETURNING a", rows);
    assert.deepEqual([result.rowsAffected, result.lastInsertId], [2, undefined]);
    const none = wrote("UPDATE t SET a=1 WHERE 0 RETURNING a", { columns: ["a"], types: [""] });
    assert.equal(none.rowsAffected, 0);
  });

  it("knows the rowid after a plain INSERT that inserted", () => {
    for (
      const sql of [
        "INSERT INTO t VALUES(1)",
        "REPLACE INTO t VALUES(1)",
        "WITH x AS (SELECT 1) INSERT INTO t SELECT * FROM x",
      ]
    ) {
      assert.equal(wrote(sql, counts).lastInsertId, 7, sql);
      // Left out when it is 0.
      assert.equal(wrote(sql, { rows_affected: 1 }).lastInsertId, 0, sql);
      assert.equal(wrote(sql, { last_insert_id: 7 }).lastInsertId, undefined, sql);
    }
  });

  it("does not know the rowid after anything else", () => {
    const others = [
      "UPDATE t SET a=1",
      "DELETE FROM t",
      "INSERT INTO t VALUES(1) ON CONFLICT(a) DO UPDATE SET a=2",
      "INSERT INTO t VALUES(1) RETURNING a",
    ];
    for (const sql of others) assert.equal(wrote(sql, counts).lastInsertId, undefined, sql);
  });

  it("gives the rowid exactly and without throwing", () => {
    const text = '{"results":[{"last_insert_id":-9007199254740993,"rows_affected":1}]}';
    const analysis = analyse("INSERT INTO t VALUES(1)");
    for (const integers of ["number", "bigint", "string", "auto"] as const) {
      const { lastInsertId } = new Answer(text).result(0, { ...SPEC, analysis, integers });
      assert.equal(lastInsertId, -9007199254740993n);
    }
    assert.equal(wrote("INSERT INTO t VALUES(1)", counts, { integers: "bigint" }).lastInsertId, 7n);
  });
});

describe("Answer.lost()", () => {
  const returning = analyse("INSERT INTO t VALUES(1) RETURNING a");

  it("is a RETURNING write without columns", () => {
    assert.equal(answer({ rows_affected: 1 }).lost(0, returning), true);
    assert.equal(answer({}).lost(0, returning), true);
    assert.equal(answer({ columns: ["a"], types: [""] }).lost(0, returning), false);
    assert.equal(answer({ error: "no such table: t" }).lost(0, returning), false);
    assert.equal(answer({}).lost(0, analyse("INSERT INTO t VALUES(1)")), false);
    assert.equal(answer({}).lost(0, SPEC.analysis), false);
  });
});

describe("Answer", () => {
  it("tells errors of the request from those of statements", () => {
    const top = new Answer('{"results":[],"error":"not leader"}');
    assert.deepEqual([top.error, top.length], ["not leader", 0]);
    const one = answer({}, { error: "no such table: t" });
    assert.deepEqual([one.error, one.length], [undefined, 2]);
    assert.deepEqual([one.errorAt(0), one.errorAt(1), one.errorAt(2)], [
      undefined,
      "no such table: t",
      undefined,
    ]);
    assert.equal(new Answer('{"error":"x"}').error, "x");
  });

  it("ignores members that it does not know", () => {
    const text =
      '{"results":[{"time":0.1,"rows_affected":1}],"time":0.1,"raft_index":9007199254740993}';
    assert.equal(new Answer(text).length, 1);
  });

  const malformed = [
    "",
    "<html>",
    '{"results":[{}',
    "null",
    "[]",
    "1",
    "{}",
    '{"results":{}}',
    '{"results":null}',
    '{"results":[null]}',
    '{"results":[[]]}',
    '{"results":[],"error":1}',
    '{"results":[{"error":1}]}',
    '{"results":[{"rows_affected":"1"}]}',
    '{"results":[{"last_insert_id":null}]}',
    '{"results":[{"columns":["a"]}]}',
    '{"results":[{"columns":"a","types":[""]}]}',
    '{"results":[{"columns":[1],"types":[""]}]}',
    '{"results":[{"columns":["a"],"types":[]}]}',
    '{"results":[{"columns":["a"],"types":[null]}]}',
    '{"results":[{"types":[""],"values":[[1]]}]}',
    '{"results":[{"values":[[1]]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":{}}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[1]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[[1,2]]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[[]]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[[{"a":1}]]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[[["a"]]]}]}',
    '{"results":[{"columns":["a"],"types":[""],"values":[[[256]]]}]}',
  ];
  for (const text of malformed) {
    it(`refuses ${text || "an empty text"}`, () => {
      assert.throws(() => new Answer(text), MalformedAnswerError);
    });
  }
});
