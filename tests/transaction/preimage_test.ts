import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Statement } from "../../mod.ts";
import { prepare } from "../../src/sql/prepare.ts";
import { withReturning } from "../../src/sql/returning.ts";
import { preimageOf } from "../../src/transaction/preimage.ts";

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
    ];
    for (const [statement, expected] of known) assert.deepEqual(preimage(statement), expected);
  });

  it("knows none of what also reads elsewhere, nor of an INSERT", () => {
    for (
      const sql of [
        "UPDATE t SET n = (SELECT max(n) FROM u) RETURNING n",
        "WITH x AS (VALUES (1)) UPDATE t SET n = 1 RETURNING n",
        "INSERT INTO t VALUES(1) RETURNING n",
        "UPDATE t SET n = 1",
      ]
    ) assert.equal(preimage(sql), undefined, sql);
  });
});
