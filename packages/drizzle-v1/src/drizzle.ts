import type { Cache } from "drizzle-orm/cache/core";
import { is } from "drizzle-orm/entity";
import { DefaultLogger, type Logger, NoopLogger } from "drizzle-orm/logger";
import type { AnyRelations, EmptyRelations } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { DrizzleSQLiteConfig, SQLiteCodecs } from "drizzle-orm/sqlite-core";
import {
  type AllInOne,
  type Check,
  checkCache,
  type Checks,
  hasMethods,
  isBoolean,
  type MockClient,
  mockClient,
  openTarget,
  readOptions,
  refused,
  refusing,
  type RqliteClient,
  type Urls,
} from "@tangled/rqlite/driver";
import type { Client, ConnectOptions } from "@tangled/rqlite";
import { rqliteCodecs } from "./codecs.ts";
import { RqliteDatabase } from "./database.ts";
import { dialectOf } from "./dialect.ts";
import { canCompile } from "./internals.ts";

/** How a database of Drizzle is made. */
export interface RqliteDrizzleConfig<TRelations extends AnyRelations = EmptyRelations>
  extends DrizzleSQLiteConfig<TRelations> {
  /** What `defineRelations` answers, for `db.query`. @default {{}} */
  relations?: TRelations | undefined;
  /** Told of every query; `true` prints them. @default {false} */
  logger?: boolean | Logger | undefined;
  /** Drizzle's cache: asked outside of transactions, told of every change of this database. */
  cache?: Cache | undefined;
  /** Compiles what reads rows, where the runtime allows it. @default {false} */
  jit?: boolean | undefined;
  /** Whether the message of a `DrizzleQueryError` shows the parameters. @default {false} */
  paramsInErrors?: boolean | undefined;
  /** How values become those of columns. @default {rqliteCodecs} */
  codecs?: SQLiteCodecs | undefined;
}

/** What {@linkcode drizzle} is: a function of several forms, and `mock`. */
export interface RqliteDrizzle {
  /** Makes a database of a URL, with a client of its own at `$client`: close that in the end. */
  <TRelations extends AnyRelations = EmptyRelations>(
    url: string | URL | readonly (string | URL)[],
    config?: RqliteDrizzleConfig<TRelations>,
  ): RqliteDatabase<TRelations, Client>;
  /** Makes a database of what `connect` answers. */
  <TRelations extends AnyRelations = EmptyRelations, TClient extends RqliteClient = Client>(
    client: TClient,
    config?: RqliteDrizzleConfig<TRelations>,
  ): RqliteDatabase<TRelations, TClient>;
  /** The same with everything in one object. */
  <TRelations extends AnyRelations = EmptyRelations, TClient extends RqliteClient = Client>(
    config: RqliteDrizzleConfig<TRelations> & { client: TClient },
  ): RqliteDatabase<TRelations, TClient>;
  /** The same with a URL, or the options of a client of its own. */
  <TRelations extends AnyRelations = EmptyRelations>(
    config: RqliteDrizzleConfig<TRelations> & {
      connection: string | URL | readonly (string | URL)[] | ConnectOptions;
    },
  ): RqliteDatabase<TRelations, Client>;
  /**
   * Makes a database without a client, for the SQL that queries are: to run one is a `ProgrammingError`.
   *
   * @throws {TypeError} If an option is unknown or has the wrong form.
   *
   * @example
   * ```ts
   * import { integer, sqliteTable } from "drizzle-orm/sqlite-core";
   * import { drizzle } from "@tangled/rqlite-drizzle-v1";
   *
   * const users = sqliteTable("users", { id: integer().primaryKey() });
   * console.log(drizzle.mock().select().from(users).toSQL().sql); // select "id" from "users"
   * ```
   */
  mock<TRelations extends AnyRelations = EmptyRelations>(
    config?: RqliteDrizzleConfig<TRelations>,
  ): RqliteDatabase<TRelations, MockClient>;
}

