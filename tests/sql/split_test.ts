import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { clean } from "../../src/sql/clean.ts";
import { splitScript } from "../../src/sql/split.ts";

describe("clean()", () => {
  const cases: readonly [what: string, sql: string, text: string][] = [
    ["keeps a statement that is clean", "SELECT 1", "SELECT 1"],
    ["drops blanks and semicolons around it", " ;\n SELECT 1 ; ; ", "SELECT 1"],
    ["drops comments around it", "/* a */ -- b\nSELECT 1; -- c", "SELECT 1"],
    ["drops a comment that is not closed", "SELECT 1 /* a", "SELECT 1"],
    ["drops a byte order mark", "\ufeffSELECT 1", "SELECT 1"],
    ["leaves nothing of blanks", " \n\t ", ""],
    ["leaves nothing of comments", "-- a\n/* b */;;", ""],
    ["leaves nothing of nothing", "", ""],
    ["puts a blank for a comment inside", "SELECT/* a */1 -- b\n+ 1", "SELECT 1  \n+ 1"],
    [
      "keeps what looks like a comment in a string",
      "SELECT '-- a', \"/*\"",
      "SELECT '-- a', \"/*\"",
    ],
    ["puts a blank behind RETURNING", "DELETE FROM t RETURNING*", "DELETE FROM t RETURNING *"],
    ["puts a blank before a newline", "DELETE FROM t RETURNING\na", "DELETE FROM t RETURNING \na"],
    ["needs no second blank", "DELETE FROM t RETURNING/**/a", "DELETE FROM t RETURNING a"],
    ["does it in any case", "delete from t returning(a)", "delete from t returning (a)"],
    ["leaves a string alone", "SELECT 'RETURNING*'", "SELECT 'RETURNING*'"],
    [
      "keeps comments that the schema keeps",
      "CREATE TABLE t(\n  a -- key\n) /* end */;",
      "CREATE TABLE t(\n  a -- key\n)",
    ],
    ["keeps several statements apart", "SELECT 1;/* a */SELECT 2;", "SELECT 1; SELECT 2"],
    ["does not touch what is no SQL", " SELECT 'a ; ", " SELECT 'a ; "],
  ];
  for (const [what, sql, text] of cases) it(what, () => assert.equal(clean(sql), text));
});

describe("splitScript()", () => {
  const cases: readonly [what: string, script: string, statements: readonly string[]][] = [
    ["finds nothing in nothing", " ; -- a\n; /* b */ ", []],
    ["cleans each statement", "SELECT 1; -- a\n;; /* b */ SELECT 2", ["SELECT 1", "SELECT 2"]],
    ["keeps semicolons in strings and names", `SELECT ';', ";", [;], \`;\``, [
      `SELECT ';', ";", [;], \`;\``,
    ]],
    ["keeps semicolons in comments of DDL", "CREATE TABLE t(a /* ; */); SELECT 1", [
      "CREATE TABLE t(a /* ; */)",
      "SELECT 1",
    ]],
    [
      "keeps a trigger whole",
      "CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END; SELECT 2",
      ["CREATE TRIGGER r AFTER INSERT ON t BEGIN DELETE FROM u; SELECT 1; END", "SELECT 2"],
    ],
    [
      "keeps a trigger with CASE whole",
      "create temp trigger if not exists r after update on t begin " +
      "update t set a = case when 1 then 2 end; end;select 1;",
      [
        "create temp trigger if not exists r after update on t begin " +
        "update t set a = case when 1 then 2 end; end",
        "select 1",
      ],
    ],
    [
      "is not misled by the name of a trigger",
      'CREATE TRIGGER begin AFTER INSERT ON "end" BEGIN SELECT 1; END; SELECT 1',
      ['CREATE TRIGGER begin AFTER INSERT ON "end" BEGIN SELECT 1; END', "SELECT 1"],
    ],
    ["ends a trigger without a body", "CREATE TRIGGER r; SELECT 1", [
      "CREATE TRIGGER r",
      "SELECT 1",
    ]],
    ["does not take BEGIN for a trigger", "BEGIN; SELECT 1; END", ["BEGIN", "SELECT 1", "END"]],
    [
      "takes lines that end in CR and LF, a byte order mark, and a last one without a semicolon",
      "\ufeffSELECT 1;\r\n\r\nSELECT '\r\n';\r\nEXPLAIN SELECT 2",
      [
        "SELECT 1",
        "SELECT '\r\n'",
        "EXPLAIN SELECT 2",
      ],
    ],
    [
      "ends a comment at its first end, and one that is not closed nowhere",
      "/* /* ; */ SELECT 1; -- /*\nSELECT 2 /* ; SELECT 3",
      [
        "SELECT 1",
        "SELECT 2",
      ],
    ],
    [
      "keeps an explained trigger with WHEN and CASE in CASE whole",
      "EXPLAIN CREATE TRIGGER r BEFORE DELETE ON t WHEN CASE WHEN old.a THEN 1 END BEGIN SELECT CASE WHEN 1 THEN CASE 2 WHEN 2 THEN 3 END END; -- END;\nSELECT 'END;'; END;SELECT 1",
      [
        "EXPLAIN CREATE TRIGGER r BEFORE DELETE ON t WHEN CASE WHEN old.a THEN 1 END BEGIN SELECT CASE WHEN 1 THEN CASE 2 WHEN 2 THEN 3 END END;  \nSELECT 'END;'; END",
        "SELECT 1",
      ],
    ],
    ["does not take a table named trigger for one", "DROP TABLE trigger; SELECT 1", [
      "DROP TABLE trigger",
      "SELECT 1",
    ]],
  ];
  for (const [what, script, statements] of cases) {
    it(what, () => assert.deepEqual(splitScript(script), statements));
  }

  const refused: readonly [script: string, message: RegExp][] = [
    [
      "SELECT 1;\nSELECT\n  'a; SELECT 2;\n",
      /the string that begins on line 3 is not closed$/,
    ],
    ["\n\nSELECT [a;b", /the quoted name that begins on line 3 is not closed$/],
    ["SELECT 1;\r\nSELECT \\;", /"\\\\" on line 2 is not SQL$/],
    ["SELECT \0;", /"\\u0000" on line 1 is not SQL$/],
    [
      "CREATE TABLE t(a);\n.mode csv\n.import a.csv t\n",
      /"\.mode" on line 2 is a command of a shell, which only that can run: leave the line out$/,
    ],
    ["\\connect shop\n", /"\\\\connect" on line 1 is a command of a shell/],
    [
      "-- MySQL\nDELIMITER //\nCREATE",
      /"DELIMITER" on line 2 does not begin a statement of SQLite/,
    ],
    ["COPY t FROM stdin;\n1\n\\.\n", /"COPY" on line 1 does not begin/],
    ["SELECT 1;\nGO\nSELECT 2", /"GO" on line 2 does not begin/],
    ["SET search_path = '';", /"SET" on line 1 does not begin/],
  ];
  for (const [script, message] of refused) {
    it(`refuses ${JSON.stringify(script)}`, () => {
      assert.throws(() => splitScript(script), { name: "ProgrammingError", message });
    });
  }

  it("refuses what is no text", () => {
    for (const value of [undefined, null, 1, ["SELECT 1"], new Uint8Array(1)]) {
      assert.throws(() => splitScript(value as never), {
        name: "TypeError",
        message: /^Cannot read .* as a script: give its text$/,
      });
    }
  });
});
