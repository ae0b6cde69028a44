import type { ClientOptions } from "../client/options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";

/** What `connect` takes; per-call options win over these. */
export interface ConnectOptions extends ClientOptions {
  /** Defaults of transactions. */
  transaction?: TransactionOptions;
}
