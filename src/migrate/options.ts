import { checkLock, isWellFormed } from "../locks/acquire_options.ts";
import type { Lock } from "../locks/lock.ts";
import {
  type Check,
  type Checks,
  isBoolean,
  isName,
  isSignal,
  isTimeout,
  isUrl,
  kindOf,
  refused,
  unknownOption,
} from "../options.ts";
import { isOwnTable } from "../sql/own_tables.ts";

/**
 * A migration in code: what a file of a folder would hold.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { type MigrationSource, status } from "@tangled/rqlite/migrate";
 *
 * const users: MigrationSource = {
 *   name: "0001_users",
 *   sql: "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)",
 *   down: "DROP TABLE users",
 * };
 * const db = connect(embedded());
 * const [first] = await status(db, { migrations: [users] });
 * console.log(first?.state); // pending
 * await db.close();
 * ```
 */
export interface MigrationSource {
  /** A number, `_` or `-`, and a name, such as `0001_users`; `.sql` behind it means nothing. */
  readonly name: string;
  /** What it does: statements of SQLite with `;` between them. */
  readonly sql: string;
  /** What takes it back. */
  readonly down?: string | undefined;
}

/** What {@linkcode status} takes: where the migrations are, and where it is noted which of them were applied. */
export interface StatusOptions {
  /**
   * A folder of files such as `0001_users.sql`, with `0001_users.down.sql` beside one that can be taken back: a path, from
   * the working directory on, or a `file:` URL. Files that begin with a dot are left alone, any other is refused.
   */
  folder?: string | URL | undefined;
  /** The same in code, in any order: for Workers, browsers and programs that are one file. */
  migrations?: readonly MigrationSource[] | undefined;
  /** The table of what was applied, made by the first migration. @default {"rqlite_migrations"} */
  table?: string | undefined;
  /** Ends the call with its reason; what was applied until then stays. */
  signal?: AbortSignal | undefined;
  /** Milliseconds for everything, the wait for others that migrate included. @default {60000} */
  timeout?: number | undefined;
}

/** What {@linkcode migrate} takes. */
export interface MigrateOptions extends StatusOptions {
  /**
   * Held while something is applied, so that others wait in place of sending the same. By default an `RqliteLock`, kept in
   * the database itself. Each migration is applied once without any lock, too.
   */
  lock?: Lock | undefined;
  /**
   * The migration that shall be the last one applied: those behind it are taken back or left, those up to it applied.
   * `"none"` takes all back. @default the last one
   */
  to?: string | undefined;
  /** Answers what would be done, and writes nothing. @default {false} */
  dryRun?: boolean | undefined;
}

const isFolder: Check = (value, name) => {
  if (typeof value === "string" && /^file:/i.test(value)) {
    throw new TypeError(`Cannot use \`${name}\` as it is the text of a URL: give new URL(${name})`);
  }
  if (!isUrl(value)) return isName(value, name);
  const { protocol } = value;
  if (protocol === "file:") return;
  throw new TypeError(
    `Cannot use \`${name}\` as it is a URL of ${protocol}, and only those of file: are folders: ` +
      "give what is behind it in `migrations`",
  );
};

/** Of a {@linkcode MigrationSource}. */
const MEMBERS: readonly string[] = ["name", "sql", "down"];

const isList: Check = (value, name) => {
  if (!Array.isArray(value)) throw refused(name, "a list of { name, sql }", value);
  for (const [i, one] of value.entries()) {
    const source = (one ?? {}) as Record<string, unknown>;
    const { name: given, sql, down = "" } = source;
    const place = `${name}[${i}]`;
    isName(given, `${place}.name`);
    isWellFormed(given, `${place}.name`);
    const other = Object.keys(source).find((key) => !MEMBERS.includes(key));
    if (other !== undefined) throw unknownOption(other, MEMBERS, `member of ${place}`);
    for (const [text, key] of [[sql, "sql"], [down, "down"]] as const) {
      if (typeof text === "string") {
        isWellFormed(text, `${place}.${key}`);
        continue;
      }
      throw new TypeError(
        `Cannot use \`${name}\` as \`${key}\` of ${given} must be text: current value is ${
          kindOf(text)
        }`,
      );
    }
  }
};

const isTable: Check = (value, name) => {
  isName(value, name);
  if (!isOwnTable(value as string) && !/^sqlite_/i.test(value as string)) return;
  throw new TypeError(`Cannot use \`${name}\` as ${value} has another use: choose another name`);
};

const isLock: Check = (lock) => checkLock(lock);

/** {@linkcode StatusOptions}, checked. */
export const STATUS: Checks<StatusOptions> = {
  folder: isFolder,
  migrations: isList,
  table: isTable,
  signal: isSignal,
  timeout: isTimeout,
};

/** {@linkcode MigrateOptions}, checked. */
export const MIGRATE: Checks<MigrateOptions> = {
  ...STATUS,
  lock: isLock,
  to: isName,
  dryRun: isBoolean,
};
