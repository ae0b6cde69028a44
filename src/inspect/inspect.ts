import { isLevel } from "../calls/checks.ts";
import type { Executor, QueryOptions } from "../calls/executor.ts";
import { ProgrammingError } from "../errors.ts";
import { type Checks, isBoolean, isSignal, isTimeout, readOptions } from "../options.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { tableFrom, viewFrom, withReferences } from "./build_schema.ts";
import type { Schema } from "./schema.ts";
import { SCHEMA_QUERY, type SchemaRow, VIEW_QUERY } from "./schema_query.ts";

/** What {@linkcode inspect} takes. */
export interface InspectOptions extends Pick<QueryOptions, "signal" | "timeout" | "level"> {
  /** Also the tables that this client keeps for itself, `_rqlite_…`. @default {false} */
  internal?: boolean | undefined;
}

const INSPECT: Checks<InspectOptions> = {
  signal: isSignal,
  timeout: isTimeout,
  level: isLevel,
  internal: isBoolean,
};

/** Runs a read and answers its rows as objects. */
export type Read = (sql: string, params: readonly string[]) => Promise<unknown[]>;

/**
 * What the database holds: tables, views, their columns, keys, indexes and constraints. One request, unless there is a
 * view that does not compile any more.
 *
 * @param client A client, or a transaction, which also sees what it changed itself.
 * @throws {OperationalError} If the database cannot be asked: an unreachable server is never an empty schema.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { inspect } from "@tangled/rqlite/inspect";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL CHECK (name <> ''))");
 * const { tables: [users] } = await inspect(db);
 * console.log(users?.columns.map(({ name, type }) => `${name} ${type}`)); // [ "id INTEGER", "name TEXT" ]
 * console.log(users?.checks); // [ { name: undefined, expression: "name <> ''" } ]
 * await db.close();
 * ```
 */
export async function inspect(
  client: Pick<Executor, "query">,
  options?: InspectOptions,
): Promise<Schema> {
  if (typeof client?.query !== "function") {
    throw new TypeError(
      "Cannot use `client` as it must be what `connect` answers, or a transaction",
    );
  }
  const { internal, ...call } = readOptions(options, INSPECT);
  const read: Read = async (sql, params) => {
    const { rows } = await client.query(sql, params, {
      ...call,
      integers: "number",
      rows: "object",
    });
    return rows;
  };
  return await readSchema(read, internal ?? false);
}

/** The same by any way of reading. */
async function readSchema(read: Read, internal: boolean): Promise<Schema> {
  const all = await read(SCHEMA_QUERY, []) as SchemaRow[];
  const rows = all.filter(({ name }) => internal || !isOwnTable(name));
  const tables = rows.filter(({ kind }) => kind !== "view").map(tableFrom);
  const views = rows.filter(({ kind }) => kind === "view");
  return {
    tables: tables.map((table) => withReferences(table, tables)),
    views: (await Promise.all(views.map((row) => complete(row, read)))).map(viewFrom),
  };
}

/** A view whose columns were not told, because it or another one does not compile. */
async function complete(row: SchemaRow, read: Read): Promise<SchemaRow> {
  if (row.columns !== null) return row;
  try {
    const [first] = await read(VIEW_QUERY, [row.name]) as Pick<SchemaRow, "columns">[];
    return { ...row, ...first };
  } catch (error) {
    if (error instanceof ProgrammingError) return row;
    throw error;
  }
}
