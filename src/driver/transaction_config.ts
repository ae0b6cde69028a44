import { type Check, type Checks, oneOf, readOptions } from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import type { Passing } from "./passing.ts";

/**
 * How a transaction of Drizzle is run: the client's options, except that it runs once unless `retries` says otherwise, and
 * takes its turn unless `turns` does.
 */
export interface RqliteTransactionConfig
  extends Omit<TransactionOptions, "integers" | "rows" | "driver"> {
  /**
   * Drizzle's own. "deferred" is what every transaction is; "concurrent" stands for `turns: false`. The others are refused:
   * nothing is locked on the server, so `lock` and `retries` are for what they are used for.
   */
  behavior?: "deferred" | "immediate" | "exclusive" | "concurrent" | undefined;
  /** Runs of the function after the first, on conflict. @default {0} */
  retries?: number | undefined;
  /** Waits for earlier transactions of this client, so that they do not collide. @default {true} */
  turns?: boolean | undefined;
}

const { integers: _integers, rows: _rows, driver: _driver, ...REST } = TRANSACTION;

const CONFIG: Checks<RqliteTransactionConfig> = {
  ...REST,
  behavior(value, name) {
    if (value === "deferred" || value === "concurrent") return;
    BEHAVIORS(value, name);
    throw new TypeError(
      `Cannot use \`behavior: "${value}"\` as nothing is locked on the server: give \`lock\` where others must wait, ` +
        "`retries` where the function may run again on a conflict, or leave it out, which is serializable, too",
    );
  },
};

const BEHAVIORS: Check = oneOf("deferred", "immediate", "exclusive", "concurrent");

/** What a cache is told of. */
export interface ToldCache {
  /** Some tables have changed. */
  onMutate(change: { tables: string[] }): Promise<void>;
}

/**
 * Runs a function as a transaction of Drizzle. One of a transaction is a nested one, which has no options.
 *
 * @param cache Told of the tables that the function has changed, once it has ended.
 * @param fn Adds the tables to the set.
 * @throws {TypeError} If an option is unknown or cannot be honoured.
 */
export function runTransaction<T>(
  passing: Passing,
  config: RqliteTransactionConfig | undefined,
  cache: ToldCache | undefined,
  fn: (tx: Transaction, changed: Set<string>) => Promise<T>,
): Promise<T> {
  return passing.follow(async () => {
    const changed = new Set<string>();
    if (passing.nested) refuseConfig(config);
    const options = passing.nested ? undefined : readConfig(config);
    try {
      return await passing.client.transaction((tx) => fn(tx, changed), options);
    } finally {
      // Also after a failure: nobody knows what became of a commit whose answer was lost.
      if (changed.size > 0) await cache?.onMutate({ tables: [...changed] });
    }
  });
}

function readConfig(config?: RqliteTransactionConfig): TransactionOptions {
  const { behavior, ...options } = readOptions(config, CONFIG);
  if (behavior === "concurrent" && options.turns === true) {
    throw new TypeError('Cannot use `turns: true` beside `behavior: "concurrent"`: leave one out');
  }
  return { driver: true, ...behavior === "concurrent" && { turns: false }, ...options };
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
