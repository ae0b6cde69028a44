import { ASK, QUERY } from "../calls/checks.ts";
import type { CallOptions, QueryOptions } from "../calls/executor.ts";
import {
  type Check,
  type Checks,
  isBoolean,
  isFunction,
  isName,
  numeric,
  oneOf,
  refused,
} from "../options.ts";

/**
 * What `iterate` takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.script("CREATE TABLE visits(at TEXT UNIQUE, page TEXT); INSERT INTO visits VALUES('2026-01-01', '/')");
 * const sql = "SELECT page, max(at) AS last FROM visits GROUP BY page";
 * for await (const row of db.iterate(sql, [], { by: "last", pageSize: 500 })) console.log(row.page); // /
 * await db.close();
 * ```
 */
export interface IterateOptions extends QueryOptions {
  /** Rows asked for at a time. @default {1000} */
  pageSize?: number | undefined;
  /** The result column whose order the pages follow: unique and never NULL. @default the table's rowid */
  by?: string | undefined;
}

/** What `session` takes. */
export interface SessionOptions {
  /**
   * What happens where the database does not have what the session has seen, as it is not the one of the bookmark, or
   * another one was loaded since: the call is a `StaleReadError`. With `false` the session begins anew with what the leader has,
   * and a text that is no bookmark counts as none: for one that comes from outside, such as in a cookie. @default {true}
   */
  strict?: boolean | undefined;
}

/**
 * What `insertMany` takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT)");
 * const rows = [[1, "a"], [2, "b"], [2, "c"]];
 * await db.insertMany("tags", rows, { columns: ["id", "name"], onConflict: "replace" });
 * console.log(await db.value("SELECT name FROM tags WHERE id = 2")); // c
 * await db.close();
 * ```
 */
export interface InsertManyOptions extends CallOptions {
  /** Ends the call with the signal's own reason; what was sent before stays, and a request under way may be applied. */
  signal?: AbortSignal | undefined;
  /** Milliseconds of each request, over all its attempts; `signal` can limit the whole. @default {30000} */
  timeout?: number | undefined;
  /** The columns that the values are for. @default the keys of the first row; of a list, all columns in the table's order */
  columns?: readonly string[] | undefined;
  /**
   * A row that something unique is in the way of: an error, left out, or put in the place of what is there. "ignore"
   * leaves out rows that break NOT NULL or CHECK, too. @default {"error"}
   */
  onConflict?: "error" | "ignore" | "replace" | undefined;
  /** Called behind each request with the number of rows that were given and are done, from the first on. */
  onProgress?: ((rows: number) => void) | undefined;
}

/** What `enqueue` takes. */
export interface EnqueueOptions extends CallOptions {
  /** Waits until the statements are in the log of the cluster; an error of one of them is not told even so. @default {false} */
  wait?: boolean | undefined;
}

/** What `load` and `boot` take. */
export interface LoadOptions extends CallOptions {
  /** Called with the number of bytes that were handed over so far; the last call is that of the whole. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/**
 * What `backup` takes.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE notes(body TEXT)");
 * const text = await new Response(await db.backup({ format: "sql" })).text();
 * console.log(text.includes("CREATE TABLE notes(body TEXT)")); // true
 * await db.close();
 * ```
 */
export interface BackupOptions extends LoadOptions {
  /** Ends the call, and the stream that it gave, with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the stream begins; after that only `signal` ends it. @default {30000} */
  timeout?: number | undefined;
  /**
   * A database file in WAL mode, one in DELETE mode, which any program opens as it is, or SQL text. "delete" needs rqlite
   * 8.42. @default {"binary"}
   */
  format?: "binary" | "sql" | "delete" | undefined;
  /** Makes the file as small as it can be, and in DELETE mode; for "binary" only. @default {false} */
  vacuum?: boolean | undefined;
  /** The bytes of a gzip file. With "sql" it needs rqlite 8.36.13. @default {false} */
  compress?: boolean | undefined;
  /** Only these tables, but all indexes, triggers and views; for "sql" only, and needs rqlite 8.43. @default all */
  tables?: readonly string[] | undefined;
  /** Takes what the node that is asked has itself, be it old or without a leader. @default {false} */
  noLeader?: boolean | undefined;
  /** Called with the number of bytes that came so far, each time that some did. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/** What `nodes` takes. */
export interface NodesOptions extends CallOptions {
  /** Read replicas, too. @default {false} */
  nonVoters?: boolean | undefined;
}

/** What `ready` takes. */
export interface ReadyOptions extends CallOptions {
  /** Asks only whether the node answers, not whether it knows a leader. @default {false} */
  noLeader?: boolean | undefined;
  /** Waits until the node has received what the leader has committed, up to `timeout`. @default {false} */
  sync?: boolean | undefined;
}

/** What `stepDown` takes. */
export interface StepDownOptions extends CallOptions {
  /** The id of the node that shall lead next. @default any that has the whole log */
  to?: string | undefined;
  /** Waits until another node leads. Without it the user needs the permission `query`, too. @default {true} */
  wait?: boolean | undefined;
}

/** How each of {@linkcode IterateOptions} is checked. */
export const ITERATE: Checks<IterateOptions> = {
  ...QUERY,
  pageSize: numeric("a positive integer", (n) => Number.isInteger(n) && n > 0),
  by: isName,
};

/** How each of {@linkcode SessionOptions} is checked. */
export const SESSION: Checks<SessionOptions> = { strict: isBoolean };

const isColumns: Check = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) {
    throw refused(name, "a list of one name or more", value);
  }
  for (const column of value) isName(column, name);
};

/** How each of {@linkcode InsertManyOptions} is checked. */
export const INSERT_MANY: Checks<InsertManyOptions> = {
  ...ASK,
  columns: isColumns,
  onConflict: oneOf("error", "ignore", "replace"),
  onProgress: isFunction,
};

/** Names as `backup` may hand them on: the server takes one text with commas, and blanks around names away. */
const isTableList: Check = (value, name) => {
  const fits = Array.isArray(value) && value.length > 0 &&
    value.every((table) => typeof table === "string" && /^(?!\s)[^,]+(?<!\s)$/.test(table));
  if (!fits) throw refused(name, "a list of names without commas, and blanks around them", value);
};

/** How each of {@linkcode LoadOptions} is checked. */
export const LOAD: Checks<LoadOptions> = { ...ASK, onProgress: isFunction };

/** How each of {@linkcode BackupOptions} is checked. */
export const BACKUP: Checks<BackupOptions> = {
  ...LOAD,
  format: oneOf("binary", "sql", "delete"),
  vacuum: isBoolean,
  compress: isBoolean,
  tables: isTableList,
  noLeader: isBoolean,
};

/** How each of {@linkcode EnqueueOptions} is checked. */
export const ENQUEUE: Checks<EnqueueOptions> = { ...ASK, wait: isBoolean };

/** How each of {@linkcode NodesOptions} is checked. */
export const NODES: Checks<NodesOptions> = { ...ASK, nonVoters: isBoolean };

/** How each of {@linkcode ReadyOptions} is checked. */
export const READY: Checks<ReadyOptions> = { ...ASK, noLeader: isBoolean, sync: isBoolean };

/** How each of {@linkcode StepDownOptions} is checked. */
export const STEP_DOWN: Checks<StepDownOptions> = { ...ASK, to: isName, wait: isBoolean };
