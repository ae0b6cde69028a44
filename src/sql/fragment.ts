import type { Param } from "./value.ts";

/** SQL text with its bound values, made by `sql`; nestable, so fragments compose. */
export interface SqlFragment {
  /** The text, with a `?` for each value. */
  readonly sql: string;
  /** The values, in the order of the placeholders. */
  readonly params: readonly Param[];
}

/** Whether a value is a fragment: anything with a text and a list of values. */
export function isFragment(value: unknown): value is SqlFragment {
  return typeof value === "object" && value !== null && "sql" in value && "params" in value &&
    typeof value.sql === "string" && Array.isArray(value.params);
}

/** Keeps a fragment from becoming "[object Object]" in a text. It stays a plain object to whoever compares or clones it. */
const REFUSAL: PropertyDescriptorMap = {
  [Symbol.toPrimitive]: { value: refuseText },
  toString: { value: refuseText },
};

/** Makes a fragment. */
export function fragment(sql: string, params: readonly Param[]): SqlFragment {
  return Object.defineProperties({ sql, params }, REFUSAL);
}

/** The text of a value or fragment; its values are added to `params`. */
export function place(value: Param | SqlFragment, params: Param[]): string {
  if (!isFragment(value)) {
    params.push(value);
    return "?";
  }
  // One by one: spreading a long list overflows the stack.
  for (const param of value.params) params.push(param);
  return value.sql;
}

function refuseText(): never {
  throw new TypeError(
    "Cannot put a fragment into a plain string as its values would be lost: write sql`…` around it, too",
  );
}
