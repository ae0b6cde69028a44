import { ASK } from "../calls/checks.ts";
import type { CallOptions } from "../calls/executor.ts";
import { type Check, type Checks, isBoolean, isFunction, oneOf, refused } from "../options.ts";

/** What `load` and `boot` take. */
export interface LoadOptions extends CallOptions {
  /** Called with the number of bytes that were handed over so far; the last call is that of the whole. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/** What `backup` takes. */
export interface BackupOptions extends LoadOptions {
  /** Ends the call, and the stream that it gave, with the signal's own reason. */
  signal?: AbortSignal | undefined;
  /** Milliseconds until the stream begins; after that only `signal` ends it. @default {30000} */
  timeout?: number | undefined;
  /**
   * A database file in WAL mode, one in DELETE mode, which any program opens as it is, or SQL text. "delete" needs rqlite
   * 8.42. @default {"binary"}
   */
  format?: "binary" | "sql" | "delete" | undefined;
  /** Makes the file as small as it can be, and in DELETE mode; for "binary" only. @default {false} */
  vacuum?: boolean | undefined;
  /** The bytes of a gzip file. With "sql" it needs rqlite 8.36.13. @default {false} */
  compress?: boolean | undefined;
  /** Only these tables, but all indexes, triggers and views; for "sql" only, and needs rqlite 8.43. @default all */
  tables?: readonly string[] | undefined;
  /** Takes what the node that is asked has itself, be it old or without a leader. @default {false} */
  noLeader?: boolean | undefined;
  /** Called with the number of bytes that came so far, each time that some did. */
  onProgress?: ((bytes: number) => void) | undefined;
}

/** What `enqueue` takes. */
export interface EnqueueOptions extends CallOptions {
  /** Waits until the statements are in the log of the cluster; an error of one of them is not told even so. @default {false} */
  wait?: boolean | undefined;
}

/** The server takes one text with commas, and blanks around names away. */
const isTables: Check = (value, name) => {
  const fits = Array.isArray(value) && value.length > 0 &&
    value.every((table) => typeof table === "string" && /^(?!\s)[^,]+(?<!\s)$/.test(table));
  if (!fits) throw refused(name, "a list of names without commas, and blanks around them", value);
};

/** {@linkcode LoadOptions}, checked. */
export const LOAD: Checks<LoadOptions> = { ...ASK, onProgress: isFunction };

/** {@linkcode BackupOptions}, checked. */
export const BACKUP: Checks<BackupOptions> = {
  ...LOAD,
  format: oneOf("binary", "sql", "delete"),
  vacuum: isBoolean,
  compress: isBoolean,
  tables: isTables,
  noLeader: isBoolean,
};

/** {@linkcode EnqueueOptions}, checked. */
export const ENQUEUE: Checks<EnqueueOptions> = { ...ASK, wait: isBoolean };
