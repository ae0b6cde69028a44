import type { Cache } from "drizzle-orm/cache/core";
import type { WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind } from "drizzle-orm/entity";
import type { Logger } from "drizzle-orm/logger";
import { fillPlaceholders, type Query } from "drizzle-orm/sql/sql";
import {
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
  type SQLiteExecuteMethod,
  SQLitePreparedQuery,
} from "drizzle-orm/sqlite-core";
import type { Executor, Params, Result } from "@tangled/rqlite";
import {
  CELLS,
  cellsOf,
  type Follower,
  objectsOf,
  type RunResult,
  runResultOf,
} from "@tangled/rqlite/driver";
import { exactly } from "./numbers.ts";
import { joinsOf, mapRow, type QueryMetadata, withCache } from "./internals.ts";

/** What a query runs on: the client or one of its transactions. */
export interface QueryContext {
  /** Where it is sent. */
  readonly executor: Pick<Executor, "execute" | "batch">;
  /** Told of every query. */
  readonly logger: Logger;
  /** Asked and told by Drizzle; none inside a transaction, whose reads are its own. */
  readonly cache: Cache | undefined;
  /** The tables that a transaction has changed, for the cache. */
  readonly changed: Set<string> | undefined;
  /** Knows whether somebody waits for a statement. */
  readonly follower: Follower;
}

/** How the result of a query is read. */
export interface QueryShape {
  /** What was selected; undefined for raw SQL and relational queries. */
  readonly fields: SelectedFieldsOrdered | undefined;
  /** What `execute()` stands for. */
  readonly method: SQLiteExecuteMethod;
  /** Makes objects of the rows of a relational query. */
  readonly mapper: ((rows: unknown[][]) => unknown) | undefined;
  /** What it does to which tables. */
  readonly metadata: QueryMetadata | undefined;
  /** How it is cached. */
  readonly cacheConfig: WithCacheConfig | undefined;
}

/** A query of Drizzle, ready to be sent as often as one likes. */
export class RqlitePreparedQuery<T extends PreparedQueryConfig = PreparedQueryConfig>
  extends SQLitePreparedQuery<{
    type: "async";
    run: RunResult;
    all: T["all"];
    get: T["get"];
    values: T["values"];
    execute: T["execute"];
  }> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqlitePreparedQuery";
  readonly #context: QueryContext;
  readonly #shape: QueryShape;

  /** Sends nothing. */
  constructor(context: QueryContext, query: Query, shape: QueryShape) {
    super("async", shape.method, query, context.cache, shape.metadata, shape.cacheConfig);
    this.#context = context;
    const fields = shape.fields?.map(({ path, field }) => ({
      path,
      field: exactly(field, path.join("."), false),
    }));
    this.#shape = { ...shape, fields };
  }

  /** Runs it for its effect. */
  run(placeholders?: Record<string, unknown>): Promise<RunResult> {
    return this.#follow(() => this.#send(placeholders, runResultOf));
  }

  /** Every row. */
  all(placeholders?: Record<string, unknown>): Promise<T["all"]> {
    return this.#follow(() => this.#all(placeholders));
  }

  /** The first row, or undefined. */
  get(placeholders?: Record<string, unknown>): Promise<T["get"]> {
    return this.#follow(() => this.#get(placeholders));
  }

  /** Every row as an array. */
  values(placeholders?: Record<string, unknown>): Promise<T["values"]> {
    return this.#follow(() => this.#send(placeholders, cellsOf));
  }

  /** The result of `run()` from one of a batch. */
  override mapRunResult(result: unknown): unknown {
    return runResultOf(result as Result<unknown>);
  }

  /** The result of `all()` from one of a batch. */
  override mapAllResult(result: unknown): unknown {
    return this.#map(cellsOf(result as Result<unknown>));
  }

  /** The result of `get()` from one of a batch. */
  override mapGetResult(result: unknown): unknown {
    return this.#mapFirst(cellsOf(result as Result<unknown>));
  }

  /** Drizzle asks whether rows are arrays. */
  isResponseInArrayMode(): boolean {
    return !this.#raw;
  }

  /** Raw SQL: nobody says what the columns mean. */
  get #raw(): boolean {
    return this.#shape.fields === undefined && this.#shape.mapper === undefined;
  }

  #follow<R>(issue: () => Promise<R>): Promise<R> {
    return this.#context.follower.follow(issue);
  }

  async #all(placeholders: Record<string, unknown> | undefined): Promise<T["all"]> {
    if (this.#raw) return await this.#send(placeholders, objectsOf);
    return this.#map(await this.#send(placeholders, cellsOf));
  }

  async #get(placeholders: Record<string, unknown> | undefined): Promise<T["get"]> {
    if (this.#raw) return (await this.#send(placeholders, objectsOf))[0];
    return this.#mapFirst(await this.#send(placeholders, cellsOf));
  }

  async #send<R>(
    placeholders: Record<string, unknown> | undefined,
    read: (result: Result<unknown>) => R,
  ): Promise<R> {
    const { sql, params: given } = this.getQuery();
    const params = fillPlaceholders(given, placeholders ?? {});
    const { executor, logger, changed } = this.#context;
    logger.logQuery(sql, params);
    return await withCache(this, params, async () => {
      const result = await executor.execute<unknown>(sql, params as Params, CELLS);
      noteChange(this.#shape.metadata, changed);
      return read(result);
    });
  }

  #map(rows: unknown[][]): unknown {
    const { fields = [], mapper } = this.#shape;
    if (mapper !== undefined) return mapper(rows);
    const joins = joinsOf(this);
    return rows.map((row) => mapRow(fields, row, joins));
  }

  #mapFirst(rows: unknown[][]): unknown {
    const [row] = rows;
    if (row === undefined) return undefined;
    const mapped = this.#map([row]);
    // The mapper of a relational query for one row answers that row.
    return this.#shape.mapper === undefined ? (mapped as unknown[])[0] : mapped;
  }

  /** What the cache has to be told once a batch with this query was applied. */
  get changes(): readonly string[] {
    const { metadata } = this.#shape;
    return metadata === undefined || metadata.type === "select" ? [] : metadata.tables;
  }
}

function noteChange(metadata: QueryMetadata | undefined, changed: Set<string> | undefined): void {
  if (metadata === undefined || metadata.type === "select") return;
  for (const table of metadata.tables) changed?.add(table);
}
