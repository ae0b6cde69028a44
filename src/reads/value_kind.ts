import type { ColumnFacts, TableFacts } from "../schema/facts.ts";
import { TokenView } from "../sql/token_view.ts";
import { affinity } from "../wire/affinity.ts";

/**
 * What is known of a value before it is computed: whether making text or a sum of it may come out differently between
 * versions of SQLite.
 *
 * - `null`: NULL only
 * - `integer`: an INTEGER
 * - `integral`: an INTEGER unless somebody stored something odd in a column that is made for them
 * - `text`: TEXT or a BLOB
 * - `stable`: any of these, never a REAL
 * - `any`: maybe a REAL
 *
 * and NULL in each of them.
 */
export type ValueKind = "null" | "integer" | "integral" | "text" | "stable" | "any";

/** What a value is that is one of two. */
export function either(a: ValueKind, b: ValueKind): ValueKind {
  if (a === b || b === "null") return a;
  if (a === "null") return b;
  const kinds = [a, b];
  if (kinds.includes("any")) return "any";
  if (kinds.includes("integral")) return kinds.includes("integer") ? "integral" : "any";
  return "stable";
}

/** Whether every SQLite makes the same text of it. */
export function isTextSafe(kind: ValueKind): boolean {
  return kind !== "any" && kind !== "integral";
}

/** Whether it is a number of which every SQLite makes the same sum. */
export function isCountable(kind: ValueKind): boolean {
  return kind === "integer" || kind === "integral" || kind === "null";
}

/** What a column of a table holds. */
export function kindOfColumn(table: TableFacts, column: ColumnFacts): ValueKind {
  if (table.kind === "virtual") return "any";
  if (column.name.toLowerCase() === table.rowid?.toLowerCase()) return "integer";
  const kind = affinity(column.type.toLowerCase());
  if (isStrict(table)) {
    if (kind === "integer") return "integer";
    return column.type.toUpperCase() === "TEXT" || kind === "blob" ? "text" : "any";
  }
  if (kind === "text") return "text";
  return kind === "integer" ? "integral" : "any";
}

function isStrict({ sql, kind }: TableFacts): boolean {
  if (kind !== "table") return false;
  const view = TokenView.of(sql);
  const end = view.tokens.findLastIndex((_, i) => view.is(i, ")"));
  return view.find("STRICT", end + 1) >= 0;
}

/** What a literal is; `undefined` where versions may read it as different numbers. */
export function kindOfLiteral(text: string): ValueKind | undefined {
  if (text.startsWith("'") || text.endsWith("'")) return "text";
  if (/^null$/i.test(text)) return "null";
  if (/^(true|false|0x[0-9a-f]{1,15})$/i.test(text)) return "integer";
  if (/^[0-9]{1,18}$/.test(text)) return "integer";
  // A number of up to 15 digits is one division of two numbers that are exact.
  return /^(?=[0-9.]{1,16}$)[0-9]*\.[0-9]*$/.test(text) ? "any" : undefined;
}

/** What a parameter is. */
export function kindOfParam(value: unknown): ValueKind {
  if (value === null) return "null";
  if (typeof value === "bigint" || typeof value === "boolean") return "integer";
  if (typeof value === "string") return "text";
  return typeof value === "number" && Number.isSafeInteger(value) ? "integer" : "any";
}
