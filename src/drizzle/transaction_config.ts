import type { SQLiteTransactionConfig } from "drizzle-orm/sqlite-core";
import type { TransactionOptions } from "../transaction/transaction.ts";

/** How a transaction of Drizzle is run: the client's options, except that it runs once unless `retries` says otherwise. */
export interface RqliteTransactionConfig
  extends SQLiteTransactionConfig, Omit<TransactionOptions, "integers" | "rows"> {
  /** Runs of the function after the first, on conflict. @default {0} */
  retries?: number;
}

/** By type, so that none is forgotten. */
const KNOWN: Readonly<Record<keyof RqliteTransactionConfig, true>> = {
  behavior: true,
  isolation: true,
  level: true,
  lock: true,
  mode: true,
  readOnly: true,
  retries: true,
  scope: true,
  signal: true,
  timeout: true,
  timeoutPer: true,
};

/**
 * Reads the config of a transaction.
 *
 * @throws {TypeError} If an option is unknown or cannot be honoured.
 */
export function readConfig(config: RqliteTransactionConfig = {}): TransactionOptions {
  const { behavior, ...options } = config;
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(KNOWN, name)) continue;
    const known = Object.keys(KNOWN).join(", ");
    throw new TypeError(`Cannot use \`${name}\` as it is unknown: it may be one of ${known}`);
  }
  if (behavior !== undefined && behavior !== "deferred") {
    throw new TypeError(
      'Cannot use `behavior` as it must be "deferred", since nothing is locked on the server ' +
        `(\`lock\` makes others wait): current value is ${behavior}`,
    );
  }
  return { retries: 0, ...options };
}

/** @throws {TypeError} If a nested transaction is given options: it is a savepoint of the one around it. */
export function refuseConfig(config: RqliteTransactionConfig | undefined): void {
  const [name] = Object.keys(config ?? {});
  if (name === undefined) return;
  throw new TypeError(
    `Cannot use \`${name}\` in a nested transaction: give it to the transaction around it`,
  );
}
