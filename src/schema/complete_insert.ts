import { NotSupportedError } from "../errors.ts";
import { analyse, tokensOf } from "../sql/analyse.ts";
import { classify } from "../sql/classify.ts";
import { applyEdits, type Edit } from "../sql/edit.ts";
import { quotedName } from "../sql/quoting.ts";
import type { TokenView } from "../sql/token_view.ts";
import { CachePerSchema, type ColumnFacts, type Facts, type TableFacts } from "./facts.ts";
import {
  type Addition,
  type Additions,
  defaultValuesEdit,
  insertionEdits,
  sourceOf,
} from "./insert_edits.ts";
import { refuseVolatileCheck } from "./refuse_volatile.ts";
import { type InsertParts, insertParts } from "./statement_parts.ts";
import { updateEdits } from "./update_edits.ts";
import { frozenDefault, replacesNull } from "./volatile_default.ts";

const caches: CachePerSchema<string> = new CachePerSchema();

/**
 * An INSERT or REPLACE with the columns that it leaves to a default which each node would evaluate
 * for itself, and that default as the value, once for each row; `prepare` then turns it into a
 * literal. Where a NULL would become such a default, also by UPDATE, the value is put into
 * `coalesce`. Placeholders keep their numbers. Inserts into views and virtual tables stay as they
 * are.
 *
 * @returns The same text if there is nothing to do.
 * @throws {NotSupportedError} If no literal can stand in for the default, if each row of a SELECT
 * would need another, or if the table has a CHECK that each node would evaluate for itself.
 *
 * @example
 * ```ts ignore
 * completeInsert("INSERT INTO users(name) VALUES (?)", facts);
 * // "INSERT INTO users(name, \"created_at\") VALUES (?, CURRENT_TIMESTAMP)"
 * ```
 */
export function completeInsert(sql: string, facts: Facts): string {
  const cache = caches.of(facts);
  const known = cache.get(sql);
  if (known !== undefined) return known;
  const completed = complete(sql, facts);
  cache.set(sql, completed);
  return completed;
}

function complete(sql: string, facts: Facts): string {
  const analysis = analyse(sql);
  const { text, kind, statements, problem } = analysis;
  if (kind !== "write" || statements !== 1 || problem !== undefined) return sql;
  const view = tokensOf(analysis);
  if (!isBalanced(view)) return sql;
  const { verb, at } = classify(view);
  const edits = verb === "UPDATE"
    ? updateEdits(view, at, facts, sql)
    : verb === "DELETE"
    ? []
    : insertEdits(view, at, facts, sql);
  if (edits.length === 0) return sql;
  return applyEdits(text, edits, analysis.placeholders);
}

/** Whether each parenthesis has its counterpart. */
function isBalanced(view: TokenView): boolean {
  let depth = 0;
  for (let i = 0; i < view.tokens.length && depth >= 0; i++) {
    if (view.is(i, "(")) depth++;
    else if (view.is(i, ")")) depth--;
  }
  return depth === 0;
}

function insertEdits(view: TokenView, at: number, facts: Facts, sql: string): Edit[] {
  const parts = insertParts(view, at);
  const table = parts && tableOf(facts, parts, sql);
  if (parts === undefined || table === undefined) return [];
  if (view.isWord(parts.sourceAt, "DEFAULT")) {
    if (parts.columns !== undefined || !view.isWord(parts.sourceAt + 1, "VALUES")) return [];
    const missing = missingOf(table, []).map((column) => addition(table, column, sql));
    return missing.length === 0 ? [] : [defaultValuesEdit(view, parts, missing)];
  }
  if (!view.isOneOf(parts.sourceAt, ["VALUES", "SELECT", "WITH"])) return [];
  const source = sourceOf(view, parts);
  const wanted = additionsOf(table, parts, sql);
  const random = [...wanted.appended, ...wanted.instead.values()].find((one) => one.random);
  if (random !== undefined && source.rows === undefined && !source.single) {
    throw perRow(table, random, sql);
  }
  return insertionEdits(view, parts, source, wanted);
}

/** The table that is inserted into, if any default of it matters. */
function tableOf(
  facts: Facts,
  { schema, table }: InsertParts,
  sql: string,
): TableFacts | undefined {
  if (schema !== undefined && schema.toLowerCase() !== "main") return undefined;
  const found = facts.table(table);
  if (found?.kind !== "table") return undefined;
  refuseVolatileCheck(found, sql);
  return found.columns.some(({ volatileDefault }) => volatileDefault) ? found : undefined;
}

function additionsOf(table: TableFacts, parts: InsertParts, sql: string): Additions {
  const { columns, replace, or } = parts;
  const filled = columns ?? table.columns.filter(({ generated, hidden }) => !generated && !hidden)
    .map(({ name }) => name);
  const conflict = or ?? (replace ? "REPLACE" : undefined);
  const instead = new Map<number, Addition>();
  filled.forEach((name, position) => {
    const column = columnOf(table, name);
    if (column === undefined || !replacesNull(table, column, conflict)) return;
    instead.set(position, addition(table, column, sql));
  });
  const missing = columns === undefined ? [] : missingOf(table, columns);
  const appended = missing.map((column) => addition(table, column, sql));
  return { appended, instead, width: filled.length };
}

function columnOf({ columns }: TableFacts, name: string): ColumnFacts | undefined {
  const lower = name.toLowerCase();
  return columns.find((column) => column.name.toLowerCase() === lower);
}

function missingOf({ columns }: TableFacts, listed: readonly string[]): ColumnFacts[] {
  const known = new Set(listed.map((name) => name.toLowerCase()));
  return columns.filter(({ name, volatileDefault }) =>
    volatileDefault && !known.has(name.toLowerCase())
  );
}

function addition(table: TableFacts, column: ColumnFacts, sql: string): Addition {
  return { name: quotedName(column.name), ...frozenDefault(table, column, sql) };
}

function perRow(table: TableFacts, { name }: Addition, sql: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot insert what a SELECT finds into ${JSON.stringify(table.name)} as the random default ` +
      `of its column ${name} would be one more value for each row: read the rows first and insert ` +
      "them with VALUES, or give the values yourself",
    { sql },
  );
}
