import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, beforeEach, describe, it } from "node:test";
import { Interruption } from "../../src/cli/mod.ts";
import { startProxy } from "../support/proxy.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { cli, type Ended } from "./run_cli.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

const url = ["--url", join(folder, "app.db"), "--create"];
const run = (args: readonly string[], stdin?: string | readonly string[]) =>
  cli([...args, ...url], stdin === undefined ? {} : { stdin });
const csv = (stdin: string | readonly string[], ...args: readonly string[]): Promise<Ended> =>
  run(["import", "t", "-f", "csv", ...args], stdin);
const jsonl = (stdin: string | readonly string[], ...args: readonly string[]): Promise<Ended> =>
  run(["import", "t", "-f", "jsonl", ...args], stdin);
const rows = async (sql = "SELECT * FROM t ORDER BY id") =>
  (await run(["query", sql, "-f", "csv"])).stdout;

describe("import", () => {
  before(async () => {
    await run([
      "query",
      "CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, size REAL, raw BLOB, note DEFAULT 'none')",
    ]);
  });
  beforeEach(async () => {
    await run(["query", "DELETE FROM t"]);
  });

  it("reads the CSV that query writes, and keeps every value", async () => {
    await run(
      ["script", "-"],
      `
      INSERT INTO t VALUES(9007199254740993, '007', 0.1, x'00ff', NULL);
      INSERT INTO t VALUES(2, '', 1e300, x'', 'a "b", c' || char(13, 10) || 'd');
      INSERT INTO t VALUES(3, 'x''41''', NULL, NULL, ' blanks ');
      INSERT INTO t VALUES(4, '1.50', -2.5, x'41', '12');
      INSERT INTO t VALUES(5, NULL, 9.2e18, NULL, NULL), (6, NULL, 9223372036854775807.0, NULL, NULL);
      INSERT INTO t VALUES(7, NULL, -1e20, NULL, NULL), (9223372036854775000, NULL, 1e21, NULL, NULL);
    `,
    );
    const first = await rows();
    const types =
      "SELECT id, typeof(name), typeof(size), typeof(raw), typeof(note) FROM t ORDER BY id";
    const before = await rows(types);
    await run(["query", "DELETE FROM t"]);
    // In pieces that end anywhere.
    const { code, stdout, stderr } = await csv([...first]);
    assert.deepEqual({ code, stdout, stderr }, {
      code: 0,
      stdout: "✓ 8 rows read, 8 rows inserted\n",
      stderr: "",
    });
    assert.equal(await rows(), first);
    assert.equal(await rows(types), before);
  });

  it("reads lines that end in any way, other delimiters and given columns", async () => {
    await csv("id;name\r1;a\r2;b", "--delimiter", ";");
    const file = join(folder, "rows.tsv");
    writeFileSync(file, "\ufeff3\tc\n\n4\td\n");
    await run(["import", "t", file, "--columns", "id, name"]);
    assert.equal(
      await rows("SELECT id, name, note FROM t"),
      "id,name,note\r\n1,a,none\r\n2,b,none\r\n3,c,none\r\n4,d,none\r\n",
    );
  });

  it("reads JSON lines, with all digits, bytes and what is no value of SQLite", async () => {
    const lines = [
      '{"id":9007199254740993,"name":null,"raw":{"base64":"AP8="},"note":[1,{"a":9007199254740993}]}',
      "",
      '{"id":1,"name":"é","raw":null,"note":true}',
    ];
    const { stdout } = await jsonl([...lines.join("\r\n")], "--json");
    assert.equal(stdout, '{"rows":2,"rowsAffected":2}\n');
    assert.equal(
      await rows("SELECT id, name, raw, note FROM t ORDER BY id"),
      'id,name,raw,note\r\n1,é,,1\r\n9007199254740993,,x\'00ff\',"[1,{""a"":9007199254740993}]"\r\n',
    );
  });

  const malformed: readonly (readonly [string, string, RegExp])[] = [
    ["csv", "id,name\n1,a\n2\n3,c", /line 3 as it has not 2 fields but 1/],
    ["csv", 'id,name\n1,"a\nb"\n2,"b"x\n', /line 4 as there is something behind a closing quote/],
    ["csv", 'id,name\n1,a\n2,"b\n3,c\n', /line 3 as a quote is not closed/],
    ["csv", "id,nme\n1,a", /the column "nme" as the table has only id, name, size, raw, note/],
    ["csv", "id,ID\n1,2", /a column is named twice/],
    ["csv", "", /the file as it is empty/],
    ["csv", "id,size\n1,1\n2,12345678901234567890\n", /Line 3: .* more than 64 bits/],
    ["jsonl", '{"id":1}\n{"id":2\n', /line 2 as it is not JSON/],
    ["jsonl", '{"id":1}\n[2]\n', /line 2 as it is no JSON object/],
    ["jsonl", '{"id":1}\n\n{"id":2,"name":"b"}\n', /line 3/],
    ["jsonl", '{"id":1}\n\n{"id":1e400}\n', /Line 3: Cannot bind parameter id as Infinity/],
  ];
  for (const [format, text, message] of malformed) {
    it(`names the line where ${format} is ${JSON.stringify(text)}, and inserts nothing`, async () => {
      const { code, stdout, stderr } = await run(["import", "t", "-f", format], text);
      assert.deepEqual({ code, stdout }, { code: 1, stdout: "" });
      assert.match(stderr, message);
      assert.equal(await rows("SELECT count(*) FROM t"), "count(*)\r\n0\r\n");
    });
  }

  it("says how many rows are in where one is refused, and goes on behind them", async () => {
    const line = (id: number) => `${id},n\n`;
    const before = Array.from({ length: 10_050 }, (_, i) => line(i + 1)).join("");
    const { code, stderr } = await csv(`id,name\n${before}${line(10_050)}${line(10_060)}`);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /UNIQUE constraint failed: t\.id .*lines 10002 to 10053\)\. 10000 rows were inserted: --skip 10000/,
    );
    assert.equal(await rows("SELECT count(*) FROM t"), "count(*)\r\n10000\r\n");
    const rest = await csv(`id,name\n${before}${line(10_060)}`, "--skip", "10000");
    assert.equal(rest.stdout, "✓ 51 rows read, 51 rows inserted\n");
    const ignored = await csv("id,name\n1,other\n20000,new\n", "--conflict", "ignore");
    assert.equal(ignored.stdout, "✓ 2 rows read, 1 row inserted\n");
  });

  it("ends between two requests where it is interrupted, and says what is in", async () => {
    const controller = new AbortController();
    let id = 0;
    const stdin = {
      // The second request begins with the 10,001st row.
      *[Symbol.iterator]() {
        yield "id\n";
        while (id < 30_000) {
          if (id === 15_000) controller.abort(new Interruption());
          yield `${++id}\n`;
        }
      },
    };
    const { code, stderr } = await cli(["import", "t", "-f", "csv", ...url], {
      stdin: stdin as unknown as readonly string[],
      signal: controller.signal,
    });
    assert.equal(code, 130);
    assert.equal(
      stderr,
      "✗ Interrupted: 10000 rows were inserted: --skip 10000 goes on behind them\n",
    );
    assert.equal(await rows("SELECT count(*) FROM t"), "count(*)\r\n10000\r\n");
  });

  it("is refused where the table or the format is not known", async () => {
    const table = await run(["import", "nowhere", "-f", "csv"], "a\n1\n");
    assert.equal(table.code, 2);
    assert.match(table.stderr, /import into nowhere as there is no such table/);
    assert.match((await run(["import", "t"], "")).stderr, /say --format csv or --format jsonl/);
    assert.match((await csv("", "--conflict", "x")).stderr, /one of error, ignore, replace/);
    assert.match((await csv("", "--delimiter", "::")).stderr, /must be one character/);
    assert.match((await jsonl("", "--delimiter", ";")).stderr, /--delimiter with JSON lines/);
    assert.match((await csv("", "--skip", "-1")).stderr, /a whole number from 0 on/);
  });
});

describe("an import of whose answer nothing is heard", { skip: skipWithoutRqlited() }, () => {
  it("names the line to look for, and where to go on in either case", async () => {
    await using server = await startRqlited();
    await server.sql("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT)");
    const proxy = await startProxy(server.url);
    let silent = false;
    proxy.plan = ({ body }) => {
      // From the write itself on, which enters its id.
      silent ||= body.includes('INTO \\"t\\"');
      return silent ? "cut after request" : "pass";
    };
    const command = ["import", "t", "-f", "csv", "--url", proxy.url, "--timeout", "1"];
    try {
      const stdin = "id,name\n1,a\n2,b\n3,c\n";
      const { code, stderr } = await cli([...command, "--skip", "1"], { stdin });
      assert.equal(code, 4);
      assert.match(
        stderr,
        /^✗ OutcomeUnknownError: Cannot tell .*\. No row of this file was inserted, unless line 3 is in: then all up to line 4 are, and --skip 3 goes on behind them\n$/,
      );
      const { stdout } = await cli(["query", "SELECT id FROM t", "--url", server.url, "-f", "csv"]);
      assert.equal(stdout, "id\r\n2\r\n3\r\n");
    } finally {
      await proxy.close();
    }
  });
});
