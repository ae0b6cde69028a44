import { affinity, isDate } from "../../wire/affinity.ts";

/**
 * What a column holds by its declared type: `mixed` is text or a number, `any` whatever was put into it.
 */
export type ColumnKind =
  | "integer"
  | "real"
  | "numeric"
  | "text"
  | "blob"
  | "boolean"
  | "date"
  | "json"
  | "mixed"
  | "any";

/** Declared types for numbers, among those that SQLite knows nothing of. */
const NUMBERS = /^(?:numeric|decimal|dec|number|bool)\b/;

/** Text that looks like a number becomes one in columns of types that SQLite does not know, such as JSON and UUID. */
export function columnKind(type: string): ColumnKind {
  const declared = type.toLowerCase();
  // What makes JSONB makes bytes, and who writes text there gets text.
  if (declared === "" || declared === "any" || declared === "jsonb") return "any";
  if (declared === "boolean" || declared === "json") return declared;
  if (isDate(declared)) return "date";
  const preferred = affinity(declared);
  if (preferred !== "numeric" || NUMBERS.test(declared)) return preferred;
  return "mixed";
}
