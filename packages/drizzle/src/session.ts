import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { Cache } from "drizzle-orm/cache/core";
import type { WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind, is } from "drizzle-orm/entity";
import type { Logger } from "drizzle-orm/logger";
import type { RelationalSchemaConfig, TablesRelationalConfig } from "drizzle-orm/relations";
import { fillPlaceholders, type Query } from "drizzle-orm/sql/sql";
import {
  type PreparedQueryConfig,
  type SelectedFieldsOrdered,
  type SQLiteAsyncDialect,
  type SQLiteExecuteMethod,
  SQLiteSession,
} from "drizzle-orm/sqlite-core";
import type { Result, Transaction } from "@tangled/rqlite";
import {
  type BatchReader,
  cellsOf,
  type Issued,
  objectsOf,
  Passing,
  type RqliteClient,
  type RqliteTransactionConfig,
  runBatch,
  runIssuing,
  type RunResult,
  runResultOf,
  runTransaction,
} from "@tangled/rqlite/driver";
import type { BatchQuery, QueryMetadata } from "./internals.ts";
import { type QueryContext, RqlitePreparedQuery } from "./prepared_query.ts";
import { RqliteTransaction } from "./transaction.ts";

/** What a session is made of. */
export interface SessionParts<TSchema extends TablesRelationalConfig> {
  /** What makes SQL of queries. */
  readonly dialect: SQLiteAsyncDialect;
  /** The tables and relations of `db.query`. */
  readonly schema: RelationalSchemaConfig<TSchema> | undefined;
  /** Told of every query. */
  readonly logger: Logger;
  /** Drizzle's cache, if there is one. */
  readonly cache: Cache | undefined;
}

/** How this version of Drizzle has the queries of a batch. */
const BATCH: BatchReader<BatchQuery> = {
  fill: (params) => fillPlaceholders(params, {}),
  changes: (query) => is(query, RqlitePreparedQuery) ? query.changes : [],
  answer: (query, result) => query.mapResult(result, true),
};

/** Runs the queries of Drizzle on a client, or on one transaction. */
export class RqliteSession<
  TFullSchema extends Record<string, unknown>,
  TSchema extends TablesRelationalConfig,
> extends SQLiteSession<"async", RunResult, TFullSchema, TSchema> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteSession";
  readonly #parts: SessionParts<TSchema>;
  readonly #client: RqliteClient;
  readonly #passing: Passing;
  readonly #context: QueryContext;

  /**
   * Sends nothing.
   *
   * @param tx Where the queries run, if not on the client.
   * @param changed Collects the tables that the transaction changes.
   * @param issued Follows the statements of the transaction.
   */
  constructor(
    client: RqliteClient,
    parts: SessionParts<TSchema>,
    tx?: Transaction,
    changed?: Set<string>,
    issued?: Issued,
  ) {
    super(parts.dialect);
    this.#parts = parts;
    this.#client = client;
    this.#passing = new Passing(client);
    this.#context = {
      executor: tx ?? this.#passing.client,
      logger: parts.logger,
      cache: tx === undefined ? parts.cache : undefined,
      changed,
      follower: issued ?? this.#passing,
    };
  }

  /** Runs a function as a nested transaction. */
  nest<T>(
    tx: Transaction,
    fn: (session: RqliteSession<TFullSchema, TSchema>, tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const { changed, follower } = this.#context;
    return follower.follow(() => tx.transaction((inner) => this.#within(inner, changed, fn)));
  }

  #within<T>(
    tx: Transaction,
    changed: Set<string> | undefined,
    fn: (session: RqliteSession<TFullSchema, TSchema>, tx: Transaction) => Promise<T>,
  ): Promise<T> {
    return runIssuing((issued) =>
      fn(
        new RqliteSession<TFullSchema, TSchema>(this.#client, this.#parts, tx, changed, issued),
        tx,
      )
    );
  }

  /** Makes a query ready; called by Drizzle's query builder. */
  override prepareQuery<T extends PreparedQueryConfig = PreparedQueryConfig>(
    query: Query,
    fields: SelectedFieldsOrdered | undefined,
    method: SQLiteExecuteMethod,
    _isResponseInArrayMode: boolean,
    mapper?: (rows: unknown[][]) => unknown,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): RqlitePreparedQuery<T> {
    return new RqlitePreparedQuery(this.#context, query, {
      fields,
      method,
      mapper,
      metadata,
      cacheConfig,
    });
  }

  /** Runs all queries as one unit, in as few requests as possible. */
  batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    items: T,
  ): Promise<BatchResponse<T>> {
    const { executor, logger, changed, follower } = this.#context;
    const { cache } = this.#parts;
    return follower.follow(() =>
      runBatch({ executor, logger, cache, changed }, items, BATCH) as Promise<BatchResponse<T>>
    );
  }

  /** Runs a function as one transaction. */
  override transaction<T>(
    fn: (tx: RqliteTransaction<TFullSchema, TSchema>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    const { cache, dialect, schema } = this.#parts;
    return runTransaction(
      this.#passing,
      config,
      cache,
      (tx, changed) =>
        this.#within(
          tx,
          changed,
          (session) => fn(new RqliteTransaction(tx, dialect, session, schema)),
        ),
    );
  }

  /** The result of `db.run(sql)` from one of a batch. */
  extractRawRunValueFromBatchResult(result: unknown): unknown {
    return runResultOf(result as Result<unknown>);
  }

  /** The result of `db.all(sql)` from one of a batch. */
  extractRawAllValueFromBatchResult(result: unknown): unknown {
    return objectsOf(result as Result<unknown>);
  }

  /** The result of `db.get(sql)` from one of a batch. */
  extractRawGetValueFromBatchResult(result: unknown): unknown {
    return objectsOf(result as Result<unknown>)[0];
  }

  /** The result of `db.values(sql)` from one of a batch. */
  extractRawValuesValueFromBatchResult(result: unknown): unknown {
    return cellsOf(result as Result<unknown>);
  }
}
