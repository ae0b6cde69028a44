import { bindable, described, isRecord } from "./bindable.ts";
import { fragment, isFragment, place, type SqlFragment } from "./fragment.ts";
import { identifier } from "./quoting.ts";
import type { Param } from "./value.ts";

// SQL of objects: columns and values.

/** An object whose keys are columns; of an interface, too, which has no index signature. */
export type Columns<T> = { readonly [K in keyof T]: Param | SqlFragment };

/** One such object, or a list of them. */
export type ColumnRows<T> = T extends readonly (infer R)[] ? readonly Required<Columns<R>>[]
  : Columns<T>;

type AnyColumns = Readonly<Record<string, Param | SqlFragment>>;

/** See `sql.insert`. */
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

/** See `sql.set`. */
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
