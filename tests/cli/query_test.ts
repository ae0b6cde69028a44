import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { cli } from "./run_cli.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

const url = ["--url", join(folder, "app.db")];
const SELECT = "SELECT * FROM things ORDER BY id";

describe("query", () => {
  it("makes a file only where --create says so", async () => {
    const create = "CREATE TABLE things(id INTEGER PRIMARY KEY, name TEXT, size REAL, image BLOB)";
    const refused = await cli(["query", create, ...url]);
    assert.equal(refused.code, 2);
    assert.match(refused.stderr, /there is no such file: --create makes it/);
    const { code, stdout, stderr } = await cli(["query", create, ...url, "--create"]);
    assert.deepEqual({ code, stdout, stderr }, { code: 0, stdout: "✓ done\n", stderr: "" });
  });

  it("writes, and tells rows and the id", async () => {
    const insert = "INSERT INTO things VALUES(?, ?, ?, ?)";
    const first = ["9007199254740993", 'Ada, "x"', "1.5", "x'00ff'"];
    assert.equal(
      (await cli(["query", insert, ...first, ...url])).stdout,
      "✓ 1 row changed, id 9007199254740993\n",
    );
    const second = ["query", "INSERT INTO things VALUES(:id, @name, $size, '')"];
    const named = ["-p", "id=-7", "--param", "name='12'", "-p", "size=NULL"];
    assert.equal(
      (await cli([...second, ...named, ...url, "--json"])).stdout,
      '{"rowsAffected":1,"lastInsertId":-7}\n',
    );
  });

  it("shows rows as a table, with all digits and bytes", async () => {
    assert.equal(
      (await cli(["query", SELECT, ...url])).stdout,
      [
        "              id  name      size  image",
        "              -7  12        NULL",
        `9007199254740993  Ada, "x"   1.5  x'00ff'`,
        "2 rows\n",
      ].join("\n"),
    );
  });

  it("keeps columns below each other where characters are wide, or none", async () => {
    const sql =
      "SELECT '日本ｶﾅ' AS a, 1 AS b UNION ALL SELECT '🎉e\u0301', 2 UNION ALL SELECT 'é', 3";
    const { stdout } = await cli(["query", sql, "--url", ":memory:"]);
    assert.equal(stdout, "a       b\n日本ｶﾅ  1\n🎉e\u0301     2\né       3\n3 rows\n");
  });

  it("shows more rows than a function takes arguments", async () => {
    const many =
      "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 130000) SELECT x FROM c";
    const { stdout } = await cli(["query", many, "--url", ":memory:"]);
    assert.ok(stdout.startsWith("     x\n     1\n"));
    assert.ok(stdout.endsWith("\n130000\n130000 rows\n"));
  });

  it("shows rows as JSON, which tells a BLOB from a text", async () => {
    const { stdout } = await cli(["query", `${SELECT}`, ...url, "--json"]);
    assert.equal(
      stdout,
      '[{"id":-7,"name":"12","size":null,"image":""},\n' +
        '{"id":9007199254740993,"name":"Ada, \\"x\\"","size":1.5,"image":{"base64":"AP8="}}]\n',
    );
    const twice = await cli(["query", "SELECT 1 AS a, 2 AS a", "--url", ":memory:", "--json"]);
    assert.equal(twice.stdout, '[{"a":1,"a:1":2}]\n');
    assert.equal((await cli(["query", `${SELECT} LIMIT 0`, ...url, "--json"])).stdout, "[]\n");
  });

  it("shows rows as CSV, which tells NULL from an empty text, and a BLOB from a text", async () => {
    const sql =
      "SELECT size, '' AS b, image, 'x''41''' AS d, 'two\nlines' AS e FROM things WHERE id < 0";
    await cli(["query", "UPDATE things SET image = x'41' WHERE id < 0", ...url]);
    assert.equal(
      (await cli(["query", sql, ...url, "--format", "csv"])).stdout,
      `size,b,image,d,e\r\n,"",x'41',"x'41'","two\nlines"\r\n`,
    );
  });

  it("shows rows as lines, and lets no text command the terminal", async () => {
    const sql = "SELECT 1 AS id, char(27) || '[2J' AS long";
    assert.equal(
      (await cli(["query", sql, "--url", ":memory:", "-f", "line"])).stdout,
      "  id = 1\nlong = \\x1b[2J\n",
    );
    // Two that break a line, and one that turns it around.
    const hidden = "SELECT 'a' || char(0x85, 0x2028, 0x202e) AS \"\u2066b\"";
    const shown = (format: string) => cli(["query", hidden, "--url", ":memory:", "-f", format]);
    assert.equal(
      (await shown("table")).stdout,
      "\\u2066b\na\\x85\\u2028\\u202e\n1 row\n",
    );
    assert.equal((await shown("line")).stdout, "\\u2066b = a\\x85\\u2028\\u202e\n");
    assert.equal((await shown("csv")).stdout, "\u2066b\r\na\x85\u2028\u202e\r\n");
    assert.deepEqual(JSON.parse((await shown("json")).stdout), [{
      "\u2066b": "a\x85\u2028\u202e",
    }]);
  });

  it("shows colours where somebody looks who wants them", async () => {
    const sql = ["query", "SELECT NULL AS a", "--url", ":memory:"];
    const bold = "\x1b[1ma\x1b[0m\n\x1b[2mNULL\x1b[0m\n\x1b[2m1 row\x1b[0m\n";
    assert.equal((await cli(sql, { terminal: true })).stdout, bold);
    const plain = "a\nNULL\n1 row\n";
    assert.equal((await cli(sql, { terminal: true, env: { NO_COLOR: "1" } })).stdout, plain);
    assert.equal((await cli(sql)).stdout, plain);
  });

  it("takes values for what SQL takes them for, or with --text for text", async () => {
    const sql =
      "SELECT typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), typeof(?), typeof(?)";
    const values = ["--", "-1", "15e-1", "007", "NULL", "x'41'", "'NULL'", "9223372036854775807"];
    const memory = ["--url", ":memory:", "-f", "csv"];
    const kinds = async (args: readonly string[]) =>
      (await cli(["query", sql, ...args])).stdout.split("\r\n")[1];
    assert.equal(await kinds([...memory, ...values]), "integer,real,text,null,blob,text,integer");
    const texts = Array(7).fill("text").join();
    assert.equal(await kinds([...memory, "--text", ...values.slice(0, -1), "--json"]), texts);
  });

  it("takes the statement from standard input", async () => {
    const stdin = ["SELECT 'é' ", "AS a, ? AS b; -- a comment"];
    const { stdout } = await cli(["query", "-", "5", "--url", ":memory:", "--json"], { stdin });
    assert.equal(stdout, '[{"a":"é","b":5}]\n');
    const bad = await cli(["query", "-", "--url", ":memory:"], { stdin: [new Uint8Array([255])] });
    assert.equal(bad.code, 2);
    assert.match(bad.stderr, /Cannot read standard input as it is not text in UTF-8/);
  });

  it("answers the rows of RETURNING", async () => {
    const sql = "UPDATE things SET size = 2 WHERE id = ? RETURNING id, size";
    const { stdout } = await cli(["query", sql, "--json", ...url, "--", "-7"]);
    assert.equal(stdout, '[{"id":-7,"size":2}]\n');
  });

  it("ends with 1 where the statement is refused, and says why as text or JSON", async () => {
    const twice = "INSERT INTO things(id) VALUES(-7)";
    const { code, stdout, stderr } = await cli(["query", twice, ...url]);
    assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
    assert.match(stderr, /^✗ IntegrityError: UNIQUE constraint failed: things\.id/);
    const json = await cli(["query", twice, ...url, "--json"]);
    const { error } = JSON.parse(json.stderr);
    assert.deepEqual([error.name, error.code], ["IntegrityError", "SQLITE_CONSTRAINT_UNIQUE"]);
  });
});

