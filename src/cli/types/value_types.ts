import type { IntegerMode } from "../../sql/value.ts";
import type { ColumnKind } from "./column_kind.ts";
import type { ColumnShape } from "./row_shape.ts";

/** Whether BOOLEAN columns answer true and false, or 1 and 0 as SQLite stores them. */
export type BooleanForm = "boolean" | "number";

/** The types of a column: as it is read, and as it may be written. */
export interface ValueTypes {
  /** What a read gives. */
  readonly read: string;
  /** What a write takes. */
  readonly written: string;
}

/** The types of a column. */
export function valueTypes(
  { kind, values, nullable }: ColumnShape,
  integers: IntegerMode,
  booleans: BooleanForm,
): ValueTypes {
  const end = nullable ? ["null"] : [];
  if (values !== undefined) {
    const union = [...values.map((value) => literalType(value, integers)), ...end].join(" | ");
    return { read: union, written: union };
  }
  const read = [...readTypes(kind, integers, booleans), ...end];
  return { read: unionOf(read), written: unionOf([...read, ...writtenTypes(kind, integers)]) };
}

/** A text or number as a type. */
export function literalType(value: string | number, integers: IntegerMode): string {
  if (typeof value === "string" || integers === "string") return JSON.stringify(String(value));
  return integers === "bigint" ? `${value}n` : String(value);
}

function readTypes(kind: ColumnKind, integers: IntegerMode, booleans: BooleanForm): string[] {
  const integer = integers === "auto" ? ["bigint", "number"] : [integers];
  switch (kind) {
    case "integer":
      return integer;
    case "real":
      return ["number"];
    case "numeric":
      return ["number", ...integer];
    case "text":
    case "date":
      return ["string"];
    case "blob":
      return ["Uint8Array"];
    case "boolean":
      return [booleans];
    case "json":
    case "mixed":
      return ["string", "number", ...integer];
    case "any":
      return ["string", "Uint8Array", "number", ...integer];
  }
}

/** What may be written besides what is read. */
function writtenTypes(kind: ColumnKind, integers: IntegerMode): string[] {
  switch (kind) {
    case "boolean":
      return ["boolean"];
    case "date":
      return ["Date"];
    case "integer":
    case "numeric":
      return integers === "number" ? [] : ["bigint", "number"];
    default:
      return [];
  }
}

const ORDER = ["boolean", "bigint", "number", "string", "Date", "Uint8Array", "null"];

function unionOf(types: readonly string[]): string {
  return ORDER.filter((type) => types.includes(type)).join(" | ");
}
