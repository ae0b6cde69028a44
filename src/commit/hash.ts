import { sqlAndParams, type Statement } from "../sql/statement.ts";
import { bytesOf } from "../sql/quoting.ts";

/**
 * A hash of statements as their caller gave them: the texts before anything is replaced in them, and the values.
 *
 * @returns 64 hexadecimal digits.
 */
export async function hashOf(statements: readonly Statement[]): Promise<string> {
  const text = JSON.stringify(statements.map((statement) => {
    const { sql, params = [] } = sqlAndParams(statement);
    const values = Array.isArray(params)
      ? params.map(tagged)
      : Object.entries(params).map(([name, value]) => [name, tagged(value)]).sort(byName);
    return [sql, values];
  }));
  return await digestOf(text);
}

/** The SHA-256 of a text in UTF-8, as 64 hexadecimal digits. */
export async function digestOf(text: string): Promise<string> {
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text));
  return hex(new Uint8Array(digest));
}

/** A value by its type and its text: 1 and "1" differ. */
function tagged(value: unknown): readonly string[] {
  if (value instanceof Date) return ["date", value.toISOString()];
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return ["blob", hex(bytesOf(value))];
  }
  // SQLite stores 1 and 1n alike, and callers may change from one to the other.
  const integer = typeof value === "bigint" || Number.isInteger(value);
  return [integer ? "integer" : typeof value, Object.is(value, -0) ? "-0" : String(value)];
}

function byName(a: readonly unknown[], b: readonly unknown[]): number {
  return String(a[0]) < String(b[0]) ? -1 : 1;
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
