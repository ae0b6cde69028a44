import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Value } from "../../src/sql/value.ts";
import { rowBuilder } from "../../src/wire/rows.ts";

function build(columns: string[], cells: Value[]): [string, Value][] {
  return Object.entries(rowBuilder(columns)(cells));
}

describe("rowBuilder()", () => {
  it("puts cells under their columns in order", () => {
    assert.deepEqual(build(["b", "a"], [1, "x"]), [["b", 1], ["a", "x"]]);
    assert.deepEqual(build([], []), []);
  });

  it("lets the last of several columns with one name win", () => {
    assert.deepEqual(build(["a", "b", "a"], [1, 2, 3]), [["a", 3], ["b", 2]]);
    assert.deepEqual(build(["__proto__", "a", "__proto__"], [1, 2, 3]), [["__proto__", 3], [
      "a",
      2,
    ]]);
  });

  it("makes ordinary objects whatever the names", () => {
    for (
      const name of ["__proto__", "constructor", "toString", "hasOwnProperty", "", "0", "ü", "a.b"]
    ) {
      const row = rowBuilder([name, "z"])(["x", null]);
      assert.equal(Object.getPrototypeOf(row), Object.prototype);
      assert.deepEqual(Object.entries(row), [[name, "x"], ["z", null]]);
      assert.ok(Object.getOwnPropertyDescriptor(row, name)?.writable);
    }
  });

  it("leaves cells behind the columns out", () => {
    assert.deepEqual(build(["a"], [1, 2]), [["a", 1]]);
  });

  it("takes many columns", () => {
    const columns = Array.from({ length: 2000 }, (_, i) => `c${i}`);
    assert.equal(rowBuilder(columns)(columns).c1999, "c1999");
  });
});
