import { bindable, described, isRecord } from "./bindable.ts";
import { fragment, isFragment, place, type SqlFragment } from "./fragment.ts";
import { identifier } from "./quoting.ts";
import type { Param } from "./value.ts";

/** The type of {@linkcode sql}. */
export interface SqlTag {
  /**
   * Makes a fragment: values are bound, fragments are put in.
   *
   * @throws {TypeError} If it is called as a function.
   */
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
   * @throws {TypeError} If it is no array.
   * @throws {RangeError} On an empty list.
   */
  list(values: readonly (Param | SqlFragment)[]): SqlFragment;
  /**
   * Fragments one after the other.
   *
   * @param separator Trusted text between them. @default {", "}
   */
  join(fragments: readonly SqlFragment[], separator?: string): SqlFragment;
  /**
   * `("a", "b") VALUES (?, ?), (?, ?)` of one object or several with the same keys, in the order of the first one's. The
   * keys become columns: let them come from the program, not from a request. A value may be a fragment.
   *
   * @example
   * ```ts
   * import { sql } from "@tangled/rqlite";
   * const people = [{ name: "Ada", born: 1815 }, { name: "Grace", born: 1906 }];
   * sql`INSERT INTO people ${sql.insert(people)}`;
   * // { sql: 'INSERT INTO people ("name", "born") VALUES (?, ?), (?, ?)', params: ["Ada", 1815, "Grace", 1906] }
   * ```
   *
   * @throws {TypeError} On an empty list, an object without keys, unequal keys, `undefined` and what SQLite cannot store.
   * @throws {RangeError} If SQLite cannot store a value exactly.
   */
  insert<T extends object>(rows: T & ColumnRows<T>): SqlFragment;
  /**
   * `"a" = ?, "b" = ?` for UPDATE; keys and values as in `insert`.
   *
   * @example
   * ```ts
   * import { sql } from "@tangled/rqlite";
   * sql`UPDATE people SET ${sql.set({ name: "Ada", seen: sql`seen + 1` })} WHERE id = ${1}`;
   * // { sql: 'UPDATE people SET "name" = ?, "seen" = seen + 1 WHERE id = ?', params: ["Ada", 1] }
   * ```
   *
   * @throws {TypeError} On an object without keys, `undefined` and what SQLite cannot store.
   * @throws {RangeError} If SQLite cannot store a value exactly.
   */
  set<T extends object>(values: T & Columns<T>): SqlFragment;
  /** Text that is trusted as it is. */
  raw(text: string): SqlFragment;
}

/**
 * SQL with values in it, which are bound and never pasted. Fragments nest; put into a plain string they throw.
 *
 * @example
 * ```ts
 * import { sql } from "@tangled/rqlite";
 * const adults = sql`age >= ${18}`;
 * sql`SELECT * FROM ${sql.id("people")} WHERE ${adults} AND id IN (${sql.list([1, 2])})`;
 * // { sql: 'SELECT * FROM "people" WHERE age >= ? AND id IN (?, ?)', params: [18, 1, 2] }
 * ```
 */
export const sql: SqlTag = Object.assign(tag, {
  id,
  list,
  join,
  insert: insert as SqlTag["insert"],
  set,
  raw,
});

function tag(
  strings: TemplateStringsArray,
  ...values: (Param | SqlFragment)[]
): SqlFragment {
  if (!Array.isArray(strings) || !("raw" in strings)) {
    throw new TypeError(
      "Cannot call sql as a function: write sql`…`, or sql.raw(text) for text that is trusted",
    );
  }
  let text = strings[0] ?? "";
  const params: Param[] = [];
  values.forEach((value, i) => {
    text += place(value, params) + (strings[i + 1] ?? "");
  });
  return fragment(text, params);
}

function id(...parts: string[]): SqlFragment {
  if (parts.length === 0) throw new TypeError("Cannot quote an identifier without parts");
  return raw(parts.map(identifier).join("."));
}

