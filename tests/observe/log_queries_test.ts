// One line for each call, without values unless somebody asks for them.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { logQueries, type LogQueriesOptions } from "../../src/observe/mod.ts";

interface Logged {
  readonly db: Client;
  /** Lines without times and numbers of requests. */
  readonly lines: string[];
}

async function open(options?: LogQueriesOptions): Promise<Logged> {
  const lines: string[] = [];
  const log = (line: string) =>
    void lines.push(line.replace(/\d+\.\d ms/, "T").replace(/\d+ requests?/, "R"));
  const db = connect({ ...embedded(), interceptors: [logQueries(log, options)] });
  await db.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT UNIQUE)");
  lines.length = 0;
  return { db, lines };
}

describe("logQueries()", () => {
  it("writes a line for each call: how long, how many requests, what came, the SQL", async () => {
    const { db, lines } = await open();
    await db.execute("INSERT INTO t(name) VALUES(?), (?)", ["secret", "b"]);
    await db.query("SELECT name\n  FROM t\n WHERE id = :id", { id: 1 });
    await db.query("SELECT * FROM t WHERE name = 'secret' AND id < 5");
    await db.batch(Array.from({ length: 5 }, (_, i) => ["UPDATE t SET name = ?", `secret${i}`]))
      .catch(() => {});
    await db.ready();
    assert.deepEqual(lines.map((line) => line.replace(/SQLITE\S+|: UNIQUE.*?:/, "…")), [
      "rqlite execute T, R, 2 changed: INSERT INTO t(name) VALUES(?), (?)",
      "rqlite query T, R, 1 row: SELECT name FROM t WHERE id = :id",
      "rqlite query T, R, 1 row: SELECT * FROM t WHERE name = ? AND id < ?",
      "rqlite batch T, failed: IntegrityError… t.name: " +
      "UPDATE t SET name = ?; UPDATE t SET name = ?; UPDATE t SET name = ?; and 2 more",
      "rqlite ready T, R",
    ]);
    await db.close();
  });

  it("tells values where it is asked to", async () => {
    const { db, lines } = await open({ params: true });
    const values = ["a\n'b'", 5n, null, new Uint8Array(3), new Date(0), true, "x".repeat(500)];
    await db.query("SELECT 'c', ?, ?, ?, ?, ?, ?, ?", values);
    await db.first("SELECT :n", { n: 1.5 });
    assert.equal(
      lines[0],
      "rqlite query T, R, 1 row: SELECT 'c', ?, ?, ?, ?, ?, ?, ? " +
        `["a\\n'b'", 5, null, <3 bytes>, 1970-01-01T00:00:00.000Z, true, "${"x".repeat(99)}…]`,
    );
    assert.equal(lines[1], "rqlite first T, R, 1 row: SELECT :n [{ n: 1.5 }]");
    await db.close();
  });

  it("says which calls belong to one transaction", async () => {
    const { db, lines } = await open();
    await db.transaction((tx) => tx.execute("DELETE FROM t"));
    assert.deepEqual(
      lines.map((line) => line.replace(/\(transaction \w+-\d+\)/, "(TX)")),
      [
        "rqlite execute T (TX), R, 0 rows: DELETE FROM t",
        "rqlite commit T (TX), R",
        "rqlite transaction T (TX), R",
      ],
    );
    await db.close();
  });

  it("tells only what was slow, and what failed", async () => {
    const { db, lines } = await open({ slow: 3_600_000 });
    await db.query("SELECT 1");
    await assert.rejects(db.query("SELECT * FROM missing"));
    assert.equal(lines.length, 1);
    assert.match(lines[0]!, /failed: ProgrammingError: no such table: missing/);
    await db.close();
  });

  it("keeps to one line, and says nothing of an error of the program's own", async () => {
    const { db, lines } = await open();
    await db.query('SELECT 1 AS "a\r\n\u001b[31m\u2028b"');
    await assert.rejects(db.transaction(() => Promise.reject(new Error("secret"))));
    await assert.rejects(db.query("SELECT 1 'secret' 2 'secret'"), /secret/);
    assert.doesNotMatch(lines.join(""), /[\p{Cc}\u2028]|secret/u);
    assert.match(lines[1]!, /failed: Error$/);
    await db.close();
  });

  it("cuts off what is long", async () => {
    const { db, lines } = await open();
    await db.insertMany("t", Array.from({ length: 2_000 }, (_, i) => ({ name: `n${i}` })));
    await db.query(`SELECT ${"'a', ".repeat(5_000)} 1`).catch(() => {});
    assert.ok(lines.every(({ length }) => length < 2_300), String(lines.map((one) => one.length)));
    await db.close();
  });

  it("tells milliseconds", async () => {
    let line = "";
    const engine = embedded();
    const slow: typeof fetch = async (input, init) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      return await engine.fetch(input, init);
    };
    const interceptors = [logQueries((text) => void (line = text))];
    const db = connect({ ...engine, fetch: slow, interceptors });
    const began = performance.now();
    await db.query("SELECT 1");
    const took = Number(/ (\d+\.\d) ms,/.exec(line)![1]);
    assert.ok(took > 10 && took <= performance.now() - began + 0.05, line);
    await db.close();
  });

  it("writes to a console by what came of the call, and ignores what that throws", async () => {
    const told: string[] = [];
    const console = {
      info: () => void told.push("info"),
      warn: () => void told.push("warn"),
      error: () => {
        told.push("error");
        throw new Error("disk full");
      },
    };
    const interceptors = [logQueries(console), logQueries(console, { slow: 0.000_001 })];
    const db = connect({ ...embedded(), interceptors });
    await db.query("SELECT 1");
    await assert.rejects(db.query("SELECT"), /syntax error|incomplete input/);
    assert.deepEqual(told, ["warn", "info", "error", "error"]);
    await db.close();
  });

  it("refuses options of another form", () => {
    assert.throws(
      () => logQueries(undefined as never),
      /`log` as it must be a console or a function/,
    );
    assert.throws(() => logQueries({} as never), /`log`/);
    assert.throws(() => logQueries(console, { slow: -1 }), RangeError);
    assert.throws(() => logQueries(console, { param: true } as never), /did you mean `params`/);
    assert.throws(() => logQueries(console, { params: "yes" } as never), /`params`/);
  });
});
