import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { analyse } from "../../src/sql/analyse.ts";
import { anyServerParses } from "../../src/sql/returning.ts";
import { readTranscript, type Transcript } from "../support/golden.ts";

describe("anyServerParses()", () => {
  const plain = [
    "INSERT INTO t(a, b) VALUES(?, 'x') RETURNING a",
    'insert into "t" ("a", "b") values (?, ?), (NULL, 1.5) returning *',
    'INSERT INTO t(a) VALUES(:a) RETURNING a AS b, "c" AS "d"',
    "INSERT INTO t(a) VALUES(?1) RETURNING*",
    "UPDATE t SET a = ?, b = 'it''s' WHERE c = ? RETURNING a, b",
    'update "t" set "a" = ? where "t"."id" = ? returning "id", "t"."a"',
    "DELETE FROM t RETURNING a",
    "DELETE FROM t WHERE email = 1 RETURNING email",
    'DELETE FROM t WHERE "t"."email" = 1 RETURNING t.a',
    "DELETE FROM t WHERE a = 1 RETURNING *",
  ];
  for (const sql of plain) it(sql, () => assert.equal(anyServerParses(analyse(sql)), true));

  const others = [
    "INSERT INTO t(a) VALUES(1)",
    "INSERT INTO main.t(a) VALUES(1) RETURNING a",
    "INSERT INTO [t](a) VALUES(1) RETURNING a",
    "INSERT INTO `t`(a) VALUES(1) RETURNING a",
    "INSERT INTO t(a) VALUES((1)) RETURNING a",
    "INSERT INTO t(a) VALUES(0x1F) RETURNING a",
    "INSERT INTO t(a) VALUES(1_0) RETURNING a",
    "INSERT INTO t(a) VALUES(CURRENT_TIMESTAMP) RETURNING a",
    "INSERT INTO t(a) VALUES(lower(?)) RETURNING a",
    "INSERT INTO t(a) VALUES('a' COLLATE NOCASE) RETURNING a",
    "INSERT INTO t(a) SELECT 1 RETURNING a",
    "INSERT INTO t(a) VALUES(1) ON CONFLICT DO NOTHING RETURNING a",
    "INSERT INTO t(key) VALUES(1) RETURNING a",
    "INSERT INTO t(strict) VALUES(1) RETURNING a",
    "DELETE FROM t RETURNING variable",
    "DELETE FROM t WHERE t.email = 1 RETURNING a",
    "INSERT INTO t(é) VALUES(1) RETURNING a",
    "INSERT OR IGNORE INTO t(a) VALUES(1) RETURNING a",
    "REPLACE INTO t(a) VALUES(1) RETURNING a",
    "WITH x AS (SELECT 1) INSERT INTO t(a) VALUES(1) RETURNING a",
    "UPDATE t SET (a) = (1) RETURNING a",
    "UPDATE t SET a = b RETURNING a",
    "UPDATE t SET a = 1 FROM u RETURNING a",
    "UPDATE t SET a = 1 WHERE a IS DISTINCT FROM 1 RETURNING a",
    "UPDATE t AS x SET a = 1 RETURNING a",
    "DELETE FROM t WHERE a > 1 RETURNING a",
    "DELETE FROM t WHERE a = (SELECT 1) RETURNING a",
    "DELETE FROM t RETURNING a + 1",
    "DELETE FROM t RETURNING (a)",
    "DELETE FROM t RETURNING a, *",
    "DELETE FROM t RETURNING",
    "DELETE FROM t RETURNING a;DELETE FROM t",
  ];
  for (const sql of others) {
    it(`not: ${sql}`, () => assert.equal(anyServerParses(analyse(sql)), false));
  }
});

describe("anyServerParses(), by what servers answered", () => {
  for (const version of ["v8.26", "v10"] as const) {
    it(`finds rows in ${version} for each plain statement`, () => {
      const seen = returningAnswers(readTranscript(version));
      const plain = seen.filter(({ sql }) => anyServerParses(analyse(sql)));
      assert.ok(plain.length >= 20);
      assert.deepEqual(plain.filter(({ answer }) => !hasRows(answer)), []);
    });
  }
});

interface Answered {
  readonly sql: string;
  readonly answer: Record<string, unknown>;
}

/** The statements with RETURNING that were written as we would write them, and what came back. */
function returningAnswers(transcript: Transcript): Answered[] {
  const found: Answered[] = [];
  for (const { path, body, response } of transcript.scenarios.flatMap(({ steps }) => steps)) {
    if (!Array.isArray(body) || typeof response.body !== "string") continue;
    if (/noparse|queue|\/db\/query/.test(path) || response.status !== 200) continue;
    const { results = [] }: { results?: Record<string, unknown>[] } = JSON.parse(response.body);
    for (const [i, statement] of body.entries()) {
      const sql = Array.isArray(statement) ? statement[0] : statement;
      const answer = results[i];
      if (typeof sql !== "string" || answer === undefined) continue;
      const { text, source, returning } = analyse(sql);
      if (returning && text === source) found.push({ sql, answer });
    }
  }
  return found;
}

/** A statement that failed says nothing about rows. */
function hasRows(answer: Record<string, unknown>): boolean {
  return "columns" in answer || "rows" in answer || "error" in answer;
}
