import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import type { Statement } from "../../src/sql/statement.ts";
import { encode } from "../../src/wire/encode.ts";

function body(...statements: Statement[]): string {
  return encode(statements.map((statement) => prepare(statement, { now: new Date(0) })));
}

/** The tokens of the parameters of `SELECT ?, ?, …`. */
function tokens(...params: (number | bigint | string | boolean | null)[]): string {
  const sql = `SELECT ${params.map(() => "?").join(", ")}`;
  const text = body([sql, ...params]);
  return text.slice(`[["${sql}",`.length, -2);
}

describe("encode()", () => {
  it("writes a statement without parameters as text", () => {
    assert.equal(body("SELECT 1;", 'SELECT "a"'), String.raw`["SELECT 1","SELECT \"a\""]`);
  });

  it("writes a statement with parameters as a list", () => {
    assert.equal(body(["SELECT ?, ?", 1, "a"], "SELECT 1"), '[["SELECT ?, ?",1,"a"],"SELECT 1"]');
  });

  it("puts the prefix in front", () => {
    const prepared = prepare("SELECT 2", { now: new Date(0) });
    assert.equal(encode([prepared], ["SELECT 1"]), '["SELECT 1","SELECT 2"]');
    assert.equal(encode([], []), "[]");
  });

  it("writes the text of the statement with its literals", () => {
    assert.equal(body(["SELECT ?, ?", new Uint8Array([255]), 1]), `[["SELECT x'ff', ?2",null,1]]`);
    assert.equal(body("SELECT ?, ?2".replace("?2", "1").replace("?", "0")), '["SELECT 0, 1"]');
  });

  it("writes integers as integer tokens", () => {
    assert.equal(tokens(0, -1, 2 ** 53 - 1, 1n, -5n), "0,-1,9007199254740991,1,-5");
  });

  it("writes integral numbers of up to 64 bits with all their digits", () => {
    assert.equal(tokens(2 ** 53, 2 ** 60), "9007199254740992,1152921504606846976");
    assert.equal(tokens(2 ** 63 - 1024, -(2 ** 63)), "9223372036854774784,-9223372036854775808");
  });

  it("writes bigints to the last digit", () => {
    assert.equal(
      tokens(9223372036854775807n, -9223372036854775808n),
      "9223372036854775807,-9223372036854775808",
    );
  });

  it("writes everything else as a token that means REAL", () => {
    assert.equal(tokens(1.5, -0, 5e-324, 1e-7), "1.5,-0.0,5e-324,1e-7");
    assert.equal(tokens(2 ** 63, -(2 ** 63) * 2), "9.223372036854776e+18,-1.8446744073709552e+19");
    assert.equal(tokens(1e21, Number.MAX_VALUE), "1e+21,1.7976931348623157e+308");
  });

  it("writes booleans, null and text", () => {
    assert.equal(tokens(true, false, null, "é"), 'true,false,null,"é"');
    assert.equal(tokens('a"\\\n\u0000'), '"a\\"\\\\\\n\\u0000"');
  });
});
