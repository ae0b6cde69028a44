// What every driver of Drizzle uses and its types leave out: the casts for it are here and nowhere else.

import type { CasingCache } from "drizzle-orm/casing";
import type { DriverValueDecoder, Query, SQL } from "drizzle-orm/sql/sql";
import type {
  PreparedQueryConfig,
  SelectedFieldsOrdered,
  SQLiteAsyncDialect,
  SQLitePreparedQuery,
} from "drizzle-orm/sqlite-core";
import * as utils from "drizzle-orm/utils";

/** Which tables of a join always have a row. */
export type JoinsNotNullable = Record<string, boolean> | undefined;

/** What a query does to which tables, for the cache. */
export interface QueryMetadata {
  /** The kind of query. */
  type: "select" | "update" | "delete" | "insert";
  /** The tables that it names. */
  tables: string[];
}

/** Makes an object of the cells of a row, in the order of the selected fields. */
export function mapRow(
  fields: SelectedFieldsOrdered,
  row: unknown[],
  joinsNotNullable: JoinsNotNullable,
): unknown {
  const { mapResultRow } = utils as unknown as {
    mapResultRow(
      fields: SelectedFieldsOrdered,
      row: unknown[],
      joinsNotNullable: JoinsNotNullable,
    ): unknown;
  };
  return mapResultRow(fields, row, joinsNotNullable);
}

/** What Drizzle's query builder found out about the joins of a query. */
export function joinsOf(query: SQLitePreparedQuery<PreparedQueryConfig>): JoinsNotNullable {
  return (query as unknown as { joinsNotNullableMap: JoinsNotNullable }).joinsNotNullableMap;
}

/** Runs a query through Drizzle's cache, and wraps its error into a `DrizzleQueryError`. */
export function withCache<T>(
  query: SQLitePreparedQuery<PreparedQueryConfig>,
  params: unknown[],
  run: () => Promise<T>,
): Promise<T> {
  const { queryWithCache } = query as unknown as {
    queryWithCache(sql: string, params: unknown[], run: () => Promise<T>): Promise<T>;
  };
  return queryWithCache.call(query, query.getQuery().sql, params, run);
}

/** What reads the cells of an expression. */
export function decoderOf(expression: SQL): DriverValueDecoder<unknown, unknown> {
  return (expression as unknown as { decoder: DriverValueDecoder<unknown, unknown> }).decoder;
}

/** Lets a dialect ask for the names of columns. */
export function setCasing(dialect: SQLiteAsyncDialect, casing: CasingCache): void {
  (dialect as unknown as { casing: CasingCache }).casing = casing;
}

/** A query of a batch, ready to be sent. */
export interface BatchQuery {
  /** Its text and parameters. */
  getQuery(): Query;
  /** Reads its result; `true` says that it is one of a batch. */
  mapResult(result: unknown, isFromBatch: true): unknown;
}