describe("a command line that is wrong", () => {
  const wrong: readonly (readonly [readonly string[], RegExp])[] = [
    [["qery", "SELECT 1"], /no such command: did you mean `query`/],
    [["query", "SELECT 1", "--fromat", "csv"], /no such option: did you mean `format`/],
    [["query", "SELECT 1", "--format"], /--format without a value: --format FORMAT/],
    [["query", "SELECT 1", "--format", "xml"], /--format xml: it is one of table, json, csv, line/],
    [["query", "SELECT 1", "--json", "-f", "csv"], /--format csv beside --json/],
    [["query", "SELECT 1", "--json=yes"], /--json with a value/],
    [["query"], /query with nothing behind it: write query SQL/],
    [["query", "/* nothing */"], /as there is none/],
    [["query", "SELECT ?", "-5"], /write -- in front of what begins with one/],
    [["query", "-- a\nSELECT 1"], /write -- in front of what begins with one/],
    [["query", "SELECT ?, :a", "5", "-p", "a=1"], /--param beside values/],
    [["query", "SELECT :a", "-p", "=1"], /write --param name=value/],
    [["query", "SELECT :a", "-p", "a=1", "-p", ":a=2"], /--param a twice/],
    [["query", "SELECT 1", "--timeout", "soon"], /must be a number of seconds above 0/],
    [["query", "SELECT 1", "--timeout", "1e9"], /above 0, and at most 2147483$/m],
    [["query", "SELECT 1", "--timeout", "1", "--timeout", "2"], /--timeout twice/],
    [["query", "SELECT 1", "--level", "nope"], /--level nope: it is one of none, weak, linear/],
    [["migrate", "status", "--table", ""], /--table without a value: --table NAME/],
    [["migrate", "status", "--folder="], /--folder without a value: --folder FOLDER/],
    [
      ["migrate", "up", "--table", "_rqlite_commit", "--url", ":memory:"],
      /^✗ Cannot use `table` as _rqlite_commit has/,
    ],
    [["doctor", "--table", ""], /--table without a value: --table NAME/],
    [["nodes", "--url", ""], /--url without a value: --url URL/],
    [
      ["query", "DELETE FROM t", "--level", "weak", "--url", ":memory:"],
      /--level as the statement/,
    ],
    [["nodes", "all"], /nodes with 1 behind it: write nodes$/m],
  ];
  for (const [args, message] of wrong) {
    it(`is refused before anything is done: ${args.join(" ")}`, async () => {
      const { code, stdout, stderr } = await cli(args);
      assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
      assert.match(stderr, message);
    });
  }

  it("is shown the help where it is empty, and may ask for it", async () => {
    const { code, stdout, stderr } = await cli([]);
    assert.deepEqual({ code, stdout }, { code: 2, stdout: "" });
    const help = await cli(["--help"]);
    assert.deepEqual({ code: help.code, stdout: help.stdout }, { code: 0, stdout: stderr });
    const one = await cli(["help", "query"]);
    assert.match(one.stdout, /^Usage: rqlite-cli query SQL \[VALUE\]…/);
    assert.equal((await cli(["query", "--help"])).stdout, one.stdout);
  });
});

