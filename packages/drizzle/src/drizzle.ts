import { DefaultLogger, type Logger, NoopLogger } from "drizzle-orm/logger";
import type { ExtractTablesWithRelations, RelationalSchemaConfig } from "drizzle-orm/relations";
import * as relations from "drizzle-orm/relations";
import type { DrizzleConfig } from "drizzle-orm/utils";
import {
  type AllInOne,
  checkCache,
  type Checks,
  hasMethods,
  type MockClient,
  mockClient,
  openTarget,
  readOptions,
  type RqliteClient,
  type Urls,
} from "@tangled/rqlite/driver";
import type { Client, ConnectOptions } from "@tangled/rqlite";
import { RqliteDatabase } from "./database.ts";
import { dialectOf } from "./dialect.ts";

/** Makes databases; it is {@linkcode drizzle}. */
export interface Drizzle {
  /** Makes a database of a URL, with a client of its own at `$client`: close that in the end. */
  <TSchema extends Record<string, unknown> = Record<string, never>>(
    url: string | URL | readonly (string | URL)[],
    config?: DrizzleConfig<TSchema>,
  ): RqliteDatabase<TSchema, Client>;
  /** Makes a database of a client, which stays its maker's to close. */
  <
    TSchema extends Record<string, unknown> = Record<string, never>,
    TClient extends RqliteClient = Client,
  >(
    client: TClient,
    config?: DrizzleConfig<TSchema>,
  ): RqliteDatabase<TSchema, TClient>;
  /** The same with everything in one object. */
  <
    TSchema extends Record<string, unknown> = Record<string, never>,
    TClient extends RqliteClient = Client,
  >(
    config: DrizzleConfig<TSchema> & { client: TClient },
  ): RqliteDatabase<TSchema, TClient>;
  /** The same with the options of a client of its own. */
  <TSchema extends Record<string, unknown> = Record<string, never>>(
    config: DrizzleConfig<TSchema> & {
      connection: string | URL | readonly (string | URL)[] | ConnectOptions;
    },
  ): RqliteDatabase<TSchema, Client>;
  /**
   * Makes a database without a client, for the SQL that queries are: to run one is a `ProgrammingError`.
   *
   * @throws {TypeError} If an option is unknown or has the wrong form.
   *
   * @example
   * ```ts
   * import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
   * import { drizzle } from "@tangled/rqlite-drizzle";
   *
   * const users = sqliteTable("users", { id: integer().primaryKey() });
   * const db = drizzle.mock();
   * console.log(db.select().from(users).toSQL().sql); // select "id" from "users"
   * ```
   */
  mock<TSchema extends Record<string, unknown> = Record<string, never>>(
    config?: DrizzleConfig<TSchema>,
  ): RqliteDatabase<TSchema, MockClient>;
}

/**
 * Makes a database of a client, of a URL, or of an object with either; no request is sent.
 *
 * The config is Drizzle's: `schema` for relational queries, `logger`, `casing`, `cache`.
 *
 * @throws {TypeError} If there is no client, or an option is unknown or has the wrong form.
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
 */
export const drizzle: Drizzle = Object.assign(make, {
  mock<TSchema extends Record<string, unknown> = Record<string, never>>(
    config?: DrizzleConfig<TSchema>,
  ): RqliteDatabase<TSchema, MockClient> {
    return construct(mockClient("drizzle.mock()"), readOptions(config, checksOf<TSchema>()));
  },
}) as Drizzle;

function make<TSchema extends Record<string, unknown>>(
  first: Urls | RqliteClient | AllInOne<DrizzleConfig<TSchema>>,
  second?: DrizzleConfig<TSchema>,
): RqliteDatabase<TSchema> {
  const { client, config } = openTarget(first, second, checksOf<TSchema>());
  return construct(client, config);
}

const CONFIG: Checks<DrizzleConfig> = {
  logger: (value, name) => {
    if (typeof value !== "boolean" && !hasMethods(value, "logQuery")) {
      throw wrong(name, "a boolean or a Logger of Drizzle");
    }
  },
  schema: (value, name) => {
    if (typeof value !== "object" || value === null) throw wrong(name, "an object of tables");
  },
  casing: (value, name) => {
    if (value !== "snake_case" && value !== "camelCase") {
      throw wrong(name, '"snake_case" or "camelCase"');
    }
  },
  cache: (value, name) => {
    if (!hasMethods(value, "strategy", "get", "put", "onMutate")) {
      throw wrong(name, "a Cache of Drizzle");
    }
  },
};

function wrong(name: string, wanted: string): TypeError {
  return new TypeError(`Cannot use \`${name}\` as it must be ${wanted}`);
}

function checksOf<TSchema extends Record<string, unknown>>(): Checks<DrizzleConfig<TSchema>> {
  return CONFIG as Checks<DrizzleConfig<TSchema>>;
}

function construct<TSchema extends Record<string, unknown>, TClient extends RqliteClient>(
  client: TClient,
  config: DrizzleConfig<TSchema>,
): RqliteDatabase<TSchema, TClient> {
  const { casing, cache, schema, logger } = config;
  checkCache(cache, client);
  return new RqliteDatabase<TSchema, TClient>(client, {
    dialect: dialectOf(casing),
    schema: schema && relationsOf(schema),
    logger: loggerOf(logger),
    cache,
  });
}

function relationsOf<TSchema extends Record<string, unknown>>(
  schema: TSchema,
): RelationalSchemaConfig<ExtractTablesWithRelations<TSchema>> {
  const { tables, tableNamesMap } = relations.extractTablesRelationalConfig<
    ExtractTablesWithRelations<TSchema>
  >(schema, relations.createTableRelationsHelpers);
  return { fullSchema: schema, schema: tables, tableNamesMap };
}

function loggerOf(logger: boolean | Logger | undefined): Logger {
  if (logger === true) return new DefaultLogger();
  return logger || new NoopLogger();
}