function list(values: readonly (Param | SqlFragment)[]): SqlFragment {
  if (checkArray(values, "a list").length === 0) {
    throw new RangeError(
      "Cannot make a list of no values as SQL has no empty list: test for it first",
    );
  }
  const params: Param[] = [];
  const text = values.map((value) => place(value, params)).join(", ");
  return fragment(text, params);
}

function join(fragments: readonly SqlFragment[], separator = ", "): SqlFragment {
  const params: Param[] = [];
  const text = checkArray(fragments, "one fragment").map((fragment) => {
    if (isFragment(fragment)) return place(fragment, params);
    throw new TypeError("Cannot join what is not a fragment: wrap values with sql`${value}`");
  });
  return fragment(text.join(separator), params);
}

function raw(text: string): SqlFragment {
  if (typeof text !== "string") throw new TypeError("Cannot take anything but text as raw SQL");
  return fragment(text, []);
}

function checkArray<T>(values: readonly T[], what: string): readonly T[] {
  if (Array.isArray(values)) return values;
  throw new TypeError(`Cannot make ${what} of ${described(values)}: give an array`);
}

/** An object whose keys are columns; of an interface, too, which has no index signature. */
export type Columns<T> = { readonly [K in keyof T]: Param | SqlFragment };

/** One such object, or a list of them. */
export type ColumnRows<T> = T extends readonly (infer R)[] ? readonly Required<Columns<R>>[]
  : Columns<T>;

type AnyColumns = Readonly<Record<string, Param | SqlFragment>>;

/** `("a", "b") VALUES (?, ?)` of objects whose keys are columns. */
export function insert(rows: AnyColumns | readonly AnyColumns[]): SqlFragment {
  const list: readonly AnyColumns[] = Array.isArray(rows) ? rows : [rows];
  if (list.length === 0) {
    throw new TypeError("Cannot insert an empty list of rows: test for it first");
  }
  const keys = columnsOf(list[0], "insert");
  const params: Param[] = [];
  const values = list.map((row, i) => {
    checkKeys(row, i, keys);
    return `(${keys.map((key) => valueOf(row, key, params)).join(", ")})`;
  });
  return fragment(`(${keys.map(identifier).join(", ")}) VALUES ${values.join(", ")}`, params);
}

/** `"a" = ?, "b" = ?` of an object whose keys are columns. */
export function set(values: AnyColumns): SqlFragment {
  const params: Param[] = [];
  const parts = columnsOf(values, "set").map((key) =>
    `${identifier(key)} = ${valueOf(values, key, params)}`
  );
  return fragment(parts.join(", "), params);
}

function columnsOf(row: unknown, verb: string): string[] {
  if (!isRecord(row)) {
    throw new TypeError(`Cannot ${verb} ${described(row)}: give an object whose keys are columns`);
  }
  const keys = Object.keys(row);
  if (keys.length > 0) return keys;
  throw new TypeError(`Cannot ${verb} an object without keys: its keys are the columns`);
}

function checkKeys(row: unknown, index: number, keys: readonly string[]): void {
  const what = mismatch(columnsOf(row, "insert"), keys);
  if (what !== undefined) throw new TypeError(unlike(index, what));
}

/** How the keys of a row differ from those of another, in whatever order; `undefined` if they do not. */
export function mismatch(own: readonly string[], keys: readonly string[]): string | undefined {
  const others = new Set(own);
  const missing = keys.find((key) => !others.delete(key));
  const [other = missing] = others;
  if (other === undefined) return undefined;
  return missing === undefined ? `has ${other}, too` : `lacks ${missing}`;
}

/** What is wrong with a row. @param model What its keys should be those of. */
export function unlike(index: number, what: string, model = "the first"): string {
  return `Cannot insert row ${index} as it ${what}: give all rows the keys of ${model}, null for NULL`;
}

function valueOf(row: AnyColumns, key: string, params: Param[]): string {
  const value = row[key]!;
  if (!isFragment(value)) bindable(value, key);
  return place(value, params);
}
