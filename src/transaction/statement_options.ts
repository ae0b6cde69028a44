import { BATCH, EXECUTE, NO_ROWS, QUERY } from "../calls/checks.ts";
import type { BatchOptions, ExecuteOptions } from "../calls/executor.ts";
import { type Checks, isBoolean, refusing } from "../options.ts";
import type { TransactionQueryOptions } from "./transaction.ts";

const OF_THE_WHOLE = refusing("for one statement of a transaction: give it where that begins");

const CHECKED_AT_COMMIT = refusing(
  "inside a transaction, whose reads are checked on the newest state at commit: leave it out",
);

const LEVELS = {
  level: OF_THE_WHOLE,
  freshness: CHECKED_AT_COMMIT,
  freshnessStrict: CHECKED_AT_COMMIT,
} as const;

/** {@linkcode TransactionQueryOptions}, checked. */
export const TX_QUERY: Checks<TransactionQueryOptions> = { ...QUERY, ...LEVELS, guard: isBoolean };

/** The same for one value. */
export const TX_VALUE: Checks<TransactionQueryOptions> = { ...TX_QUERY, ...NO_ROWS };

/** What `execute` takes inside a transaction: what is told of its one commit has no meaning for a statement in it. */
export const TX_EXECUTE: Checks<ExecuteOptions> = {
  ...EXECUTE,
  id: refusing("inside a transaction: its commit has one, see tx.id"),
  exactlyOnce(value, name) {
    isBoolean(value, name);
    if (value === true) return;
    throw new TypeError(
      "Cannot use `exactlyOnce: false` inside a transaction: its commit takes effect at most once in any case",
    );
  },
};

/** What `batch` takes inside a transaction. */
export const TX_BATCH: Checks<BatchOptions> = { ...BATCH, ...TX_EXECUTE, ...LEVELS };
