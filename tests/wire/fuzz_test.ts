import fc from "fast-check";
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DataError } from "../../src/errors.ts";
import { analyse } from "../../src/sql/analyse.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import type { IntegerMode, Value } from "../../src/sql/value.ts";
import { Answer } from "../../src/wire/decode.ts";
import { encode } from "../../src/wire/encode.ts";
import { parseExact } from "../../src/wire/json.ts";

const SEED = 20261122;

/** A busy machine is no failure; Bun would give up after 5 s. */
const PATIENT = { timeout: 120_000 };

function check<T>(runs: number, cases: fc.Arbitrary<T>, property: (value: T) => void): void {
  fc.assert(fc.property(cases, property), { numRuns: runs, seed: SEED });
}

/** Around every border that matters. */
const border = fc.tuple(
  fc.constantFrom(0n, 10n ** 15n, 2n ** 53n, 10n ** 16n, 9n * 10n ** 18n, 2n ** 63n, 2n ** 64n),
  fc.bigInt({ min: -3n, max: 3n }),
  fc.boolean(),
).map(([size, offset, negative]) => (negative ? -size : size) + offset);

const INT64 = { min: -(2n ** 63n), max: 2n ** 63n - 1n };
const integer = fc.oneof(border, fc.bigInt(INT64)).map((value) => BigInt.asIntN(64, value));
const real = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.constantFrom(-0, 1e15, 1e16, 1e17, 2 ** 53, 2 ** 63, -(2 ** 63), 1e20, 1e21, 5e-324),
);
const text = fc.oneof(
  fc.string({ unit: "grapheme" }),
  fc.constantFrom('"', "\\", '\\"', "9007199254740993", '",9007199254740993,"', "\\\\\\", "\u2028"),
);

/** The value of an integer token the slow and certain way. */
function reviver(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source ?? "";
  if (typeof value !== "number" || !/^-?\d+$/.test(source)) return value;
  const exact = BigInt(source);
  const long = exact > BigInt(Number.MAX_SAFE_INTEGER) || exact < -BigInt(Number.MAX_SAFE_INTEGER);
  return long && BigInt.asIntN(64, exact) === exact ? exact : value;
}

const blank = fc.constantFrom("", "", "", " ", "\n", "\t", "\r\n  ");
const numberToken = fc.oneof(
  border.map(String),
  integer.map(String),
  real.map((value) => JSON.stringify(value)),
  fc.tuple(border, fc.constantFrom(".0", ".5", "e0", "E+1", "e-3", ".25e2")).map(([a, b]) => a + b),
);
const stringToken = text.map((value) => JSON.stringify(value));

const { json } = fc.letrec<{ json: string }>((tie) => ({
  json: fc.oneof(
    { maxDepth: 3 },
    numberToken,
    fc.oneof(stringToken, fc.constantFrom("true", "false", "null")),
    fc.tuple(blank, fc.array(tie("json"), { maxLength: 5 }))
      .map(([gap, items]) => `[${gap}${items.join(`${gap},${gap}`)}${gap}]`),
    fc.tuple(
      blank,
      fc.uniqueArray(
        fc.tuple(fc.oneof(text, fc.constantFrom("0", "1", "10", "__proto__")), tie("json")),
        {
          selector: ([key]) => key,
          maxLength: 5,
        },
      ),
    ).map(([gap, members]) => {
      const pairs = members.map(([key, value]) => `${JSON.stringify(key)}${gap}:${gap}${value}`);
      return `{${gap}${pairs.join(`${gap},`)}${gap}}`;
    }),
  ),
}));

describe("parseExact()", () => {
  it("agrees with a reviver that sees the source", PATIENT, () => {
    check(30_000, json, (source) => {
      assert.deepEqual(parseExact(source), JSON.parse(source, reviver));
    });
  });

  it("agrees on long lists of numbers", PATIENT, () => {
    check(3_000, fc.array(numberToken, { minLength: 5, maxLength: 60 }), (tokens) => {
      const source = `[${tokens.join(",")}]`;
      assert.deepEqual(parseExact(source), JSON.parse(source, reviver));
    });
  });
});

const param = fc.oneof(integer, real, text, fc.boolean(), fc.constant(null));

/** What the server binds for a token: integers that fit into 64 bits are INTEGER, other numbers REAL. */
function bound(token: string): Value {
  if (/^-?\d+$/.test(token) && BigInt.asIntN(64, BigInt(token)) === BigInt(token)) {
    return BigInt(token);
  }
  return JSON.parse(token);
}

/** What should be bound for a value. */
function meant(value: null | number | bigint | string | boolean): Value {
  const isInteger = typeof value === "number" && Number.isInteger(value) && !Object.is(value, -0);
  if (!isInteger) return value;
  const exact = BigInt(value);
  return BigInt.asIntN(64, exact) === exact ? exact : value;
}

