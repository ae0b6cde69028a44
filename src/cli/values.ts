import type { Params, Value } from "../sql/value.ts";
import { bytesIn } from "../sql/quoting.ts";
import { UsageError } from "./exit.ts";

const INTEGER = /^[+-]?(?:0|[1-9]\d*)$/;
const REAL = /^[+-]?(?:0|[1-9]\d*)?(?:\.\d+|\.?(?=e))(?:e[+-]?\d+)?$/i;

/** A number as SQL writes it: an integer exactly, another as the nearest REAL; `undefined` if it is none. */
export function numberIn(text: string): number | bigint | undefined {
  if (INTEGER.test(text)) {
    const exact = BigInt(text.replace("+", ""));
    const number = Number(exact);
    return Number.isSafeInteger(number) ? number : exact;
  }
  if (!REAL.test(text) || !/\d/.test(text)) return undefined;
  const number = Number(text);
  return Number.isFinite(number) ? number : undefined;
}

/** The bytes of `x'ff00'`; `undefined` if it is not that. */
export function bytesOf(text: string): Uint8Array | undefined {
  const hex = /^x'((?:[\da-f]{2})*)'$/i.exec(text)?.[1];
  return hex === undefined ? undefined : bytesIn(hex);
}

/** A value as SQL writes it, such as `12`, `1.5`, `NULL`, `x'ff'` or `'text'`; anything else is text as it is. */
export function valueOf(text: string): Value {
  if (text === "NULL") return null;
  const quoted = /^'((?:[^']|'')*)'$/.exec(text)?.[1];
  if (quoted !== undefined) return quoted.replaceAll("''", "'");
  return bytesOf(text) ?? numberIn(text) ?? text;
}

/**
 * The values for a statement.
 *
 * @param named `name=value`, for `:name`.
 * @param asText None of them is looked at.
 * @throws {UsageError} If there are both forms, or a name has two values.
 */
export function paramsOf(
  listed: readonly string[],
  named: readonly string[],
  asText: boolean,
): Params {
  const read = asText ? (text: string) => text : valueOf;
  if (named.length === 0) return listed.map(read);
  if (listed.length > 0) {
    throw new UsageError(
      "Cannot use --param beside values: a statement has names, or places in order",
    );
  }
  const values = new Map<string, Value>();
  for (const pair of named) {
    const at = pair.indexOf("=");
    const name = pair.slice(0, Math.max(at, 0)).replace(/^[:@$]/, "");
    if (name === "") throw new UsageError(`Cannot read --param ${pair}: write --param name=value`);
    if (values.has(name)) throw new UsageError(`Cannot use --param ${name} twice`);
    values.set(name, read(pair.slice(at + 1)));
  }
  return Object.fromEntries(values);
}
