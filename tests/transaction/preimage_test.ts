import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Statement } from "../../mod.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import { withReturning } from "../../src/sql/returning.ts";
import { preimageOf, sourceOf } from "../../src/transaction/preimage.ts";

function preimage(statement: Statement): unknown[] | undefined {
  const read = preimageOf(withReturning(prepare(statement, { now: new Date(0) })));
  return read === undefined ? undefined : [read.sql, ...read.params];
}

describe("preimageOf()", () => {
  it("reads the rows that an UPDATE or DELETE is about", () => {
    const known: [Statement, unknown[]][] = [
      [["UPDATE t SET n = ? WHERE id = ? RETURNING n", 5, 7], [
        "SELECT * FROM t WHERE id = ?2",
        5,
        7,
      ]],
      [["UPDATE t SET n = 1 RETURNING *"], ["SELECT * FROM t"]],
      [
        ["UPDATE OR IGNORE main.t AS a SET n = (1 + :x) WHERE (a.id = :y) RETURNING n || :x", {
          x: 1,
          y: 2,
        }],
        ["SELECT * FROM main.t AS a WHERE (a.id = ?2)", 1, 2],
      ],
      [
        ["UPDATE t SET n = u.n FROM u, v WHERE u.id = t.id RETURNING t.n"],
        ["SELECT * FROM t, u, v WHERE u.id = t.id"],
      ],
      [["DELETE FROM t WHERE n < ? RETURNING ?", 3, 4], ["SELECT * FROM t WHERE n < ?1", 3]],
      [["DELETE FROM t RETURNING n IS DISTINCT FROM 2"], ["SELECT * FROM t"]],
      [["UPDATE t SET n = (SELECT max(n) FROM u) RETURNING n"], ["SELECT * FROM t"]],
      [
        ["WITH x(n) AS (VALUES (?)) DELETE FROM t WHERE n IN (SELECT n FROM x) RETURNING n", 1],
        ["WITH x(n) AS (VALUES (?1)) SELECT * FROM t WHERE n IN (SELECT n FROM x)", 1],
      ],
    ];
    for (const [statement, expected] of known) assert.deepEqual(preimage(statement), expected);
  });

  it("knows none of an INSERT, and that of what tells no rows", () => {
    assert.equal(preimage("INSERT INTO t VALUES(1) RETURNING n"), undefined);
    assert.deepEqual(preimage("UPDATE t SET n = 1 WHERE n > 2"), ["SELECT * FROM t WHERE n > 2"]);
  });
});

describe("sourceOf()", () => {
  it("reads what an INSERT … SELECT inserts", () => {
    const source = (statement: Statement): unknown[] | undefined => {
      const read = sourceOf(withReturning(prepare(statement, { now: new Date(0) })));
      return read === undefined ? undefined : [read.sql, ...read.params];
    };
    const upsert = "ON CONFLICT(id) DO UPDATE SET n = excluded.n RETURNING id";
    assert.deepEqual(source([`INSERT INTO t(id, n) SELECT a, ? FROM u WHERE true ${upsert}`, 3]), [
      "SELECT a, ?1 FROM u WHERE true",
      3,
    ]);
    assert.deepEqual(
      source(`WITH x AS (SELECT 1 AS a) REPLACE INTO t SELECT * FROM x RETURNING *`),
      [
        "WITH x AS (SELECT 1 AS a) SELECT * FROM x",
      ],
    );
  });
});
