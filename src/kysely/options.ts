import type { Client } from "../database/client.ts";
import { connect } from "../database/connect.ts";
import type { ConnectOptions } from "../database/options.ts";

/** How migrators exclude each other. */
export interface MigrationLock {
  /** Milliseconds to wait for another migrator; Infinity waits. @default {60000} */
  timeout?: number;
  /** Milliseconds after which the lock of a migrator that died is taken over. @default {10000} */
  leaseDuration?: number;
}

/** What every dialect takes. */
export interface RqliteDialectOptions {
  /** How migrators exclude each other. */
  migrationLock?: MigrationLock;
  /**
   * Runs all pending migrations in one transaction: all or nothing, also when the migrator dies. Without it they are as
   * with other SQLite dialects: what a failed migration did stays. @default {false}
   */
  transactionalMigrations?: boolean;
}

/** What {@linkcode RqliteDialect} takes: a client, or where to connect. */
export type RqliteDialectConfig =
  & RqliteDialectOptions
  & (
    | {
      /** A client that the caller keeps: `db.destroy()` leaves it open. */
      client: Client;
      /** Only in place of `client`. */
      url?: never;
    }
    | {
      /** Where to connect, or options of `connect`; `db.destroy()` closes what was made. */
      url: string | readonly string[] | ConnectOptions;
      /** Only in place of `url`. */
      client?: never;
    }
  );

/** {@linkcode RqliteDialectOptions} with every default filled in. */
export interface ResolvedOptions {
  readonly timeout: number;
  readonly leaseDuration: number;
  readonly transactionalMigrations: boolean;
}

const LOCK_TIMEOUT = 60_000;
const LEASE = 10_000;

/**
 * Reads what the user passed to {@linkcode RqliteDialect}; a client that has to be made is made.
 *
 * @returns With `owned`, whether the client was made here.
 * @throws {TypeError|RangeError} If an option is wrong.
 */
export function resolveConfig(
  config: RqliteDialectConfig,
): { readonly client: Client; readonly owned: boolean; readonly options: ResolvedOptions } {
  const { client, url, migrationLock = {}, transactionalMigrations = false } = (config ?? {}) as
    & RqliteDialectOptions
    & { client?: Client; url?: string | readonly string[] | ConnectOptions };
  if ((client === undefined) === (url === undefined)) {
    throw new TypeError("Cannot make the dialect as it needs either `client` or `url`");
  }
  if (client !== undefined && typeof client?.begin !== "function") {
    throw new TypeError("Cannot use `client` as it must be what `connect` answers");
  }
  if (typeof transactionalMigrations !== "boolean") {
    throw new TypeError(
      `Cannot use \`transactionalMigrations\` as it must be a boolean: current value is ${
        String(transactionalMigrations)
      }`,
    );
  }
  const { timeout = LOCK_TIMEOUT, leaseDuration = LEASE } = migrationLock;
  check("timeout", timeout, timeout >= 0, "0");
  check("leaseDuration", leaseDuration, leaseDuration >= 10 && leaseDuration < 2 ** 31, "10");
  return {
    client: client ?? connect(url),
    owned: client === undefined,
    options: { timeout, leaseDuration, transactionalMigrations },
  };
}

function check(name: string, value: unknown, fits: boolean, least: string): void {
  if (typeof value === "number" && fits) return;
  throw new RangeError(
    `Cannot use \`migrationLock.${name}\` as it must be a number of milliseconds from ${least} on: ` +
      `current value is ${String(value)}`,
  );
}
