/**
 * The driver for drizzle-orm 1.0, kept here until that is released: one package can depend on one version of
 * drizzle-orm only, and npm users of JSR get every dependency of every entry point.
 */

import type { BatchItem, BatchResponse } from "drizzle-orm/batch";
import type { Cache } from "drizzle-orm/cache/core";
import type { QueryMetadata, WithCacheConfig } from "drizzle-orm/cache/core/types";
import { entityKind } from "drizzle-orm/entity";
import { DefaultLogger, type Logger, NoopLogger } from "drizzle-orm/logger";
import type { AnyRelations, EmptyRelations } from "drizzle-orm/relations";
import { fillPlaceholders, type Query } from "drizzle-orm/sql";
import {
  booleanFromInteger,
  bufferFromBinaryIfAvailable,
  castToText,
  dateFromStoredMilliseconds,
  dateFromStoredSeconds,
  type DrizzleSQLiteConfig,
  refineSqliteCodecs,
  SQLiteAsyncDatabase,
  SQLiteAsyncPreparedQuery,
  type SQLiteAsyncPreparedQueryConfig,
  SQLiteAsyncSession,
  SQLiteAsyncTransaction,
  SQLiteDialect,
  type SQLiteExecuteMethod,
} from "drizzle-orm/sqlite-core";
import type { Client, Params, Result, Statement, Transaction } from "@tangled/rqlite";
import {
  CELLS,
  cellsOf,
  objectsOf,
  readConfig,
  refuseConfig,
  type RqliteTransactionConfig,
  runResultOf,
} from "@tangled/rqlite/driver";

/** How rqlite's values become those of the columns; what JSON could round travels as text. */
const CODECS = refineSqliteCodecs({
  "integer:boolean": { normalize: booleanFromInteger },
  "integer:timestamp": { normalize: dateFromStoredSeconds },
  "integer:timestamp_ms": { normalize: dateFromStoredMilliseconds },
  "text:json": { normalize: JSON.parse },
  blob: { normalize: bufferFromBinaryIfAvailable },
  "blob:json": { cast: castToText, normalize: JSON.parse },
  "blob:bigint": { cast: castToText, normalize: BigInt },
  numeric: { cast: castToText, normalize: String },
  "numeric:number": { normalize: Number },
  "numeric:bigint": { cast: castToText, normalize: BigInt },
});

type Mode = "arrays" | "objects" | "raw";

interface Parts<TRelations extends AnyRelations> {
  readonly dialect: SQLiteDialect;
  readonly relations: TRelations;
  readonly logger: Logger;
  readonly cache: Cache | undefined;
  readonly paramsInErrors: boolean | undefined;
}

/** What Drizzle's prepared queries carry and their types leave out. */
interface Prepared {
  getQuery(): Query;
  readonly executeMethod: SQLiteExecuteMethod;
  readonly mapper: ((rows: unknown[]) => unknown[]) | undefined;
  readonly mode: Mode;
}

const rowsOf = (result: Result<unknown>, mode: Mode): unknown[] =>
  mode === "arrays" ? cellsOf(result) : objectsOf(result);

