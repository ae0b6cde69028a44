import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import { HIDDEN_COLUMNS, type Keyset, keysetBy, keysetByRowid } from "../sql/keyset.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result, Row, Value } from "../sql/value.ts";
import { rowBuilder } from "../wire/row.ts";
import { type Place, told } from "./caller.ts";
import type { IterateOptions } from "./client.ts";

/** Rows asked for at a time. */
export const DEFAULT_PAGE_SIZE = 1000;

/** A row with its columns in order. */
export type Cells = Value[];

/**
 * How a statement is read page by page.
 *
 * @throws {ProgrammingError} If the statement cannot be paged.
 */
export function keysetOf(
  { analysis, sql }: Prepared,
  { by }: Pick<IterateOptions, "by">,
): Keyset {
  if (analysis.kind !== "read") {
    const what = analysis.verb || "an empty statement";
    throw new ProgrammingError(`Cannot iterate over ${what} as it is not a SELECT`, {
      sql: analysis.source,
    });
  }
  const keyset = by === undefined ? keysetByRowid(sql) : keysetBy(sql, by);
  if (keyset === undefined) throw notByRowid(analysis);
  return keyset;
}

function notByRowid({ source }: Analysis): ProgrammingError {
  return new ProgrammingError(
    "Cannot iterate by rowid as this is not a plain SELECT from one table with rowids: " +
      "name a unique column with `by`",
    { sql: source },
  );
}

function notAColumn({ source }: Analysis, { name }: Keyset): ProgrammingError {
  return new ProgrammingError(
    `Cannot iterate by ${name} as the result has no such column: name one of it with \`by\``,
    { sql: source },
  );
}

/** Only the node knows whether a name is that of a column, of a view or of a table WITHOUT ROWID. */
function isMissing(error: unknown, column: string): boolean {
  if (!(error instanceof ProgrammingError)) return false;
  const [, missing] = /^no such column: (.*?)(?: at line \d+, column .*)?$/s.exec(error.message) ??
    [];
  return missing === column || (missing?.endsWith(`.${column}`) ?? false);
}

/**
 * Reads the rows page by page; each page asks for one row more, to know whether another page follows.
 *
 * @param place Where it was asked for.
 */
export async function* iterate(
  prepared: Prepared,
  keyset: Keyset,
  { pageSize, rows, place }: { pageSize: number; rows: "object" | "array"; place: Place },
  read: (page: Prepared) => Promise<Result<Cells>>,
): AsyncGenerator<Row | Cells> {
  try {
    let after: string | undefined;
    do {
      const overlap = after !== undefined && keyset.overlaps ? 1 : 0;
      const sql = keyset.page(after, pageSize + 1 + overlap);
      const page = await read({ ...prepared, sql }).catch((error: unknown) => {
        if (!isMissing(error, keyset.column)) throw error;
        throw keyset.overlaps
          ? notAColumn(prepared.analysis, keyset)
          : notByRowid(prepared.analysis);
      });
      const fresh = page.rows.filter((cells) => !isSame(cells));
      const repeated = page.rows.filter(isSame);
      const ambiguous = repeated.length > 1 || repeated.some((cells) => keyOf(cells) !== after);
      after = fresh.length > pageSize ? keyOf(fresh[pageSize - 1]!) : undefined;
      if (ambiguous || after === "NULL") throw notUnique(prepared.analysis, keyset);
      const build = rows === "object"
        ? rowBuilder(page.columns.slice(0, -HIDDEN_COLUMNS))
        : (cells: Cells) => cells.slice(0, -HIDDEN_COLUMNS);
      for (const cells of fresh.slice(0, pageSize)) yield build(cells);
    } while (after !== undefined);
  } catch (error) {
    throw told(error, place);
  }
}

function keyOf(cells: Cells): string {
  return String(cells.at(-2));
}

/** Whether the row is the last of the page before, or one that compares equal to it. */
function isSame(cells: Cells): boolean {
  return Number(cells.at(-1)) === 1;
}

function notUnique({ source }: Analysis, { name }: Keyset): ProgrammingError {
  return new ProgrammingError(
    `Cannot iterate by ${name} as it is NULL or not unique: rows between two pages would be lost`,
    { sql: source },
  );
}
