import type {
  DatabaseIntrospector,
  Dialect,
  DialectAdapter,
  Driver,
  Kysely,
  QueryCompiler,
} from "kysely";
import type { Client } from "@tangled/rqlite";
import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
import { RqliteAdapter } from "./adapter.ts";
import { checkVersion, RqliteQueryCompiler } from "./compiler.ts";
import { RqliteDriver } from "./driver.ts";
import { RqliteIntrospector } from "./introspector.ts";
import { resolveConfig, type ResolvedOptions, type RqliteDialectConfig } from "./options.ts";

/**
 * rqlite for Kysely.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { RqliteDialect } from "@tangled/rqlite-kysely";
 * import { type Generated, Kysely } from "kysely";
 *
 * interface Database {
 *   users: { id: Generated<number>; name: string };
 * }
 * const client = connect(embedded()); // or connect("http://localhost:4001")
 * const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
 * await db.schema.createTable("users").addColumn("id", "integer", (c) => c.primaryKey())
 *   .addColumn("name", "text").execute();
 * await db.insertInto("users").values({ name: "Ada" }).execute();
 * console.log(await db.selectFrom("users").selectAll().execute()); // [ { id: 1, name: "Ada" } ]
 * await client.close();
 * ```
 */
export class RqliteDialect implements Dialect {
  readonly #client: Client;
  readonly #owned: boolean;
  readonly #options: ResolvedOptions;

  /**
   * Sends nothing.
   *
   * @throws {TypeError|RangeError} If an option is wrong.
   * @throws {NotSupportedError} If Kysely is older than 0.28.
   */
  constructor(config: RqliteDialectConfig) {
    checkVersion();
    const { client, owned, options } = resolveConfig(config);
    this.#client = client;
    this.#owned = owned;
    this.#options = options;
  }

  /** What runs the queries. */
  createDriver(): Driver {
    return new RqliteDriver(this.#client, this.#owned, this.#options.transaction);
  }

  /** SQLite's. */
  createQueryCompiler(): QueryCompiler {
    return new RqliteQueryCompiler();
  }

  /** What Kysely has to know of the database. */
  createAdapter(): DialectAdapter {
    const { timeout, leaseDuration, transactionalMigrations } = this.#options;
    const lockOf = (name: string): RqliteLock =>
      // A migration takes as long as it takes.
      new RqliteLock({ name, client: this.#client, leaseDuration, maxHoldTime: Infinity });
    return new RqliteAdapter({ lockOf, timeout, transactionalMigrations });
  }

  /** What reads the schema. */
  // deno-lint-ignore no-explicit-any -- Kysely's own signature.
  createIntrospector(db: Kysely<any>): DatabaseIntrospector {
    return new RqliteIntrospector(db);
  }
}
