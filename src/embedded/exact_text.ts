import { classify } from "../sql/classify.ts";
import type { Binding } from "./binding.ts";
import type { Connection, RowSet } from "./connection.ts";
import { decodeLossy, INVALID_BYTE } from "./go_text.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { Piece } from "./statement_text.ts";
import type { StoredValue } from "./values.ts";

/**
 * Reads again, as bytes, what a runtime cuts at a NUL character, as Deno does, and what may have lost bytes that are not
 * UTF-8. It helps reads only: what RETURNING gives can not be asked for twice.
 */
export function withExactTexts(
  connection: Connection,
  piece: Piece,
  binding: Binding,
  set: RowSet,
): RowSet {
  if (!isRead(piece)) return set;
  const texts = set.columns.map((_, i) => i).filter((i) => hasText(set, i));
  if (texts.length === 0) return set;
  try {
    const cut = connection.cutsTexts && hasNul(connection, piece, binding, set, texts);
    if (!cut && !mayHaveLost(set)) return set;
    return { ...set, rows: readExactly(connection, piece, binding, set) };
  } catch (error) {
    // Too many columns for a query around the query.
    if (error instanceof SqliteError && !error.busy) return set;
    throw error;
  }
}

function isRead({ view }: Piece): boolean {
  return classify(view).kind === "read";
}

function hasText({ rows }: RowSet, column: number): boolean {
  return rows.some((row) => typeof row[column] === "string");
}

function mayHaveLost({ rows }: RowSet): boolean {
  return rows.some((row) =>
    row.some((cell) => typeof cell === "string" && cell.includes("\ufffd"))
  );
}

function hasNul(
  connection: Connection,
  piece: Piece,
  binding: Binding,
  set: RowSet,
  texts: readonly number[],
): boolean {
  if (connection.column("PRAGMA encoding")[0] !== "UTF-8") return false;
  const tests = texts.map((i) => `typeof(c${i}) = 'text' AND instr(CAST(c${i} AS BLOB), x'00')`);
  const sql = `${around(piece, set)} SELECT 1 FROM "_rqlite_rows" WHERE ${
    tests.join(" OR ")
  } LIMIT 1`;
  return connection.rows(connection.prepare(sql), binding).rows.length > 0;
}

function readExactly(
  connection: Connection,
  piece: Piece,
  binding: Binding,
  set: RowSet,
): StoredValue[][] {
  const values = set.columns.map((_, i) =>
    `iif(typeof(c${i}) = 'text', CAST(c${i} AS BLOB), c${i})`
  );
  const types = set.columns.map((_, i) => `typeof(c${i})`);
  const sql = `${around(piece, set)} SELECT ${[...values, ...types].join()} FROM "_rqlite_rows"`;
  return connection.rows(connection.prepare(sql), binding).rows.map((row) =>
    row.slice(0, values.length).map((value, i) =>
      row[values.length + i] === "text" && value instanceof Uint8Array
        ? decodeLossy(value, INVALID_BYTE)
        : value
    )
  );
}

/** The read as a table `_rqlite_rows` with columns `c0`, `c1` and so on. */
function around({ view }: Piece, { columns }: RowSet): string {
  const read = view.between(0, view.tokens.length);
  return `WITH "_rqlite_rows"(${columns.map((_, i) => `c${i}`).join()}) AS (${read}\n)`;
}
