import {
  type Checks,
  isBoolean,
  isLease,
  isWait,
  readOptions,
  TRANSACTION,
} from "@tangled/rqlite/driver";
import {
  type Client,
  connect,
  type ConnectOptions,
  type TransactionOptions,
} from "@tangled/rqlite";

/** How migrators exclude each other. */
export interface MigrationLock {
  /** Milliseconds to wait for another migrator; Infinity waits. @default {60000} */
  timeout?: number | undefined;
  /** Milliseconds after which the lock of a migrator that died is taken over. @default {10000} */
  leaseDuration?: number | undefined;
}

/** How a transaction is run: as by the client, but once, in its turn, and with the result of each query at once. */
export interface RqliteTransactionOptions
  extends Omit<TransactionOptions, "driver" | "mode" | "rows"> {
  /** Kysely answers counts and ids at once. @default {"eager"} */
  mode?: "eager" | undefined;
  /** Runs of the function after the first, on conflict; only by `transaction()`. @default {0} */
  retries?: number | undefined;
  /** Waits for earlier transactions of this client, so that they do not collide. @default {true} */
  turns?: boolean | undefined;
}

/** What every dialect takes. */
export interface RqliteDialectOptions {
  /**
   * Defaults of transactions, before those of `connect({ transaction })`: of `db.transaction()`, `db.startTransaction()`
   * and `transaction()`. What is set for one transaction wins.
   */
  transaction?: RqliteTransactionOptions | undefined;
  /** How migrators exclude each other. */
  migrationLock?: MigrationLock | undefined;
  /**
   * Runs all pending migrations in one transaction: all or nothing, also when the migrator dies. Without it they are as
   * with other SQLite dialects: what a failed migration did stays. @default {false}
   */
  transactionalMigrations?: boolean | undefined;
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
      url: string | URL | readonly (string | URL)[] | ConnectOptions;
      /** Only in place of `url`. */
      client?: never;
    }
  );

/** The options of a dialect, checked, with every default. */
export interface ResolvedOptions {
  /** Milliseconds that a migrator waits for others. */
  readonly timeout: number;
  /** Milliseconds after which the lock of a migrator that died is taken over. */
  readonly leaseDuration: number;
  /** Whether all pending migrations are one transaction. */
  readonly transactionalMigrations: boolean;
  /** What transactions take. */
  readonly transaction: RqliteTransactionOptions;
}

type Config = RqliteDialectOptions & {
  client?: Client | undefined;
  url?: string | URL | readonly (string | URL)[] | ConnectOptions | undefined;
};

const MIGRATION_LOCK: Checks<MigrationLock> = {
  timeout: (value) => isWait(value, "migrationLock.timeout"),
  leaseDuration: (value) => isLease(value, "migrationLock.leaseDuration"),
};

const { driver: _driver, mode: _mode, rows: _rows, ...HONOURED } = TRANSACTION;

/** {@linkcode RqliteTransactionOptions}, checked. */
const OPTIONS: Checks<RqliteTransactionOptions> = {
  ...HONOURED,
  mode(value) {
    if (value === "eager") return;
    throw new TypeError(
      'Cannot use `mode` as it must be "eager" for Kysely, which answers counts and ids at once: leave it out, or use ' +
        "batch() for many writes in one request",
    );
  },
};

/**
 * Reads the options of a transaction.
 *
 * @throws {TypeError|RangeError} If one of them is wrong, or cannot be honoured.
 */
export function readTransaction(
  options: RqliteTransactionOptions | undefined,
  name?: string,
): RqliteTransactionOptions {
  return readOptions(options, OPTIONS, name);
}

const DIALECT: Checks<Config> = {
  client(value) {
    if (typeof (value as Partial<Client> | null)?.begin === "function") return;
    throw new TypeError("Cannot use `client` as it must be what `connect` answers");
  },
  // `connect` checks it.
  url() {},
  migrationLock() {},
  transaction() {},
  transactionalMigrations: isBoolean,
};

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
  const { client, url, migrationLock, transactionalMigrations = false, ...given } = readOptions(
    config as Config | undefined,
    DIALECT,
  );
  const transaction = readTransaction(given.transaction, "`transaction`");
  if ((client === undefined) === (url === undefined)) {
    throw new TypeError("Cannot make the dialect as it needs either `client` or `url`");
  }
  const { timeout = LOCK_TIMEOUT, leaseDuration = LEASE } = readOptions(
    migrationLock,
    MIGRATION_LOCK,
    "`migrationLock`",
  );
  return {
    client: client ?? connect(url),
    owned: client === undefined,
    options: { timeout, leaseDuration, transactionalMigrations, transaction },
  };
}
