/**
 * Tables and views as CTEs of their own name, in front of a read: without what nodes hold differently.
 *
 * @module
 */

import type { TableFacts } from "../schema/facts.ts";
import type { InlinedView } from "./read_findings.ts";
import { isTextSafe, kindOfColumn } from "./value_kind.ts";

/**
 * The table with a key in place of each local column: it says which row it is, so another row is another value.
 *
 * @param table One that has local columns.
 */
export function maskOf(table: TableFacts): string {
  const key = maskKey(table);
  const columns = table.columns.filter(({ hidden }) => !hidden).map(({ name }) => {
    const local = table.local.has(name.toLowerCase());
    return local ? `${key === undefined ? "NULL" : quoted(key)} AS ${quoted(name)}` : quoted(name);
  });
  const name = quoted(table.name);
  return `${name} AS NOT MATERIALIZED (SELECT ${columns.join()} FROM main.${name})`;
}

/** The shared column that stands in for the local ones. */
export function maskKey(table: TableFacts): string | undefined {
  const names = [table.rowid, ...table.key, ...table.uniques.flat()];
  const known = names.map((name) =>
    table.columns.find((column) => column.name.toLowerCase() === name?.toLowerCase())
  );
  // A key that may be a REAL could not be made text of, where the column it stands in for can.
  return known.find((column) =>
    column !== undefined && !table.local.has(column.name.toLowerCase()) &&
    isTextSafe(kindOfColumn(table, column))
  )?.name;
}

/** The view as it is, its time frozen. */
export function inlinedView({ facts, body }: InlinedView): string {
  const columns = facts.columns.map(({ name }) => quoted(name)).join();
  return `${quoted(facts.name)}(${columns}) AS NOT MATERIALIZED (${body})`;
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
