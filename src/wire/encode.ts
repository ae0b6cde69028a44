import type { Analysis } from "../sql/analyse.ts";
import { TextCache } from "../sql/text_cache.ts";
import type { Prepared } from "../sql/prepare.ts";

type Param = Prepared["params"][number];

/** So many parameters or less are written one by one: most are numbers, and calls of `JSON.stringify` take their time. */
const FEW = 4;

/** The JSON of texts that run first; there are few. */
const prefixes: TextCache<string> = new TextCache(10, 10_000);

/** The JSON of texts that are sent as they were written: most programs send the same ones again and again. */
const texts: WeakMap<Analysis, string> = new WeakMap();

/**
 * The body of a request: statements as JSON, in which an integer token means INTEGER and any other number
 * REAL.
 *
 * @param prefix Texts of statements without parameters that run first.
 * @param texts What {@linkcode encodeStatement} made of the statements, where somebody has asked for it already.
 *
 * @example
 * ```ts
 * import { prepare } from "../sql/prepare_frozen.ts";
 * import { encode } from "./encode.ts";
 *
 * encode([prepare(["SELECT ?, ?", 1n, "a"], { now: new Date() })]); // [["SELECT ?, ?",1,"a"]]
 * ```
 */
export function encode(
  statements: readonly Prepared[],
  prefix: readonly string[] = [],
  texts?: readonly string[],
): string {
  let body = "[";
  for (const sql of prefix) body += (body === "[" ? "" : ",") + prefixOf(sql);
  let i = 0;
  for (const statement of statements) {
    body += (body === "[" ? "" : ",") + (texts?.[i++] ?? encodeStatement(statement));
  }
  return `${body}]`;
}

/** One statement of a body. */
export function encodeStatement({ analysis, sql, params }: Prepared): string {
  const text = sql === analysis.text ? textOf(analysis) : JSON.stringify(sql);
  if (params.length === 0) return text;
  // One call for all of them is twice as fast as one for each, unless they are few.
  if (params.length > FEW && params.every(isWrittenAsIs)) {
    return `[${text},${JSON.stringify(params).slice(1)}`;
  }
  let list = text;
  for (const param of params) list += `,${encodeParam(param)}`;
  return `[${list}]`;
}

/** Whether `JSON.stringify` writes the token that means the value. */
function isWrittenAsIs(param: Param): boolean {
  if (typeof param === "number") {
    return Number.isSafeInteger(param) ? !Object.is(param, -0) : !Number.isInteger(param);
  }
  return typeof param !== "bigint";
}

function textOf(analysis: Analysis): string {
  const known = texts.get(analysis);
  if (known !== undefined) return known;
  const text = JSON.stringify(analysis.text);
  texts.set(analysis, text);
  return text;
}

function prefixOf(sql: string): string {
  const known = prefixes.get(sql);
  if (known !== undefined) return known;
  const text = JSON.stringify(sql);
  prefixes.set(sql, text);
  return text;
}

function encodeParam(param: Param): string {
  if (typeof param === "string") return JSON.stringify(param);
  return typeof param === "number" ? encodeNumber(param) : String(param);
}

/** Where 64 bits end. */
const INT64_END = 2 ** 63;

function encodeNumber(value: number): string {
  if (Number.isSafeInteger(value)) return Object.is(value, -0) ? "-0.0" : String(value);
  if (!Number.isInteger(value)) return String(value);
  // The shortest text of such a double is another integer; beyond 64 bits it must not look like one at all.
  const fits = value >= -INT64_END && value < INT64_END;
  return fits ? String(BigInt(value)) : value.toExponential();
}
