import {
  type DatabaseMetadataOptions,
  type Kysely,
  SqliteIntrospector,
  type TableMetadata,
} from "kysely";
import { type Column, inspect } from "@tangled/rqlite/inspect";
import { withConnection } from "./connection.ts";

/** The names of Kysely's own tables, which it exports from different modules in its versions. */
const KYSELY_TABLES: readonly string[] = ["kysely_migration", "kysely_migration_lock"];

/** Reads the schema in one request; inside of a transaction, with what that has changed. */
export class RqliteIntrospector extends SqliteIntrospector {
  // deno-lint-ignore no-explicit-any -- Kysely's own signature.
  readonly #db: Kysely<any>;

  /** Sends nothing. */
  // deno-lint-ignore no-explicit-any -- Kysely's own signature.
  constructor(db: Kysely<any>) {
    super(db);
    this.#db = db;
  }

  /** Tables and views, without those that this client keeps for itself. */
  override async getTables(options?: DatabaseMetadataOptions): Promise<TableMetadata[]> {
    const { tables, views } = await withConnection(
      this.#db,
      (connection) => connection.run((executor) => inspect(executor)),
    );
    const all = [
      ...tables.map((table) => metadata(table, false, table.primaryKey?.rowid ?? false)),
      ...views.map((view) => metadata(view, true, false)),
    ];
    const own = options?.withInternalKyselyTables ?? false;
    return all.filter(({ name }) => own || !KYSELY_TABLES.includes(name))
      .sort((a, b) => a.name < b.name ? -1 : 1);
  }
}

/** Kysely's introspector for SQLite says so too, but its type does not let it be said. */
const NO_COMMENT: object = { comment: undefined };

function metadata(
  { name, columns }: { readonly name: string; readonly columns: readonly Column[] },
  isView: boolean,
  rowid: boolean,
): TableMetadata {
  // By a name, as 0.28 does not know `isForeign`.
  const table = {
    name,
    isView,
    isForeign: false,
    columns: columns.filter(({ hidden }) => !hidden).map((column) => ({
      name: column.name,
      dataType: column.type,
      // As Kysely has it for SQLite: a rowid that is not declared NOT NULL takes NULL for "make one".
      isNullable: !column.notNull,
      isAutoIncrementing: rowid && column.primaryKey > 0,
      hasDefaultValue: column.default !== undefined,
      ...NO_COMMENT,
    })),
  };
  return table;
}
