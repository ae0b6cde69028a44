import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

describe("script() sends nothing", () => {
  const refused: readonly [
    what: string,
    script: string,
    error: { name: string; message: RegExp },
  ][] = [
    ["of what ends the transaction", "BEGIN;\nINSERT INTO t VALUES(1);\nROLLBACK;", {
      name: "NotSupportedError",
      message:
        /^Cannot run the script as a script is one transaction, and ROLLBACK .* \(line 3: ROLLBACK\)$/,
    }],
    ["of a savepoint", "\nSAVEPOINT a;\nRELEASE a", {
      name: "NotSupportedError",
      message: /SAVEPOINT .* \(line 2: SAVEPOINT a\)$/,
    }],
    ["of a BEGIN with more behind it", "BEGIN\nINSERT INTO t VALUES(1);", {
      name: "NotSupportedError",
      message: /BEGIN .* \(line 1: BEGIN INSERT INTO t VALUES\(1\)\)$/,
    }],
    ["of what cannot be in a transaction", "SELECT 1; VACUUM", {
      name: "NotSupportedError",
      message:
        /VACUUM cannot be part of one: run it by itself, with execute\(\) \(line 1: VACUUM\)$/,
    }],
    [
      "of a dump with virtual tables, by the shell",
      "PRAGMA foreign_keys=OFF;\nBEGIN;\nPRAGMA writable_schema=ON;",
      {
        name: "NotSupportedError",
        message: /load\(\) a backup in binary form instead \(line 3: PRAGMA writable_schema=ON\)$/,
      },
    ],
    ["of what writes the schema", "insert into SQLITE_MASTER values('table', 't', 't', 0, '')", {
      name: "NotSupportedError",
      message: /load\(\) a backup in binary form instead \(line 1: insert into SQLITE_MASTER/,
    }],
    [
      "of a dump with virtual tables, by a server",
      "CREATE VIRTUAL TABLE docs USING fts5(a);\nINSERT INTO docs VALUES('b');\nCREATE TABLE 'docs_data'(id INTEGER PRIMARY KEY, block BLOB);",
      {
        name: "NotSupportedError",
        message:
          /the virtual table makes this table by itself.* \(line 3: CREATE TABLE 'docs_data'/,
      },
    ],
    ["of what would change the node", "SELECT 1;\n\nPRAGMA journal_mode = DELETE;", {
      name: "NotSupportedError",
      message: /journal_mode.* \(line 3: PRAGMA/,
    }],
    ["of another database", "SELECT 1;\nATTACH 'other.db' AS other", {
      name: "NotSupportedError",
      message: /ATTACH.* \(line 2: ATTACH/,
    }],
    ["of a placeholder", "SELECT 1;\nSELECT ?", {
      name: "ProgrammingError",
      message: / \(line 2: SELECT \?\)$/,
    }],
    ["of a NUL in a string", "SELECT 1;\nSELECT 'a\0'", {
      name: "ProgrammingError",
      message: /NUL character.* \(line 2: SELECT 'a/,
    }],
    ["of a string that is not closed", "SELECT 1;\nSELECT 'a", {
      name: "ProgrammingError",
      message: /line 2 is not closed/,
    }],
    ["of what is longer than a request should be", "SELECT 1;\n".padEnd(2 ** 26 + 1), {
      name: "NotSupportedError",
      message:
        /of 67108865 characters as it is one request, with at most 67108864: divide it, or load\(\) a backup in binary form instead$/,
    }],
  ];
  for (const [what, script, error] of refused) {
    it(what, async () => {
      const engine = embedded();
      let requests = 0;
      const fetch: typeof globalThis.fetch = (input, init) => {
        requests++;
        return engine.fetch(input, init);
      };
      const db = connect("http://embedded:4001", { fetch, close: engine.close });
      await assert.rejects(db.script(script), error);
      assert.equal(requests, 0);
      await db.close();
    });
  }
});

describe("script()", () => {
  it("refuses options that it does not have", async () => {
    const engine = embedded();
    const db = connect("http://embedded:4001", { fetch: engine.fetch, close: engine.close });
    for (const option of [{ atomic: false }, { level: "weak" }, { timout: 1 }]) {
      await assert.rejects(db.script("CREATE TABLE t(a)", option as never), { name: "TypeError" });
    }
    await db.script("CREATE TABLE t(a)", { timeout: undefined });
    await db.close();
  });

  it("sends the rows once, however tables and rows take turns", async () => {
    const engine = embedded();
    let sent = 0;
    const fetch: typeof globalThis.fetch = (input, init) => {
      sent += String(init?.body ?? "").length;
      return engine.fetch(input, init);
    };
    const db = connect("http://embedded:4001", { fetch, close: engine.close });
    const tables = Array.from(
      { length: 20 },
      (_, t) =>
        `CREATE TABLE t${t}(a, at DEFAULT CURRENT_TIMESTAMP);\n` +
        `INSERT INTO t${t}(a) VALUES('${"x".repeat(200)}');\n`.repeat(100),
    );
    const script = tables.join("");
    assert.equal((await db.script(script)).length, 20 * 101);
    assert.ok(sent < script.length * 1.3, `${sent} characters sent for ${script.length}`);
    await db.close();
  });

  it("freezes a default that DDL makes which only those rows allow", async () => {
    const engine = embedded();
    const sent: string[] = [];
    const fetch: typeof globalThis.fetch = (input, init) => {
      sent.push(String(init?.body));
      return engine.fetch(input, init);
    };
    const db = connect("http://embedded:4001", { fetch, close: engine.close });
    await db.script("CREATE TABLE t(a); INSERT INTO t VALUES(1), (1);");
    // With the rows that it deletes the column could not be added.
    await db.script(
      "DELETE FROM t; ALTER TABLE t ADD COLUMN at TEXT DEFAULT CURRENT_TIMESTAMP; INSERT INTO t(a) VALUES(2)",
    );
    assert.match(sent.at(-1)!, /INSERT INTO t\(a, \\"at\\"\) VALUES\(2, '\d/);
    await db.close();
  });
});
