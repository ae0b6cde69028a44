import { DefaultLogger, type Logger, NoopLogger } from "drizzle-orm/logger";
import {
  createTableRelationsHelpers,
  extractTablesRelationalConfig,
  type ExtractTablesWithRelations,
  type RelationalSchemaConfig,
} from "drizzle-orm/relations";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import type { DrizzleConfig } from "drizzle-orm/utils";
import { type Checks, isTarget, readOptions } from "@tangled/rqlite/driver";
import { type Client, connect, type ConnectOptions } from "@tangled/rqlite";
import { RqliteDatabase } from "./database.ts";
import type { RqliteClient } from "./session.ts";

/** Makes a database of a URL, with a client of its own at `$client`: close that in the end. */
export function drizzle<TSchema extends Record<string, unknown> = Record<string, never>>(
  url: string | URL | readonly (string | URL)[],
  config?: DrizzleConfig<TSchema>,
): RqliteDatabase<TSchema, Client>;
/**
 * Makes a database of a client; no request is sent.
 *
 * @param client What `connect` answers.
 * @param config Drizzle's: `schema` for relational queries, `logger`, `casing`, `cache`.
 *
 * @example
 * ```ts
 * import { eq, sql } from "drizzle-orm";
 * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
 * import { connect } from "@tangled/rqlite";
 * import { drizzle } from "@tangled/rqlite-drizzle";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const users = sqliteTable("users", { id: integer().primaryKey(), name: text().notNull() });
 * const db = drizzle(connect(embedded()), { schema: { users } }); // or drizzle("http://localhost:4001")
 * await db.run(sql`CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)`);
 * await db.insert(users).values({ name: "Ada" });
 * console.log(await db.query.users.findFirst({ where: eq(users.name, "Ada") })); // { id: 1, name: "Ada" }
 * await db.$client.close();
 * ```
 *
 * @throws {TypeError} If there is no client, or an option has the wrong form.
 */
export function drizzle<
  TSchema extends Record<string, unknown> = Record<string, never>,
  TClient extends RqliteClient = Client,
>(client: TClient, config?: DrizzleConfig<TSchema>): RqliteDatabase<TSchema, TClient>;
/** The same with everything in one object. */
export function drizzle<
  TSchema extends Record<string, unknown> = Record<string, never>,
  TClient extends RqliteClient = Client,
>(config: DrizzleConfig<TSchema> & { client: TClient }): RqliteDatabase<TSchema, TClient>;
/** The same with the options of a client of its own. */
export function drizzle<TSchema extends Record<string, unknown> = Record<string, never>>(
  config: DrizzleConfig<TSchema> & {
    connection: string | URL | readonly (string | URL)[] | ConnectOptions;
  },
): RqliteDatabase<TSchema, Client>;
export function drizzle<TSchema extends Record<string, unknown>>(
  first: string | URL | readonly (string | URL)[] | RqliteClient | AllInOne<TSchema>,
  second?: DrizzleConfig<TSchema>,
): RqliteDatabase<TSchema> {
  if (isTarget(first) || isClient(first)) {
    // Read first: a client that nobody gets would stay open.
    const config = readOptions(second, CONFIG as Checks<DrizzleConfig<TSchema>>);
    return construct(isClient(first) ? first : connect(first), config);
  }
  if (second !== undefined) {
    throw new TypeError("Cannot use a second argument behind an object: put its options into that");
  }
  const all = readOptions(first, ALL_IN_ONE as Checks<AllInOne<TSchema>>);
  const { client, connection, ...config } = all;
  if (client !== undefined && connection !== undefined) {
    throw new TypeError("Cannot use `connection` beside `client`: give one of them");
  }
  const made = connection === undefined ? client : connect(connection);
  return construct(made, config as DrizzleConfig<TSchema>);
}

type AllInOne<TSchema extends Record<string, unknown>> = DrizzleConfig<TSchema> & {
  client?: RqliteClient;
  connection?: string | URL | readonly (string | URL)[] | ConnectOptions;
};

/** What they hold is Drizzle's. */
const CONFIG: Checks<DrizzleConfig> = { logger() {}, schema() {}, casing() {}, cache() {} };

// Both are checked where they are used.
const ALL_IN_ONE: Checks<AllInOne<Record<string, never>>> = {
  client() {},
  connection() {},
  ...CONFIG,
};

function isClient(value: unknown): value is RqliteClient {
  const { query, execute, batch, transaction } = (value ?? {}) as Record<string, unknown>;
  return [query, execute, batch, transaction].every((method) => typeof method === "function");
}

function construct<TSchema extends Record<string, unknown>, TClient extends RqliteClient>(
  client: TClient | undefined,
  config: DrizzleConfig<TSchema>,
): RqliteDatabase<TSchema, TClient> {
  if (!isClient(client)) {
    throw new TypeError("Cannot use `client` as it must be a URL or what `connect` answers");
  }
  const { casing, cache, schema, logger } = config;
  return new RqliteDatabase<TSchema, TClient>(client, {
    dialect: new SQLiteAsyncDialect(casing === undefined ? {} : { casing }),
    schema: schema && relationsOf(schema),
    logger: loggerOf(logger),
    cache,
  });
}

function relationsOf<TSchema extends Record<string, unknown>>(
  schema: TSchema,
): RelationalSchemaConfig<ExtractTablesWithRelations<TSchema>> {
  const { tables, tableNamesMap } = extractTablesRelationalConfig<
    ExtractTablesWithRelations<TSchema>
  >(schema, createTableRelationsHelpers);
  return { fullSchema: schema, schema: tables, tableNamesMap };
}

function loggerOf(logger: boolean | Logger | undefined): Logger {
  if (logger === true) return new DefaultLogger();
  return logger || new NoopLogger();
}