describe("encode()", () => {
  it("keeps the type and the value of every parameter", PATIENT, () => {
    check(55_000, param, (value) => {
      const body = encode([prepare(["SELECT ?", value], { now: new Date(0) })]);
      const [, token] = /^\[\["SELECT \?",(.*)\]\]$/s.exec(body) ?? [];
      // What cannot be a parameter stands in the text.
      if (token === undefined) assert.match(body, /SELECT 'x''|SELECT ' *x'/i);
      else assert.ok(Object.is(bound(token), meant(value)), body);
    });
  });

  it("writes JSON that says what was prepared", PATIENT, () => {
    const statement = fc.array(fc.oneof(text, fc.integer(), fc.boolean()), { maxLength: 6 });
    check(5_000, fc.array(statement, { maxLength: 5 }), (lists) => {
      const prepared = lists.map((params) => {
        const sql = `SELECT ${params.map(() => "?").join(",") || 1}`;
        return prepare([sql, ...params], { now: new Date(0) });
      });
      const plain = prepared.map(({ sql, params }) => params.length === 0 ? sql : [sql, ...params]);
      assert.deepEqual(JSON.parse(encode(prepared)), JSON.parse(JSON.stringify(plain)));
    });
  });
});

/** A stored value, as SQLite knows it. */
type Stored = null | bigint | number | string | boolean | Uint8Array;

const type = fc.constantFrom("integer", "", "text", "blob", "numeric", "any", "boolean", "bigint");
const realType = fc.constantFrom("real", "double", "float");
const name = fc.oneof(
  text,
  fc.constantFrom("__proto__", "constructor", "", "a", "b", "0", "toString"),
);

/** How Go prints a REAL. */
function goReal(value: number): string {
  if (Object.is(value, -0)) return "-0";
  return Math.abs(value) < 1e21 && Number.isInteger(value)
    ? String(BigInt(shortest(value)))
    : String(value);
}

/** The shortest digits, filled up with zeros. */
function shortest(value: number): bigint {
  const [digits, exponent] = value.toExponential().split("e") as [string, string];
  const [whole, fraction = ""] = digits.split(".") as [string, string?];
  return BigInt(whole + fraction) * 10n ** BigInt(Number(exponent) - fraction.length);
}

/** The cell that the server sends. */
function sent(value: Stored): string {
  if (typeof value === "bigint") return String(value);
  if (typeof value === "number") return goReal(value);
  return value instanceof Uint8Array ? `[${value.join(",")}]` : JSON.stringify(value);
}

/** The value that the caller should get, or DataError. */
function expected(value: Stored, mode: IntegerMode): Value | typeof DataError {
  if (typeof value !== "bigint") return value;
  const safe = BigInt(Number(value)) === value && Number.isSafeInteger(Number(value));
  if (mode === "bigint") return value;
  if (mode === "string") return String(value);
  return safe ? Number(value) : mode === "auto" ? value : DataError;
}

/** REAL that looks like an INTEGER is one for everybody who sees only the text: keep it to REAL columns. */
const untypedReal = real.filter((value) => !Number.isInteger(value) || Math.abs(value) > 2 ** 63);
const stored: fc.Arbitrary<Stored> = fc.oneof(
  integer,
  untypedReal,
  text,
  fc.boolean(),
  fc.constant(null),
  fc.uint8Array({ maxLength: 4 }),
);

interface Table {
  columns: string[];
  types: string[];
  rows: Stored[][];
}

const column = fc.oneof(
  { weight: 4, arbitrary: fc.tuple(name, type, fc.constant(stored)) },
  { weight: 1, arbitrary: fc.tuple(name, realType, fc.constant<fc.Arbitrary<Stored>>(real)) },
);
const table: fc.Arbitrary<Table> = fc.array(column, { minLength: 1, maxLength: 6 }).chain((
  columns,
) =>
  fc.array(fc.tuple(...columns.map(([, , cell]) => cell)), { maxLength: 4 }).map((rows) => ({
    columns: columns.map(([name]) => name),
    types: columns.map(([, type]) => type),
    rows: rows as Stored[][],
  }))
);

function body(tables: readonly Table[]): string {
  const results = tables.map(({ columns, types, rows }) => {
    const values = rows.map((cells) => `[${cells.map(sent).join(",")}]`);
    const head = `"columns":${JSON.stringify(columns)},"types":${JSON.stringify(types)}`;
    return values.length === 0 ? `{${head}}` : `{${head},"values":[${values.join(",")}]}`;
  });
  return `{"results":[${results.join(",")}]}`;
}

const analysis = analyse("SELECT 1");
const MODES = ["number", "bigint", "string", "auto"] as const;

describe("Answer.result()", () => {
  it("gives the exact values in every mode and form, in any order", PATIENT, () => {
    const cases = fc.tuple(
      fc.array(table, { minLength: 1, maxLength: 3 }),
      fc.shuffledSubarray([0, 1, 2], { minLength: 3 }),
    );
    check(10_000, cases, ([tables, order]) => {
      const source = body(tables);
      for (const integers of MODES) {
        const answer = new Answer(source);
        for (const index of order.filter((index) => index < tables.length)) {
          const { columns, rows } = tables[index]!;
          const wanted = rows.map((cells) => cells.map((cell) => expected(cell, integers)));
          const read = (rows: "array" | "object") =>
            answer.result(index, { analysis, rows, integers });
          if (wanted.flat().includes(DataError)) {
            assert.throws(() => read("array"), DataError);
            continue;
          }
          assert.deepEqual(read("array").rows, wanted);
          const objects = wanted.map((cells) => cells.map((cell, i) => [columns[i], cell]));
          assert.deepEqual(
            read("object").rows.map(Object.entries),
            objects.map((pairs) => Object.entries(Object.fromEntries(pairs))),
          );
        }
      }
    });
  });
});
