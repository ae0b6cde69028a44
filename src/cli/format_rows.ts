import { Buffer } from "node:buffer";
import type { Result, Value } from "../sql/value.ts";
import { literal } from "../sql/quoting.ts";
import { harmless, padded, type Paint, width } from "./terminal.ts";

/** How rows are written: aligned columns, JSON, CSV, or a value to a line. */
export type Format = "table" | "json" | "csv" | "line";

/** Their names. */
export const FORMATS: readonly Format[] = ["table", "json", "csv", "line"];

/** A result whose rows are lists. */
export type Rows = Pick<Result<Value[]>, "columns" | "rows">;

/** Rows as text that ends in a line break. */
export function formatRows(rows: Rows, format: Format, paint: Paint): string {
  switch (format) {
    case "table":
      return asTable(rows, paint);
    case "json":
      return asJson(rows);
    case "csv":
      return asCsv(rows);
    case "line":
      return asLines(rows);
  }
}

/** Under their column names; numbers stand to the right. */
function asTable({ columns, rows }: Rows, paint: Paint): string {
  const cells = columns.map((name, i) => paddedColumn(name, rows.map((row) => row[i] ?? null)));
  const line = (texts: readonly string[]) => texts.join("  ").trimEnd();
  const head = paint.bold(line(cells.map(({ head }) => head)));
  const body = rows.map((row, i) =>
    line(row.map((value, j) => {
      const text = cells[j]?.texts[i] ?? "";
      return value === null ? paint.dim(text) : text;
    }))
  );
  return [head, ...body, paint.dim(counted(rows.length)), ""].join("\n");
}

/** The cells of a column and its name, all of one width. */
function paddedColumn(name: string, values: readonly Value[]): { head: string; texts: string[] } {
  const head = harmless(name);
  const texts = values.map(cellText);
  const most = texts.reduce((most, text) => Math.max(most, width(text)), width(head));
  const right = values.every((value) => isNumber(value) || value === null) &&
    values.some((value) => value !== null);
  const pad = (text: string) => padded(text, most, right);
  return { head: pad(head), texts: texts.map(pad) };
}

function isNumber(value: Value): boolean {
  return typeof value === "number" || typeof value === "bigint";
}

/** A value for a person, on one line. */
function cellText(value: Value): string {
  if (value === null) return "NULL";
  return value instanceof Uint8Array ? literal(value) : harmless(String(value));
}

/** As SQLite's shell does: a name to a line, an empty line behind each row. */
function asLines({ columns, rows }: Rows): string {
  const names = columns.map(harmless);
  const most = Math.max(0, ...names.map(width));
  const blocks = rows.map((row) =>
    row.map((value, i) => `${padded(names[i] ?? "", most, true)} = ${cellText(value)}\n`).join("")
  );
  return blocks.join("\n");
}

/** One object to a line, in a list. */
function asJson({ columns, rows }: Rows): string {
  const keys = distinct(columns).map((key) => JSON.stringify(key));
  const objects = rows.map((row) => `{${row.map((v, i) => `${keys[i]}:${json(v)}`).join(",")}}`);
  return objects.length === 0 ? "[]\n" : `[${objects.join(",\n")}]\n`;
}

/** An object keeps one of several equal names. */
function distinct(columns: readonly string[]): string[] {
  const seen = new Set<string>();
  return columns.map((column) => {
    let name = column;
    for (let i = 1; seen.has(name); i++) name = `${column}:${i}`;
    seen.add(name);
    return name;
  });
}

/** JSON whose integers have all their digits; a BLOB is an object, which no other value is. */
export function json(value: unknown): string {
  if (typeof value === "bigint") return String(value);
  if (value instanceof Uint8Array) return json({ base64: Buffer.from(value).toString("base64") });
  if (Array.isArray(value)) return `[${value.map(json).join(",")}]`;
  if (typeof value !== "object" || value === null) return JSON.stringify(value ?? null);
  const members = Object.entries(value).map(([key, one]) => `${JSON.stringify(key)}:${json(one)}`);
  return `{${members.join(",")}}`;
}

/** As RFC 4180 has it, where NULL is an empty field and an empty text a quoted one; so are a BLOB and a text like one. */
function asCsv({ columns, rows }: Rows): string {
  const line = (fields: readonly string[]) => `${fields.join(",")}\r\n`;
  return line(columns.map((name) => field(name))) + rows.map((row) => line(row.map(cell))).join("");
}

function cell(value: Value): string {
  if (value === null) return "";
  return value instanceof Uint8Array ? literal(value) : field(String(value), typeof value);
}

function field(text: string, type = "string"): string {
  const quoted = type === "string" &&
    (text === "" || /^x'.*'$/i.test(text) || /[",\r\n]|^\s|\s$/.test(text));
  return quoted ? `"${text.replaceAll('"', '""')}"` : text;
}

/** How many rows, in words; -1 where the answer was lost. */
export function counted(rows: number): string {
  if (rows < 0) return "an unknown number of rows";
  return `${rows} row${rows === 1 ? "" : "s"}`;
}
