import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { Cache } from "drizzle-orm/cache/core";
import type { QueryMetadata, WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind } from "drizzle-orm/entity";
import type { Logger } from "drizzle-orm/logger";
import type { AnyRelations } from "drizzle-orm/relations";
import { fillPlaceholders, type Query } from "drizzle-orm/sql";
import * as core from "drizzle-orm/sqlite-core";
import type { SQLiteDialect, SQLiteExecuteMethod } from "drizzle-orm/sqlite-core";
import type { Result, Transaction } from "@tangled/rqlite";
import {
  type BatchReader,
  cellsOf,
  type Issued,
  Passing,
  type RqliteClient,
  type RqliteTransactionConfig,
  runBatch,
  runIssuing,
  type RunResult,
  runResultOf,
  runTransaction,
} from "@tangled/rqlite/driver";
import type { BatchQuery, Mode } from "./internals.ts";
import { changesOf, type QueryContext, rowsOf, RqlitePreparedQuery } from "./prepared_query.ts";
import { RqliteTransaction } from "./transaction.ts";

/** What a session is made of. */
export interface SessionParts<TRelations extends AnyRelations> {
  /** What makes SQL of queries. */
  readonly dialect: SQLiteDialect;
  /** The tables and relations of `db.query`. */
  readonly relations: TRelations;
  /** Told of every query. */
  readonly logger: Logger;
  /** Drizzle's cache, if there is one. */
  readonly cache: Cache | undefined;
  /** Whether errors show the parameters. */
  readonly paramsInErrors: boolean | undefined;
}

/** How this version of Drizzle has the queries of a batch. */
const BATCH: BatchReader<BatchQuery> = {
  fill: (params) => fillPlaceholders(params, {}),
  changes: ({ queryMetadata }) => changesOf(queryMetadata),
  answer: answerOf,
};

/** Runs the queries of Drizzle on a client, or on one transaction. */
export class RqliteSession<TRelations extends AnyRelations>
  extends core.SQLiteAsyncSession<"async", RunResult, TRelations> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteSession";
  readonly #client: RqliteClient;
  readonly #passing: Passing;
  readonly #parts: SessionParts<TRelations>;
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
    parts: SessionParts<TRelations>,
    tx?: Transaction,
    changed?: Set<string>,
    issued?: Issued,
  ) {
    super(parts.dialect, "async");
    this.#client = client;
    this.#passing = new Passing(client);
    this.#parts = parts;
    const { logger, cache, paramsInErrors } = parts;
    this.#context = {
      executor: tx ?? this.#passing.client,
      logger,
      // What a transaction reads is its own, and what it changes nobody sees before it has committed.
      cache: tx === undefined ? cache : undefined,
      paramsInErrors,
      changed,
      follower: issued ?? this.#passing,
    };
  }

  /** Runs a function as a nested transaction. */
  nest<T>(
    tx: Transaction,
    fn: (session: RqliteSession<TRelations>, tx: Transaction) => Promise<T>,
  ): Promise<T> {
    const { changed, follower } = this.#context;
    return follower.follow(() =>
      tx.transaction((inner) => this.#within(inner, changed, (session) => fn(session, inner)))
    );
  }

  #within<T>(
    tx: Transaction,
    changed: Set<string> | undefined,
    fn: (session: RqliteSession<TRelations>) => Promise<T>,
  ): Promise<T> {
    return runIssuing((issued) =>
      fn(new RqliteSession(this.#client, this.#parts, tx, changed, issued))
    );
  }

  /** Makes a query ready; called by Drizzle's query builder. */
  override prepareQuery(
    query: Query,
    mode: Mode,
    _prepare: boolean,
    method?: SQLiteExecuteMethod,
    mapper?: (rows: unknown[]) => unknown,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): RqlitePreparedQuery {
    return new RqlitePreparedQuery(this.#context, query, {
      mode,
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
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    const { cache, dialect, relations } = this.#parts;
    return runTransaction(
      this.#passing,
      config,
      cache,
      (tx, changed) =>
        this.#within(
          tx,
          changed,
          (session) => fn(new RqliteTransaction(tx, dialect, session, relations)),
        ),
    );
  }
}

/** What one query of a batch answers. */
function answerOf({ executeMethod, mapper, mode }: BatchQuery, result: Result<unknown>): unknown {
  if (executeMethod === "run") return runResultOf(result);
  if (executeMethod === "values") return cellsOf(result);
  const rows = rowsOf(result, mode);
  if (executeMethod === "all") return mapper === undefined ? rows : mapper(rows);
  const first = rows.slice(0, 1);
  const mapped = mapper === undefined || first.length === 0 ? first : mapper(first);
  return (mapped as unknown[])[0];
}
