import type { Cache } from "drizzle-orm/cache/core";
import type { QueryMetadata, WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind } from "drizzle-orm/entity";
import type { Logger } from "drizzle-orm/logger";
import type { Query } from "drizzle-orm/sql";
import * as core from "drizzle-orm/sqlite-core";
import type { SQLiteAsyncPreparedQueryConfig, SQLiteExecuteMethod } from "drizzle-orm/sqlite-core";
import type { Executor, Params, Result } from "@tangled/rqlite";
import { CELLS, cellsOf, type Follower, objectsOf, runResultOf } from "@tangled/rqlite/driver";
import type { Mode } from "./internals.ts";

/** What a query runs on: the client or one of its transactions. */
export interface QueryContext {
  /** Where it is sent. */
  readonly executor: Pick<Executor, "execute" | "batch">;
  /** Told of every query. */
  readonly logger: Logger;
  /** Asked and told by Drizzle; none inside a transaction. */
  readonly cache: Cache | undefined;
  /** Whether errors show the parameters. */
  readonly paramsInErrors: boolean | undefined;
  /** The tables that a transaction has changed, for the cache. */
  readonly changed: Set<string> | undefined;
  /** Knows whether somebody waits for a statement. */
  readonly follower: Follower;
}

/** How the result of a query is read. */
export interface QueryShape {
  /** How its rows are wanted. */
  readonly mode: Mode;
  /** What `execute()` stands for. */
  readonly method: SQLiteExecuteMethod | undefined;
  /** Makes what the application gets of the rows. */
  readonly mapper: ((rows: unknown[]) => unknown) | undefined;
  /** What it does to which tables. */
  readonly metadata: QueryMetadata | undefined;
  /** How it is cached. */
  readonly cacheConfig: WithCacheConfig | undefined;
}

/** A query of Drizzle, ready to be sent as often as one likes. */
export class RqlitePreparedQuery
  extends core.SQLiteAsyncPreparedQuery<SQLiteAsyncPreparedQueryConfig & { type: "async" }> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqlitePreparedQuery";
  readonly #follower: Follower;

  /** Sends nothing. */
  constructor(context: QueryContext, query: Query, shape: QueryShape) {
    const { executor, logger, cache, paramsInErrors, changed, follower } = context;
    const { mode, method, mapper, metadata, cacheConfig } = shape;
    const send = async (params: unknown[]): Promise<Result<unknown>> => {
      const result = await executor.execute<unknown>(query.sql, params as Params, CELLS);
      if (changed !== undefined) { for (const table of changesOf(metadata)) changed.add(table); }
      return result;
    };
    const executors = {
      all: async (params: unknown[]) => rowsOf(await send(params), mode),
      get: async (params: unknown[]) => rowsOf(await send(params), mode)[0],
      run: async (params: unknown[]) => runResultOf(await send(params)),
    };
    super(
      "async",
      method,
      executors,
      query,
      mapper,
      mode,
      logger,
      cache,
      metadata,
      cacheConfig,
      paramsInErrors,
    );
    this.#follower = follower;
  }

  /** Runs it for its effect. */
  override run(placeholders?: Record<string, unknown>): Promise<unknown> {
    return this.#follow(() => super.run(placeholders));
  }

  /** Every row. */
  override all(placeholders?: Record<string, unknown>): Promise<unknown> {
    return this.#follow(() => super.all(placeholders));
  }

  /** The first row, or undefined. */
  override get(placeholders?: Record<string, unknown>): Promise<unknown> {
    return this.#follow(() => super.get(placeholders));
  }

  /** Every row as an array. */
  override values(placeholders?: Record<string, unknown>): Promise<unknown> {
    return this.#follow(() => super.values(placeholders));
  }

  #follow<T>(issue: () => Promise<T>): Promise<T> {
    return this.#follower.follow(issue);
  }
}

/** The rows of a result as a query wants them. */
export function rowsOf(result: Result<unknown>, mode: Mode): unknown[] {
  return mode === "arrays" ? cellsOf(result) : objectsOf(result);
}

/** The tables that a query changes. */
export function changesOf(metadata: QueryMetadata | undefined): string[] {
  return metadata === undefined || metadata.type === "select" ? [] : metadata.tables();
}
