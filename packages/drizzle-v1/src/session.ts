import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { Cache } from "drizzle-orm/cache/core";
import type { QueryMetadata, WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind } from "drizzle-orm/entity";
import type { Logger } from "drizzle-orm/logger";
import type { AnyRelations } from "drizzle-orm/relations";
import { fillPlaceholders, type Query } from "drizzle-orm/sql";
import * as core from "drizzle-orm/sqlite-core";
import type {
  SQLiteAsyncPreparedQuery,
  SQLiteAsyncPreparedQueryConfig,
  SQLiteDialect,
  SQLiteExecuteMethod,
} from "drizzle-orm/sqlite-core";
import type {
  Client,
  Executor,
  Params,
  Result,
  Statement,
  Transaction,
  TransactionOptions,
} from "@tangled/rqlite";
import {
  CELLS,
  cellsOf,
  objectsOf,
  readConfig,
  refuseConfig,
  type RqliteTransactionConfig,
  runResultOf,
} from "@tangled/rqlite/driver";
import { type BatchQuery, type Mode, prepareItem } from "./internals.ts";
import { RqliteTransaction } from "./transaction.ts";

/** What Drizzle runs on: a client, or whatever executes SQL and has transactions like one. */
export type RqliteClient = Executor & Pick<Client, "transaction">;

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

/** Runs the queries of Drizzle on a client, or on one transaction. */
export class RqliteSession<TRelations extends AnyRelations>
  extends core.SQLiteAsyncSession<"async", Result, TRelations> {
  /** Drizzle's name of the class. */
  static override readonly [entityKind]: string = "RqliteSession";
  readonly #client: RqliteClient;
  readonly #parts: SessionParts<TRelations>;
  readonly #tx: Transaction | undefined;
  readonly #changed: Set<string> | undefined;

  /**
   * Sends nothing.
   *
   * @param tx Where the queries run, if not on the client.
   * @param changed Collects the tables that the transaction changes.
   */
  constructor(
    client: RqliteClient,
    parts: SessionParts<TRelations>,
    tx?: Transaction,
    changed?: Set<string>,
  ) {
    super(parts.dialect, "async");
    this.#client = client;
    this.#parts = parts;
    this.#tx = tx;
    this.#changed = changed;
  }

  /** The session of a nested transaction. */
  within(tx: Transaction): RqliteSession<TRelations> {
    return new RqliteSession(this.#client, this.#parts, tx, this.#changed);
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
  ): SQLiteAsyncPreparedQuery<SQLiteAsyncPreparedQueryConfig & { type: "async" }> {
    const { logger, cache, paramsInErrors } = this.#parts;
    const send = async (params: unknown[]): Promise<Result<unknown>> => {
      const executor = this.#tx ?? this.#client;
      const result = await executor.execute<unknown>(query.sql, params as Params, CELLS);
      this.#noteChange(metadata);
      return result;
    };
    const executors = {
      all: async (params: unknown[]) => rowsOf(await send(params), mode),
      get: async (params: unknown[]) => rowsOf(await send(params), mode)[0],
      run: async (params: unknown[]) => runResultOf(await send(params)),
    };
    // What a transaction reads is its own, and what it changes nobody sees before it has committed.
    const shared = this.#tx === undefined ? cache : undefined;
    return new core.SQLiteAsyncPreparedQuery(
      ...["async", method, executors, query, mapper, mode, logger] as const,
      ...[shared, metadata, cacheConfig, paramsInErrors] as const,
    );
  }

  /** Runs all queries as one unit, in as few requests as possible. */
  async batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    items: T,
  ): Promise<BatchResponse<T>> {
    const queries = items.map(prepareItem);
    const statements = queries.map((query): Statement => {
      const { sql, params } = query.getQuery();
      const filled = fillPlaceholders(params, {});
      this.#parts.logger.logQuery(sql, filled);
      return { sql, params: filled as Params };
    });
    const results = await (this.#tx ?? this.#client).batch(statements, CELLS);
    if (this.#changed === undefined) {
      await this.#invalidate(queries.flatMap(({ queryMetadata }) => changes(queryMetadata)));
    } else {
      for (const { queryMetadata } of queries) this.#noteChange(queryMetadata);
    }
    return queries.map((query, i) => answerOf(query, results[i]!)) as BatchResponse<T>;
  }

  /** Runs a function as one transaction. */
  override async transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    const { dialect, relations } = this.#parts;
    const changed = new Set<string>();
    try {
      return await this.#client.transaction(async (tx) => {
        const session = new RqliteSession(this.#client, this.#parts, tx, changed);
        return await fn(new RqliteTransaction(tx, dialect, session, relations));
      }, this.#optionsOf(config));
    } finally {
      // Also after a failure: nobody knows what became of a commit whose answer was lost.
      await this.#invalidate([...changed]);
    }
  }

  /** What is itself a transaction has no options: its own are nested ones. */
  #optionsOf(config: RqliteTransactionConfig | undefined): TransactionOptions | undefined {
    if (!("savepoint" in this.#client)) return readConfig(config);
    refuseConfig(config);
    return undefined;
  }

  #noteChange(metadata: QueryMetadata | undefined): void {
    for (const table of this.#changed === undefined ? [] : changes(metadata)) {
      this.#changed!.add(table);
    }
  }

  async #invalidate(tables: string[]): Promise<void> {
    if (tables.length > 0) await this.#parts.cache?.onMutate({ tables });
  }
}

function rowsOf(result: Result<unknown>, mode: Mode): unknown[] {
  return mode === "arrays" ? cellsOf(result) : objectsOf(result);
}

/** The tables that a query changes. */
function changes(metadata: QueryMetadata | undefined): string[] {
  return metadata === undefined || metadata.type === "select" ? [] : metadata.tables();
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
