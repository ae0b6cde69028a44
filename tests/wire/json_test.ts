import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { parseExact, restore } from "../../src/wire/json.ts";

const BIGGEST = 9223372036854775807n;
const SMALLEST = -9223372036854775808n;

describe("parseExact()", () => {
  it("leaves numbers up to 2^53 - 1 alone", () => {
    const text = "[0,-0,1,-1,1.5,9007199254740991,-9007199254740991]";
    assert.deepEqual(parseExact(text), JSON.parse(text));
  });

  it("keeps every digit of longer integers", () => {
    assert.deepEqual(parseExact("[9007199254740992,9007199254740993,-9007199254740993]"), [
      9007199254740992n,
      9007199254740993n,
      -9007199254740993n,
    ]);
  });

  it("knows where 64 bits end", () => {
    assert.deepEqual(parseExact(`[${BIGGEST},${SMALLEST}]`), [BIGGEST, SMALLEST]);
    assert.deepEqual(
      parseExact(`[${BIGGEST + 1n},${SMALLEST - 1n},100000000000000000000]`),
      [2 ** 63, -(2 ** 63), 1e20],
    );
  });

  it("takes fractions and exponents for numbers", () => {
    const text =
      "[1e17,1E+18,12345678901234567.5,0.1234567890123456789,1234567890123456789e0,1e21]";
    assert.deepEqual(parseExact(text), JSON.parse(text));
  });

  it("tells an integer from a real of the same value", () => {
    const text = "[1e17,100000000000000001,1e17,9223372036854775808,9223372036854775807]";
    assert.deepEqual(parseExact(text), [1e17, 100000000000000001n, 1e17, 2 ** 63, BIGGEST]);
  });

  it("does not touch strings and names", () => {
    const long = "9007199254740993";
    const value = { [long]: long, 'a"': `"${long}"`, "\\": `\\",${long},\\`, é: `\n[${long}]` };
    assert.deepEqual(parseExact(JSON.stringify(value)), value);
    assert.deepEqual(parseExact(`["\\"${long},","\\\\",${long}]`), [
      `"${long},`,
      "\\",
      9007199254740993n,
    ]);
  });

  it("takes blanks between tokens", () => {
    const text = '{\n\t"a": [\r\n 9007199254740993 ,\n-9007199254740993\n], "b" :9007199254740995}';
    assert.deepEqual(parseExact(text), {
      a: [9007199254740993n, -9007199254740993n],
      b: 9007199254740995n,
    });
  });

  it("takes a text that is one number", () => {
    assert.equal(parseExact("9007199254740993"), 9007199254740993n);
    assert.equal(parseExact(" -9007199254740993 "), -9007199254740993n);
  });

  it("finds integers behind names that look like indexes", () => {
    // Their members come first, whatever their place in the text.
    const text = '{"b":9007199254740993,"1":9007199254740995,"0":9007199254740992}';
    assert.deepEqual(parseExact(text), {
      b: 9007199254740993n,
      1: 9007199254740995n,
      0: 9007199254740992n,
    });
  });

  it("gives the last of two members with one name", () => {
    const text = '{"a":9007199254740993,"a":9007199254740995}';
    assert.deepEqual(parseExact(text), { a: 9007199254740995n });
  });

  it("makes an own property of __proto__", () => {
    const value = parseExact('{"__proto__":9007199254740993}') as object;
    assert.deepEqual(Object.entries(value), [["__proto__", 9007199254740993n]]);
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
  });

  it("throws as JSON.parse does", () => {
    assert.throws(() => parseExact("[1"), SyntaxError);
    assert.throws(() => parseExact(""), SyntaxError);
  });
});

describe("restore()", () => {
  it("works in place", () => {
    const text = '{"rows":[[1,9007199254740993]]}';
    const value = JSON.parse(text);
    const rows = value.rows;
    assert.equal(restore(value, text), value);
    assert.equal(value.rows, rows);
    assert.deepEqual(rows, [[1, 9007199254740993n]]);
  });
});
