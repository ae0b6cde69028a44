import {
  type Check,
  type Checks,
  isBoolean,
  isSignal,
  isText,
  isTimeout,
  numeric,
  oneOf,
  refusing,
} from "../options.ts";
import { described } from "../sql/bindable.ts";
import type { BatchOptions, CallOptions, ExecuteOptions, QueryOptions } from "./executor.ts";

/** One of rqlite's read levels. */
export const isLevel: Check = oneOf("none", "weak", "linearizable", "strong", "auto");

/** A form of rows. */
export const isRows: Check = oneOf("object", "array");

/** The name of a write. */
const isId: Check = (id, name) => {
  isText(id, name);
  const { length } = id as string;
  if (length > 0 && length <= 200) return;
  throw new RangeError(
    `Cannot use \`id\` as it must have 1 to 200 characters: current length is ${length}`,
  );
};

/** What `outcome` takes: an error may name several ids of the client's own, which is longer than one of the caller's. */
export const isAsked: Check = (id, name) => {
  isText(id, name);
  if (!/^(\d+\.[\da-f-]{36},?)+$/.test(id as string)) isId(id, name);
};

/** How each of {@linkcode CallOptions} is checked. */
export const CALL: Checks<CallOptions> = {
  signal: isSignal,
  timeout: isTimeout,
  integers: oneOf("number", "bigint", "string", "auto"),
  coalesce: isBoolean,
};

/** How each of {@linkcode QueryOptions} is checked. */
export const QUERY: Checks<QueryOptions> = {
  ...CALL,
  level: isLevel,
  freshness: numeric("a number of milliseconds from 0 on", (n) => n >= 0 && n !== Infinity),
  freshnessStrict: isBoolean,
  rows: isRows,
};

/** What reads one value: rows have no form there. */
export const NO_ROWS: { readonly rows: Check } = {
  rows: refusing("here, as one value is answered, not rows: leave it out"),
};

/** How each of {@linkcode QueryOptions} is checked where one value is read. */
export const VALUE: Checks<QueryOptions> = { ...QUERY, ...NO_ROWS };

/** How each of {@linkcode ExecuteOptions} is checked. */
export const EXECUTE: Checks<ExecuteOptions> = {
  ...CALL,
  rows: isRows,
  id: isId,
  exactlyOnce: isBoolean,
};

/** How each of {@linkcode BatchOptions} is checked. */
export const BATCH: Checks<BatchOptions> = { ...QUERY, ...EXECUTE, atomic: isBoolean };

/** How each of {@linkcode CallOptions} is checked where no rows are read. */
export const ASK: Checks<CallOptions> = {
  ...CALL,
  integers: refusing("here, as no column is read: leave it out"),
};

/**
 * Checks the function that a caller has to give.
 *
 * @param call How it is given, for the message.
 * @throws {TypeError} If it is none.
 */
export function checkFunction(fn: unknown, call: string): void {
  if (typeof fn === "function") return;
  throw new TypeError(`Cannot use \`fn\` as it is ${described(fn)}: write ${call}`);
}
