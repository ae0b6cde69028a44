import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import { type Keyset, keysetByRowid } from "../sql/keyset.ts";
import type { Prepared } from "../sql/prepare.ts";

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
