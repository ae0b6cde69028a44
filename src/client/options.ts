import { CLIENT, type ClientOptions } from "../calls/options.ts";
import { type Checks, readOptions } from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";

/** What `connect` takes; per-call options win over these. */
export interface ConnectOptions extends ClientOptions {
  /** Defaults of transactions. */
  transaction?: TransactionOptions | undefined;
}

/** {@linkcode ConnectOptions}, checked. */
export const CONNECT: Checks<ConnectOptions> = {
  ...CLIENT,
  transaction: (value, name) =>
    void readOptions(value as TransactionOptions, TRANSACTION, `\`${name}\``),
};