/**
 * Makes a database of a client, or of a URL or the options of one; no request is sent.
 *
 * Drizzle's config goes beside or behind it: `relations` for relational queries, `logger`, `cache`, `jit` and others.
 *
 * @throws {TypeError} If there is no client, or an option is unknown or has the wrong form.
 *
 * @example
 * ```ts
 * import { defineRelations, sql } from "drizzle-orm";
 * import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
 * import { connect } from "@tangled/rqlite";
 * import { drizzle } from "@tangled/rqlite-drizzle-v1";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const users = sqliteTable("users", { id: integer().primaryKey(), name: text().notNull() });
 * const relations = defineRelations({ users });
 * const db = drizzle(connect(embedded()), { relations }); // or drizzle("http://localhost:4001")
 * await db.run(sql`CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)`);
 * await db.insert(users).values({ name: "Ada" });
 * console.log(await db.query.users.findFirst({ where: { name: "Ada" } })); // { id: 1, name: "Ada" }
 * await db.$client.close();
 * ```
 */
export const drizzle: RqliteDrizzle = Object.assign(make, {
  mock<TRelations extends AnyRelations>(config?: RqliteDrizzleConfig<TRelations>) {
    return construct(mockClient("drizzle.mock()"), readOptions(config, checksOf<TRelations>()));
  },
}) as RqliteDrizzle;

function make<TRelations extends AnyRelations>(
  first: Urls | RqliteClient | AllInOne<RqliteDrizzleConfig<TRelations>>,
  second?: RqliteDrizzleConfig<TRelations>,
): RqliteDatabase<TRelations> {
  const { client, config } = openTarget(first, second, checksOf<TRelations>());
  return construct(client, config);
}

const CONFIG = {
  relations: isRelations,
  logger(value, name) {
    if (typeof value === "boolean" || hasMethods(value, "logQuery")) return;
    throw refused(name, "a boolean or a Logger of Drizzle", value);
  },
  cache(value, name) {
    if (hasMethods(value, "strategy", "get", "put", "onMutate")) return;
    throw refused(name, "a Cache of Drizzle", value);
  },
  jit: isBoolean,
  paramsInErrors: isBoolean,
  codecs(value, name) {
    if (typeof value === "object" && value !== null) return;
    throw refused(name, "codecs, such as `rqliteCodecs`", value);
  },
  // Of older versions, which took them.
  schema: refusing(
    "with drizzle-orm 1.0: give `relations`, which is what `defineRelations` answers",
  ),
  casing: refusing(
    "with drizzle-orm 1.0: make tables with `snakeCase.table` or `camelCase.table` of drizzle-orm/sqlite-core",
  ),
} satisfies Checks<RqliteDrizzleConfig> & Record<string, Check>;

function checksOf<TRelations extends AnyRelations>(): Checks<RqliteDrizzleConfig<TRelations>> {
  return CONFIG as Checks<RqliteDrizzleConfig<TRelations>>;
}

function isRelations(value: unknown, name: string): void {
  const tables: unknown[] = Object(value) === value ? Object.values(value as object) : [undefined];
  for (const one of tables) {
    const { table, relations } = (one ?? {}) as Record<string, unknown>;
    if (
      (is(table, core.SQLiteTable) || is(table, core.SQLiteView)) && Object(relations) === relations
    ) continue;
    throw new TypeError(
      `Cannot use \`${name}\` as it must be what \`defineRelations\` of drizzle-orm 1.0 answers`,
    );
  }
}

function construct<TRelations extends AnyRelations>(
  client: RqliteClient,
  config: RqliteDrizzleConfig<TRelations>,
): RqliteDatabase<TRelations> {
  const { relations = {} as TRelations, logger, cache, codecs, jit, paramsInErrors } = config;
  checkCache(cache, client);
  return new RqliteDatabase<TRelations, RqliteClient>(client, {
    dialect: dialectOf(codecs ?? rqliteCodecs, canCompile(jit)),
    relations,
    logger: loggerOf(logger),
    cache,
    paramsInErrors,
  });
}

function loggerOf(logger: boolean | Logger | undefined): Logger {
  if (logger === true) return new DefaultLogger();
  return logger || new NoopLogger();
}