describe("the place", () => {
  it("is no server: says what was tried, and what else it may be", async () => {
    const { code, stderr } = await cli(["query", "SELECT 1", "--timeout", "1"], {
      env: { RQLITE_URL: "http://localhost:1" },
    });
    assert.equal(code, 1);
    assert.match(stderr, /^✗ ConnectionError: Cannot reach http:\/\/localhost:1: /);
    assert.doesNotMatch(stderr, /RQLITE_URL/);
  });

  it("stands in front of the command, or in RQLITE_URL, where several have commas between them", async () => {
    const { stdout } = await cli(["--url", ":memory:", "--json", "query", "SELECT 1 AS a"]);
    assert.equal(stdout, '[{"a":1}]\n');
    const env = { RQLITE_URL: "http://localhost:1, http://localhost:2" };
    const { stderr } = await cli(["query", "SELECT 1", "--timeout", "5"], { env });
    for (const port of [1, 2]) assert.ok(stderr.includes(`Cannot reach http://localhost:${port}:`));
  });

  it("is wrong: says what to write, and shows no password", async () => {
    const wrong: readonly (readonly [readonly string[], RegExp])[] = [
      [["localhost:4001"], /write http:\/\/localhost:4001/],
      [["postgres://ada:hunter2@db/x"], /write http:\/\/ or https:\/\/, or a file/],
      [["ada:hunter2@localhost:4001"], /to "\*\*\*@localhost:4001": write http:\/\//],
      [["http://ada:hunter2@"], /Cannot connect to/],
      [["http://ada:hunter#2@db:4001"], /percent-encode/],
      [["http://ada:hunter2@a:1", "http://bob:hunter2@b:1"], /differ in their credentials/],
      [["app.db", "http://ada:hunter2@a:1"], /a file beside another --url/],
    ];
    for (const [urls, message] of wrong) {
      const flags = urls.flatMap((one) => ["--url", one]);
      const { code, stderr } = await cli(["query", "SELECT 1", ...flags]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /hunter/);
    }
    const user = await cli(["nodes", "--user", "ada", ...url]);
    assert.match(user.stderr, /Cannot use --user with a database file/);
    const unread = await cli(["nodes", "--ca", join(folder, "nowhere.pem")]);
    assert.equal(unread.code, 2);
    const file = await cli(["query", "SELECT 1", "--url", "file:nowhere.db"]);
    assert.match(file.stderr, /Cannot open file:nowhere\.db as there is no such file/);
    const asked = await cli(["nodes", "--user", "ada", "--url", "http://localhost:1"]);
    assert.match(asked.stderr, /standard input is no terminal: set RQLITE_PASSWORD/);
  });
});
