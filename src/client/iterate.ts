import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import { type Keyed, keyedBy, keyedByRowid, pageOf } from "../sql/keyset.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result, Row, Value } from "../sql/value.ts";
import { rowBuilder } from "../wire/row.ts";
import type { IterateOptions } from "./client.ts";

/** Rows asked for at a time. */
export const DEFAULT_PAGE_SIZE = 1000;

/** A row with its columns in order. */
export type Cells = Value[];

/**
 * The key of a statement's rows.
 *
 * @throws {ProgrammingError} If the statement cannot be paged.
 * @throws {RangeError} If `pageSize` is not a positive integer.
 */
export function keyOf(
  { analysis, sql }: Prepared,
  { by, pageSize = DEFAULT_PAGE_SIZE }: IterateOptions,
): Keyed {
  if (!Number.isInteger(pageSize) || pageSize < 1) {
    throw new RangeError(
      `Cannot use \`pageSize\` as it must be a positive integer: current value is ${pageSize}`,
    );
  }
  if (analysis.kind !== "read") {
    const what = analysis.verb || "an empty statement";
    throw new ProgrammingError(`Cannot iterate over ${what} as it is not a SELECT`, {
      sql: analysis.source,
    });
  }
  const keyed = by === undefined ? keyedByRowid(sql) : keyedBy(sql, by);
  if (keyed === undefined) throw notByRowid(analysis);
  return keyed;
}

function notByRowid({ source }: Analysis): ProgrammingError {
  return new ProgrammingError(
    "Cannot iterate by rowid as this is not a plain SELECT from one table with rowids: " +
      "name a unique column with `by`",
    { sql: source },
  );
}

/** Only the node knows whether a name is that of a view or of a table WITHOUT ROWID. */
function withoutRowid(error: unknown, { hidden }: Keyed): boolean {
  return hidden > 1 && error instanceof ProgrammingError &&
    /^no such column: (.*\.)?rowid$/.test(error.message);
}

/** Reads the rows page by page; each page asks for one row more, to know whether another page follows. */
export async function* iterate(
  prepared: Prepared,
  keyed: Keyed,
  { pageSize, rows }: { pageSize: number; rows: "object" | "array" },
  read: (page: Prepared) => Promise<Result<Cells>>,
): AsyncGenerator<Row | Cells> {
  let after: string | undefined;
  do {
    const sql = pageOf(keyed, after, pageSize + 1);
    const page = await read({ ...prepared, sql }).catch((error: unknown) => {
      throw withoutRowid(error, keyed) ? notByRowid(prepared.analysis) : error;
    });
    const build = rows === "object"
      ? rowBuilder(page.columns.slice(0, -keyed.hidden))
      : (cells: Cells) => cells.slice(0, -keyed.hidden);
    after = page.rows.length > pageSize ? lastKey(page.rows, pageSize, prepared, keyed) : undefined;
    for (const cells of page.rows.slice(0, pageSize)) yield build(cells);
  } while (after !== undefined);
}

/** The key to go on from; one that the next row shares, or that has no order, would lose rows. */
function lastKey(
  rows: readonly Cells[],
  pageSize: number,
  { analysis }: Prepared,
  { key }: Keyed,
): string {
  const last = String(rows[pageSize - 1]!.at(-1));
  if (last !== "NULL" && last !== rows[pageSize]!.at(-1)) return last;
  throw new ProgrammingError(
    `Cannot iterate by ${key} as it is NULL or not unique: rows between two pages would be lost`,
    { sql: analysis.source },
  );
}
