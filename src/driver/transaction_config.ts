import { type Checks, readOptions } from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";

/**
 * How a transaction of Drizzle is run: the client's options, except that it runs once unless `retries` says otherwise, and
 * takes its turn unless `turns` does.
 */
export interface RqliteTransactionConfig
  extends Omit<TransactionOptions, "integers" | "rows" | "driver"> {
  /** Drizzle's own, of which only "deferred" can be honoured: nothing is locked on the server. */
  behavior?: "deferred" | "immediate" | "exclusive" | "concurrent" | undefined;
  /** Runs of the function after the first, on conflict. @default {0} */
  retries?: number | undefined;
  /** Waits for earlier transactions of this client, so that they do not collide. @default {true} */
  turns?: boolean | undefined;
}

const { integers: _integers, rows: _rows, driver: _driver, ...REST } = TRANSACTION;

const CONFIG: Checks<RqliteTransactionConfig> = {
  ...REST,
  behavior(value) {
    if (value === "deferred") return;
    throw new TypeError(
      'Cannot use `behavior` as it must be "deferred", since nothing is locked on the server ' +
        `(\`lock\` makes others wait): current value is ${String(value)}`,
    );
  },
};

/**
 * Reads the config of a transaction.
 *
 * @throws {TypeError} If an option is unknown or cannot be honoured.
 */
export function readConfig(config?: RqliteTransactionConfig): TransactionOptions {
  const { behavior: _, ...options } = readOptions(config, CONFIG);
  return { driver: true, ...options };
}

/**
 * Refuses options for a nested transaction, which is a savepoint of the one around it.
 *
 * @throws {TypeError} If there is one.
 */
export function refuseConfig(config: RqliteTransactionConfig | undefined): void {
  const [name] = Object.keys(readOptions(config, CONFIG));
  if (name === undefined) return;
  throw new TypeError(
    `Cannot use \`${name}\` in a nested transaction: give it to the transaction around it`,
  );
}
