import type { Cache } from "drizzle-orm/cache/core";
import { is } from "drizzle-orm/entity";
import { DefaultLogger, type Logger, NoopLogger } from "drizzle-orm/logger";
import type { AnyRelations, EmptyRelations } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { DrizzleSQLiteConfig, SQLiteCodecs } from "drizzle-orm/sqlite-core";
import {
  type Check,
  type Checks,
  isBoolean,
  isTarget,
  readOptions,
  refused,
  refusing,
} from "@tangled/rqlite/driver";
import { type Client, connect, type ConnectOptions, InterfaceError } from "@tangled/rqlite";
import { rqliteCodecs } from "./codecs.ts";
import { RqliteDatabase } from "./database.ts";
import { dialectOf } from "./dialect.ts";
import { canCompile } from "./internals.ts";
import type { RqliteClient } from "./session.ts";

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
   * Makes a database without a client, for what builds queries and sends none: `toSQL()`, types.
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
  ): RqliteDatabase<TRelations, "$client is not available on drizzle.mock()">;
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
export const drizzle: RqliteDrizzle = Object.assign(make, { mock }) as RqliteDrizzle;

function make<TRelations extends AnyRelations>(
  first: string | URL | readonly (string | URL)[] | RqliteClient | AllInOne<TRelations>,
  second?: RqliteDrizzleConfig<TRelations>,
): RqliteDatabase<TRelations> {
  if (isTarget(first) || isClient(first)) {
    // Read first: a client that nobody gets would stay open.
    const config = readConfig(second);
    const client = isClient(first) ? first : connect(first);
    return construct(client, config, client);
  }
  if (second !== undefined) {
    throw new TypeError("Cannot use a second argument behind an object: put its options into that");
  }
  const all = readOptions(first, ALL_IN_ONE as Checks<AllInOne<TRelations>>);
  const { client, connection, ...config } = all;
  if (client !== undefined && connection !== undefined) {
    throw new TypeError("Cannot use `connection` beside `client`: give one of them");
  }
  const made = connection === undefined ? client : connect(connection);
  if (!isClient(made)) {
    throw new TypeError("Cannot use `client` as it must be a URL or what `connect` answers");
  }
  return construct(made, config, made);
}

function mock<TRelations extends AnyRelations>(
  config?: RqliteDrizzleConfig<TRelations>,
): RqliteDatabase<TRelations, string> {
  const shown = "$client is not available on drizzle.mock()";
  return construct(NOBODY, readConfig(config), shown);
}

const refuse = (): Promise<never> =>
  Promise.reject(
    new InterfaceError("Cannot send a query of drizzle.mock() as it has no client: use drizzle()"),
  );

const NOBODY: RqliteClient = {
  query: refuse,
  execute: refuse,
  batch: refuse,
  first: refuse,
  value: refuse,
  transaction: refuse,
};

type AllInOne<TRelations extends AnyRelations> = RqliteDrizzleConfig<TRelations> & {
  client?: RqliteClient;
  connection?: string | URL | readonly (string | URL)[] | ConnectOptions;
};

const CONFIG = {
  relations: isRelations,
  logger: hasMethods("a boolean or a Logger", ["logQuery"], (value) => typeof value === "boolean"),
  cache: hasMethods("a Cache", ["strategy", "get", "put", "onMutate"]),
  jit: isBoolean,
  paramsInErrors: isBoolean,
  codecs: hasMethods("codecs, such as `rqliteCodecs`", []),
  // Of older versions, which took them.
  schema: refusing(
    "with drizzle-orm 1.0: give `relations`, which is what `defineRelations` answers",
  ),
  casing: refusing(
    "with drizzle-orm 1.0: make tables with `snakeCase.table` or `camelCase.table` of drizzle-orm/sqlite-core",
  ),
} satisfies Checks<RqliteDrizzleConfig> & Record<string, Check>;

// Both are checked where they are used.
const ALL_IN_ONE = { client() {}, connection() {}, ...CONFIG };

function readConfig<TRelations extends AnyRelations>(
  given: RqliteDrizzleConfig<TRelations> | undefined,
): RqliteDrizzleConfig<TRelations> {
  return readOptions(given, CONFIG as Checks<RqliteDrizzleConfig<TRelations>>);
}

function hasMethods(
  wanted: string,
  methods: readonly string[],
  fits: (value: unknown) => boolean = () => false,
): Check {
  return (value, name) => {
    if (fits(value)) return;
    const found = Object(value) as Record<string, unknown>;
    if (found === value && methods.every((method) => typeof found[method] === "function")) return;
    throw refused(name, wanted, value);
  };
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

function isClient(value: unknown): value is RqliteClient {
  const { query, execute, batch, transaction } = (value ?? {}) as Record<string, unknown>;
  return [query, execute, batch, transaction].every((method) => typeof method === "function");
}

function construct<TRelations extends AnyRelations, TClient>(
  client: RqliteClient,
  config: RqliteDrizzleConfig<TRelations>,
  shown: TClient,
): RqliteDatabase<TRelations, TClient> {
  const { relations = {} as TRelations, logger, cache, codecs, jit, paramsInErrors } = config;
  const parts = {
    dialect: dialectOf(codecs ?? rqliteCodecs, canCompile(jit)),
    relations,
    logger: loggerOf(logger),
    cache,
    paramsInErrors,
  };
  return new RqliteDatabase<TRelations, TClient>(client, parts, shown);
}

function loggerOf(logger: boolean | Logger | undefined): Logger {
  if (logger === true) return new DefaultLogger();
  return logger || new NoopLogger();
}
