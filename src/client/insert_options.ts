import { ASK } from "../calls/checks.ts";
import type { CallOptions } from "../calls/executor.ts";
import { type Check, type Checks, isFunction, isName, oneOf, refused } from "../options.ts";

/** What `insertMany` takes. */
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

const isColumns: Check = (value, name) => {
  if (!Array.isArray(value) || value.length === 0) {
    throw refused(name, "a list of one name or more", value);
  }
  for (const column of value) isName(column, name);
};

/** {@linkcode InsertManyOptions}, checked. */
export const INSERT_MANY: Checks<InsertManyOptions> = {
  ...ASK,
  columns: isColumns,
  onConflict: oneOf("error", "ignore", "replace"),
  onProgress: isFunction,
};
