import { isFragment } from "./form.ts";
import type { SqlFragment } from "./statement.ts";
import type { Param } from "./value.ts";

/** The type of {@linkcode sql}. */
export interface SqlTag {
  /** Makes a fragment: values are bound, fragments are put in. */
  (strings: TemplateStringsArray, ...values: (Param | SqlFragment)[]): SqlFragment;
  /**
   * A quoted identifier; several parts are joined by dots.
   *
   * @throws {TypeError} If there is no part, or one is empty or not text.
   * @throws {RangeError} If a part holds a character that no identifier can.
   */
  id(...parts: string[]): SqlFragment;
  /**
   * `?, ?, ?` for IN lists and VALUES.
   *
   * @throws {RangeError} On an empty list.
   */
  list(values: readonly (Param | SqlFragment)[]): SqlFragment;
  /**
   * Fragments one after the other.
   *
   * @param separator Trusted text between them. @default {", "}
   */
  join(fragments: readonly SqlFragment[], separator?: string): SqlFragment;
  /** Text that is trusted as it is. */
  raw(text: string): SqlFragment;
}

/**
 * SQL with values in it, which are bound and never pasted. Fragments nest.
 *
 * @example
 * ```ts
 * import { sql } from "@tangled/rqlite";
 * const adults = sql`age >= ${18}`;
 * sql`SELECT * FROM ${sql.id("people")} WHERE ${adults} AND id IN (${sql.list([1, 2])})`;
 * // { sql: 'SELECT * FROM "people" WHERE age >= ? AND id IN (?, ?)', params: [18, 1, 2] }
 * ```
 */
export const sql: SqlTag = Object.assign(tag, { id, list, join, raw });

function tag(
  strings: TemplateStringsArray,
  ...values: (Param | SqlFragment)[]
): SqlFragment {
  let text = strings[0] ?? "";
  const params: Param[] = [];
  for (let i = 0; i < values.length; i++) {
    text += place(values[i]!, params) + strings[i + 1]!;
  }
  return { sql: text, params };
}

function id(...parts: string[]): SqlFragment {
  if (parts.length === 0) throw new TypeError("Cannot quote an identifier without parts");
  return raw(parts.map(quoted).join("."));
}

function list(values: readonly (Param | SqlFragment)[]): SqlFragment {
  if (values.length === 0) {
    throw new RangeError(
      "Cannot make a list of no values as SQL has no empty list: test for it first",
    );
  }
  const params: Param[] = [];
  const text = values.map((value) => place(value, params)).join(", ");
  return { sql: text, params };
}

function join(fragments: readonly SqlFragment[], separator = ", "): SqlFragment {
  const params: Param[] = [];
  const text = fragments.map((fragment) => {
    if (isFragment(fragment)) return place(fragment, params);
    throw new TypeError("Cannot join what is not a fragment: wrap values with sql`${value}`");
  });
  return { sql: text.join(separator), params };
}

function raw(text: string): SqlFragment {
  if (typeof text !== "string") throw new TypeError("Cannot take anything but text as raw SQL");
  return { sql: text, params: [] };
}

/** The text of a value or fragment; its values are added to `params`. */
function place(value: Param | SqlFragment, params: Param[]): string {
  if (!isFragment(value)) {
    params.push(value);
    return "?";
  }
  // One by one: spreading a long list overflows the stack.
  for (const param of value.params) params.push(param);
  return value.sql;
}

function quoted(part: string): string {
  if (typeof part !== "string" || part === "") {
    throw new TypeError("Cannot quote an identifier as each part must be text that is not empty");
  }
  if (part.includes("\0") || !part.isWellFormed()) {
    throw new RangeError("Cannot quote an identifier that holds a NUL or half of a surrogate pair");
  }
  return `"${part.replaceAll('"', '""')}"`;
}
