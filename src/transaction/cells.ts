/**
 * Reads of one row that are compared value by value: SQLite compiles that in a fraction of the time of a digest, and the
 * read itself needs nothing beside it.
 *
 * @module
 */

import { CachePerSchema, type Facts, type TableFacts } from "../schema/facts.ts";
import { ROWS } from "../reads/digest.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Value } from "../sql/value.ts";
import { affinity, isTextual } from "../wire/affinity.ts";
import { ODD } from "../wire/cell.ts";
import type { Table } from "./cursor.ts";
import { FAIL } from "./guard.ts";
import { rowRead } from "./row_form.ts";
import { viewOf } from "./told.ts";

/** A value of which an answer tells beyond doubt what is stored. */
type PlainCell = number | string | null;

/** The only row that was read. */
export type Cells = readonly PlainCell[] | "none";

/** Longer texts, and rows of more columns, are compared by a digest, with its limits. */
const LONGEST_CELL = 10_000;
const MOST_CELLS = 100;

/** SQLite takes 32,766 parameters, and each cell is one. */
const MOST_PARAMS = 32_766 - MOST_CELLS;

const caches: CachePerSchema<TableFacts | false> = new CachePerSchema();

/**
 * The table that a read is about, if all answers so far were {@linkcode cellsOf} one row at most; `undefined` if it was not
 * read.
 */
export function tableOfCells({ sql }: Prepared, facts: Facts): TableFacts | false | undefined {
  return caches.of(facts).get(sql);
}

/** Takes an answer to a read. */
export function learnCells(read: Prepared, facts: Facts, cells: Cells | undefined): void {
  const cache = caches.of(facts);
  if (cells === undefined) cache.set(read.sql, false);
  else if (cache.get(read.sql) === undefined) cache.set(read.sql, onlyTable(read, facts) ?? false);
}

/** The table of whose types its columns are, unless they have those of their values. */
function onlyTable(read: Prepared, facts: Facts): TableFacts | undefined {
  if (read.params.length > MOST_PARAMS) return undefined;
  const view = viewOf(read);
  const compound = view.tokens.some((_, i) => view.isOneOf(i, ["UNION", "EXCEPT", "INTERSECT"]));
  return compound ? undefined : rowRead(read, view, facts)?.table;
}

/**
 * The cells of the only row.
 *
 * @returns `undefined` where there are more rows, or it leaves a doubt what is stored.
 */
export function cellsOf({ rows, types }: Table): Cells | undefined {
  const [row, second] = rows;
  if (row === undefined) return "none";
  if (second !== undefined || row.length > MOST_CELLS) return undefined;
  return row.every((cell, i) => isPlain(cell, types[i]!)) ? row as readonly PlainCell[] : undefined;
}

function isPlain(cell: Value, type: string): boolean {
  switch (affinity(type)) {
    case "integer":
      return cell === null || Number.isSafeInteger(cell);
    case "text":
      // Of odd text, and in a column of another type, an answer tells a BLOB from it, but the guard does not. A server
      // would take the last of these for bytes.
      return cell === null || typeof cell === "string" && isTextual(type) &&
          cell.length <= LONGEST_CELL && !ODD.test(cell) && !cell.includes("\ufffd") &&
          !/^x'/i.test(cell);
  }
  return false;
}

/** Passes while a read answers the same row. @param columns How many it has. */
export function cellsGuard(read: Prepared, columns: number, cells: Cells): Prepared {
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const params = [...read.params];
  const same = cells === "none" ? [] : cells.map((cell, i) => {
    if (cell === null) return `${names[i]} IS NULL`;
    params.push(cell);
    const [name, wanted] = [names[i], `?${params.length}`];
    // A BLOB in a column of text is told as text.
    return typeof cell === "string"
      ? `(${name} COLLATE BINARY IS ${wanted} OR ${name} IS CAST(${wanted} AS BLOB))`
      : `typeof(${name}) = 'integer' AND ${name} IS ${wanted}`;
  });
  const condition = same.length === 0
    ? "count(*) = 0"
    : `count(*) = 1 AND min(${same.join(" AND ")})`;
  const sql = `WITH ${ROWS}(${names.join()}) AS (${read.sql}) ` +
    `SELECT CASE WHEN (SELECT ${condition} FROM ${ROWS}) THEN 1 ELSE ${FAIL} END`;
  return { ...read, sql, params };
}
