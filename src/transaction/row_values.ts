// Reads of one row that are compared value by value: SQLite compiles that in a fraction of the time of a digest, and the
// read itself needs nothing beside it.

import { CachePerSchema, type Facts, type TableFacts } from "../schema/facts.ts";
import { ROWS } from "../reads/digest.ts";
import { tokensOf } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Value } from "../sql/value.ts";
import { affinity, isTextual } from "../wire/affinity.ts";
import { ODD } from "../wire/cell.ts";
import type { Table } from "./answer_reader.ts";
import { FAIL } from "./guard.ts";
import { rowRead } from "./row_access.ts";

/** A value of which an answer tells beyond doubt what is stored. */
type StoredValue = number | string | null;

/** The only row that was read. */
export type RowValues = readonly StoredValue[] | "none";

/** Longer texts, and rows of more columns, are compared by a digest, with its limits. */
const LONGEST_TEXT = 10_000;
const MOST_COLUMNS = 100;

/** SQLite takes 32,766 parameters, and each value is one. */
const MOST_PARAMS = 32_766 - MOST_COLUMNS;

const caches: CachePerSchema<TableFacts | false> = new CachePerSchema();

/**
 * The table that a read is about, if all answers so far were {@linkcode rowValuesOf} one row at most; `undefined` if it was not
 * read.
 */
export function tableOfRow({ sql }: Prepared, facts: Facts): TableFacts | false | undefined {
  return caches.of(facts).get(sql);
}

/** Takes an answer to a read. */
export function learnRowValues(read: Prepared, facts: Facts, values: RowValues | undefined): void {
  const cache = caches.of(facts);
  if (values === undefined) cache.set(read.sql, false);
  else if (cache.get(read.sql) === undefined) cache.set(read.sql, onlyTable(read, facts) ?? false);
}

/** The table of whose types its columns are, unless they have those of their values. */
function onlyTable(read: Prepared, facts: Facts): TableFacts | undefined {
  if (read.params.length > MOST_PARAMS) return undefined;
  const view = tokensOf(read.analysis);
  const compound = view.tokens.some((_, i) => view.isOneOf(i, ["UNION", "EXCEPT", "INTERSECT"]));
  return compound ? undefined : rowRead(read, view, facts)?.table;
}

/**
 * The values of the only row.
 *
 * @returns `undefined` where there are more rows, or it leaves a doubt what is stored.
 */
export function rowValuesOf({ rows, types }: Table): RowValues | undefined {
  const [row, second] = rows;
  if (row === undefined) return "none";
  if (second !== undefined || row.length > MOST_COLUMNS) return undefined;
  return row.every((value, i) => isCertain(value, types[i] ?? ""))
    ? row as readonly StoredValue[]
    : undefined;
}

function isCertain(value: Value, type: string): boolean {
  switch (affinity(type)) {
    case "integer":
      return value === null || Number.isSafeInteger(value);
    case "text":
      // Of odd text, and in a column of another type, an answer tells a BLOB from it, but the guard does not. A server
      // would take the last of these for bytes.
      return value === null || typeof value === "string" && isTextual(type) &&
          value.length <= LONGEST_TEXT && !ODD.test(value) && !value.includes("\ufffd") &&
          !/^x'/i.test(value);
  }
  return false;
}

/** Passes while a read answers the same row. @param columns How many it has. */
export function rowValuesGuard(read: Prepared, columns: number, values: RowValues): Prepared {
  const names = Array.from({ length: columns }, (_, i) => `c${i}`);
  const params = [...read.params];
  const same = values === "none" ? [] : values.map((value, i) => {
    if (value === null) return `${names[i]} IS NULL`;
    params.push(value);
    const [name, wanted] = [names[i], `?${params.length}`];
    // A BLOB in a column of text is told as text.
    return typeof value === "string"
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