/** Runs the queries of Drizzle on a client, or on one transaction. */
export class RqliteSession<TRelations extends AnyRelations>
  extends SQLiteAsyncSession<"async", Result, TRelations> {
  static override readonly [entityKind]: string = "RqliteSession";
  readonly #client: Client;
  readonly #parts: Parts<TRelations>;
  readonly #tx: Transaction | undefined;

  constructor(client: Client, parts: Parts<TRelations>, tx?: Transaction) {
    super(parts.dialect, "async");
    this.#client = client;
    this.#parts = parts;
    this.#tx = tx;
  }

  within(tx: Transaction): RqliteSession<TRelations> {
    return new RqliteSession(this.#client, this.#parts, tx);
  }

  override prepareQuery(
    query: Query,
    mode: Mode,
    _prepare: boolean,
    executeMethod?: SQLiteExecuteMethod,
    mapper?: (rows: unknown[]) => unknown,
    metadata?: QueryMetadata,
    cacheConfig?: WithCacheConfig,
  ): SQLiteAsyncPreparedQuery<SQLiteAsyncPreparedQueryConfig & { type: "async" }> {
    const { logger, cache, paramsInErrors } = this.#parts;
    const send = (params: unknown[]): Promise<Result<unknown>> =>
      (this.#tx ?? this.#client).execute<unknown>(query.sql, params as Params, CELLS);
    const executors = {
      all: async (params: unknown[]) => rowsOf(await send(params), mode),
      get: async (params: unknown[]) => rowsOf(await send(params), mode)[0],
      run: async (params: unknown[]) => runResultOf(await send(params)),
    };
    // Reads inside a transaction are its own.
    const shared = this.#tx === undefined ? cache : undefined;
    return new SQLiteAsyncPreparedQuery(
      ...["async", executeMethod, executors, query, mapper, mode, logger] as const,
      ...[shared, metadata, cacheConfig, paramsInErrors] as const,
    );
  }

  async batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    items: T,
  ): Promise<BatchResponse<T>> {
    const queries = items.map((item) => (item as unknown as { _prepare(): Prepared })._prepare());
    const statements = queries.map((query): Statement => {
      const { sql, params } = query.getQuery();
      const filled = fillPlaceholders(params, {});
      this.#parts.logger.logQuery(sql, filled);
      return { sql, params: filled as Params };
    });
    const results = await (this.#tx ?? this.#client).batch(statements, CELLS);
    const answers = queries.map(({ executeMethod, mapper, mode }, i) => {
      const result = results[i]!;
      if (executeMethod === "run") return runResultOf(result);
      if (executeMethod === "values") return cellsOf(result);
      const rows = rowsOf(result, mode);
      if (executeMethod !== "get") return mapper === undefined ? rows : mapper(rows);
      const first = rows.slice(0, 1);
      return (mapper === undefined || first.length === 0 ? first : mapper(first))[0];
    });
    return answers as BatchResponse<T>;
  }

  override async transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    const { dialect, relations } = this.#parts;
    return await this.#client.transaction(async (tx) => {
      const session = new RqliteSession(this.#client, this.#parts, tx);
      return await fn(new RqliteTransaction(tx, dialect, session, relations));
    }, readConfig(config));
  }
}

/** What the function of `db.transaction(fn)` is given. */
export class RqliteTransaction<TRelations extends AnyRelations>
  extends SQLiteAsyncTransaction<"async", Result, TRelations> {
  static override readonly [entityKind]: string = "RqliteTransaction";
  readonly $transaction: Transaction;
  readonly #dialect: SQLiteDialect;
  readonly #session: RqliteSession<TRelations>;
  readonly #relations: TRelations;

  constructor(
    tx: Transaction,
    dialect: SQLiteDialect,
    session: RqliteSession<TRelations>,
    relations: TRelations,
    nestedIndex?: number,
  ) {
    super("async", dialect, session, relations, nestedIndex);
    this.$transaction = tx;
    this.#dialect = dialect;
    this.#session = session;
    this.#relations = relations;
  }

  override async transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    refuseConfig(config);
    const [dialect, relations] = [this.#dialect, this.#relations];
    const index = this.nestedIndex + 1;
    return await this.$transaction.transaction((tx) => {
      const session = this.#session.within(tx);
      return fn(new RqliteTransaction(tx, dialect, session, relations, index));
    });
  }
}

/** Drizzle's database over rqlite. */
export class RqliteDatabase<TRelations extends AnyRelations = EmptyRelations>
  extends SQLiteAsyncDatabase<"async", Result, TRelations> {
  static override readonly [entityKind]: string = "RqliteDatabase";
  readonly $client: Client;
  readonly #session: RqliteSession<TRelations>;

  constructor(client: Client, parts: Parts<TRelations>) {
    const session = new RqliteSession(client, parts);
    super("async", parts.dialect, session, parts.relations);
    this.$client = client;
    this.#session = session;
  }

  async batch<U extends BatchItem<"sqlite">, T extends Readonly<[U, ...U[]]>>(
    queries: T,
  ): Promise<BatchResponse<T>> {
    return await this.#session.batch<U, T>(queries);
  }

  override async transaction<T>(
    fn: (tx: RqliteTransaction<TRelations>) => Promise<T>,
    config?: RqliteTransactionConfig,
  ): Promise<T> {
    return await this.#session.transaction(fn, config);
  }
}

/** Makes a database of a client. */
export function drizzle<TRelations extends AnyRelations = EmptyRelations>(
  client: Client,
  config: DrizzleSQLiteConfig<TRelations> = {},
): RqliteDatabase<TRelations> {
  const { relations = {} as TRelations, logger, cache, codecs, paramsInErrors } = config;
  return new RqliteDatabase<TRelations>(client, {
    dialect: new SQLiteDialect({ codecs: codecs ?? CODECS }),
    relations,
    logger: logger === true ? new DefaultLogger() : logger || new NoopLogger(),
    cache,
    paramsInErrors,
  });
}
