import { type SQL, sql } from "drizzle-orm/sql";
import { isOwnTable, readForeignKeys, readMigration, runMigration } from "@tangled/rqlite/driver";
import type { RqliteDatabase } from "./database.ts";
import { dialectOf } from "./dialect.ts";

/** What drizzle-kit asks of a database that it pushes a schema to. */
export interface DrizzleKitTarget {
  /** The rows of a statement. */
  all(query: SQL): Promise<unknown[]>;
  /** Runs a statement. */
  run(query: SQL): Promise<unknown>;
}

/**
 * The database as `pushSQLiteSchema` of `drizzle-kit/api` should see it.
 *
 * It is without the tables that clients keep for commits and locks, which drizzle-kit would drop, since they are in no
 * schema. A table that is made anew is one transaction, without `PRAGMA foreign_keys`, which a server does not obey inside
 * of one: where it checks foreign keys and dropping the old table would delete or change rows that refer to it, `apply()`
 * throws a `NotSupportedError`, and nothing of that table was kept.
 *
 * @example
 * ```ts ignore
 * import { drizzle, forDrizzleKit } from "@tangled/rqlite-drizzle";
 * import { pushSQLiteSchema } from "drizzle-kit/api";
 * import * as schema from "./schema.ts";
 *
 * const db = drizzle("http://localhost:4001");
 * // Its types know the databases of other drivers only.
 * const { statementsToExecute, apply } = await pushSQLiteSchema(schema, forDrizzleKit(db) as never);
 * console.log(statementsToExecute);
 * await apply();
 * ```
 */
export function forDrizzleKit<TSchema extends Record<string, unknown>>(
  db: RqliteDatabase<TSchema>,
): DrizzleKitTarget {
  const target = new Target(db as unknown as RqliteDatabase);
  return { all: (query) => target.all(query), run: (query) => target.all(query) };
}

/** How drizzle-kit begins to make a table anew, and how it ends. */
const BEGINS = /^CREATE TABLE `__new_/;
const ENDS = /^ALTER TABLE `__new_.* RENAME TO /;

/** How it copies the rows. */
const COPIES = /^(INSERT INTO `__new_.*`)\((.*)\) SELECT .* FROM `(.*)`;$/;

const DIALECT = dialectOf();

class Target {
  readonly #db: RqliteDatabase;
  /** What makes a table anew, so far. */
  #rebuild: string[] | undefined;
  /** It goes on until foreign keys are turned on. */
  #untilOn = false;

  constructor(db: RqliteDatabase) {
    this.#db = db;
  }

  async all(query: SQL): Promise<unknown[]> {
    const text = DIALECT.sqlToQuery(query).sql;
    const keys = readForeignKeys(text);
    if (keys === "off" || BEGINS.test(text)) {
      this.#rebuild ??= [];
      this.#untilOn ||= keys === "off";
    }
    if (this.#rebuild === undefined) {
      return (await this.#db.all<Record<string, unknown>>(query)).filter(isForeign);
    }
    if (keys === undefined) this.#rebuild.push(text);
    if (keys === "on" || (!this.#untilOn && ENDS.test(text))) await this.#make();
    return [];
  }

  async #make(): Promise<void> {
    const statements = this.#rebuild ?? [];
    this.#rebuild = undefined;
    this.#untilOn = false;
    const chunks = ["PRAGMA foreign_keys = OFF"];
    for (const statement of statements) chunks.push(await this.#copyWhatIsThere(statement));
    const migration = readMigration("the push", chunks, true);
    await this.#db.transaction((tx) =>
      runMigration(tx.$transaction, migration, async (text) => await tx.run(sql.raw(text)))
    );
  }

  /** drizzle-kit 0.31 also copies columns that are new: SQLite would take such a name for a text, and put that into each row. */
  async #copyWhatIsThere(statement: string): Promise<string> {
    const [, into, list, table] = COPIES.exec(statement) ?? [];
    if (into === undefined || list === undefined || table === undefined) return statement;
    const rows = await this.#db.values<[string]>(
      sql`SELECT name FROM temp.pragma_table_xinfo(${table})`,
    );
    const old = new Set(rows.map(([name]) => `"${name}"`));
    const columns = list.split(", ").filter((column) => old.has(column)).join(", ");
    return columns === "" ? statement : `${into}(${columns}) SELECT ${columns} FROM \`${table}\``;
  }
}

function isForeign({ tableName, tableFrom, tbl_name }: Record<string, unknown>): boolean {
  return !isOwnTable(String(tableName ?? tableFrom ?? tbl_name ?? ""));
}
