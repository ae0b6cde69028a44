import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import { type Keyset, keysetByRowid } from "../sql/keyset.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Row, Value } from "../sql/value.ts";
import { type Place, told } from "./error_stacks.ts";

/** A row with its columns in order. */
export type Cells = Value[];

/** What is read at a time. */
export interface Page<R = Row | Cells> {
  /** In the form that was asked for. */
  readonly rows: readonly R[];
  /** The key that the next page begins behind; `undefined` if there is none. */
  readonly after: string | undefined;
}

/**
 * How a statement is read page by page.
 *
 * @throws {ProgrammingError} If the statement cannot be paged.
 */
export function keysetOf({ analysis, sql }: Prepared, by: string | undefined): Keyset {
  if (analysis.kind !== "read") {
    const what = analysis.verb || "an empty statement";
    throw new ProgrammingError(`Cannot iterate over ${what} as it is not a SELECT`, {
      sql: analysis.source,
    });
  }
  const keyset = by === undefined ? keysetByRowid(sql) : { by, sql };
  if (keyset === undefined) throw notByRowid(analysis);
  return keyset;
}

/** The error for a statement whose rows have no rowid that could be told. */
export function notByRowid({ source }: Analysis): ProgrammingError {
  return new ProgrammingError(
    "Cannot iterate by rowid as this is not a plain SELECT from one table with rowids: " +
      "name a unique column with `by`",
    { sql: source },
  );
}

/** The rows of one page after another. @param read The page behind that key. */
export async function* rowsOf<R>(
  place: Place,
  read: (after: string | undefined) => Promise<Page<R>>,
): AsyncGenerator<R> {
  try {
    let after: string | undefined;
    do {
      const page = await read(after);
      after = page.after;
      for (const row of page.rows) yield row;
    } while (after !== undefined);
  } catch (error) {
    throw told(error, place);
  }
}
