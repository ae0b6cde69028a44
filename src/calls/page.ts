import { ProgrammingError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import type { Keyset } from "../sql/keyset.ts";
import { HIDDEN_COLUMNS, pageOf } from "../sql/keyset_page.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result, Row } from "../sql/value.ts";
import { rowBuilder } from "../wire/rows.ts";
import { type Cells, notByRowid, type Page } from "./paging.ts";

/** Which page of what is read. */
export interface PageSpec {
  /** The statement that was given. */
  readonly prepared: Prepared;
  /** How it is cut into pages. */
  readonly keyset: Keyset;
  /** The key that the page begins behind; `undefined` for the first one. */
  readonly after: string | undefined;
  /** Rows of a page. */
  readonly pageSize: number;
  /** The form of the rows. */
  readonly rows: "object" | "array";
}

/** Reads one page; it asks for one row more, to know whether another page follows. */
export async function readPage(
  { prepared, keyset, after, pageSize, rows }: PageSpec,
  read: (page: Prepared) => Promise<Result<Cells>>,
): Promise<Page> {
  const overlap = after !== undefined && keyset.by !== undefined ? 1 : 0;
  const sql = pageOf(keyset, after, pageSize + 1 + overlap);
  const page = await read({ ...prepared, sql }).catch((error: unknown) => {
    if (!isMissing(error, keyset.by ?? "_rowid_")) throw error;
    throw keyset.by === undefined
      ? notByRowid(prepared.analysis)
      : notAColumn(prepared.analysis, keyset.by);
  });
  const fresh = page.rows.filter((cells) => !isSame(cells));
  const repeated = page.rows.filter(isSame);
  const ambiguous = repeated.length > 1 || repeated.some((cells) => keyOf(cells) !== after);
  const next = fresh.length > pageSize ? keyOf(fresh[pageSize - 1] ?? []) : undefined;
  if (ambiguous || next === "NULL") throw notUnique(prepared.analysis, keyset.by);
  const build: (cells: Cells) => Row | Cells = rows === "object"
    ? rowBuilder(page.columns.slice(0, -HIDDEN_COLUMNS))
    : (cells: Cells) => cells.slice(0, -HIDDEN_COLUMNS);
  return { rows: fresh.slice(0, pageSize).map(build), after: next };
}

function keyOf(cells: Cells): string {
  return String(cells.at(-2));
}

/** Whether the row is the last of the page before, or one that compares equal to it. */
function isSame(cells: Cells): boolean {
  return Number(cells.at(-1)) === 1;
}

/** Only the node knows whether a name is that of a column, of a view or of a table WITHOUT ROWID. */
function isMissing(error: unknown, column: string): boolean {
  if (!(error instanceof ProgrammingError)) return false;
  const [, missing] = /^no such column: (.*?)(?: at line \d+, column .*)?$/s.exec(error.message) ??
    [];
  return missing === column || (missing?.endsWith(`.${column}`) ?? false);
}

function notAColumn({ source }: Analysis, by: string): ProgrammingError {
  return new ProgrammingError(
    `Cannot iterate by "${by}" as the result has no such column: name one of it with \`by\``,
    { sql: source },
  );
}

/** Rowids are neither. */
function notUnique({ source }: Analysis, by: string | undefined): ProgrammingError {
  return new ProgrammingError(
    `Cannot iterate by "${by}" as it is NULL or not unique: rows between two pages would be lost`,
    { sql: source },
  );
}
