import {
  type Check,
  type Checks,
  isBoolean,
  isName,
  isTables,
  isUrl,
  readOptions,
  refused,
} from "../options.ts";
import { isDuration, isPositive } from "./options.ts";

/** What {@linkcode cdcConfig} takes; durations are in milliseconds. */
export interface CdcConfigOptions {
  /** Where the server posts to: the URL of what a `changeFeed` is mounted at, http or https. */
  endpoint: string | URL;
  /** The `secret` of the feed. It is written into the URL, so the file is for the server alone. */
  secret?: string | undefined;
  /** Names the cluster to its feed. @default none */
  serviceId?: string | undefined;
  /** The tables whose changes are sent, by their names in any case. @default all */
  tables?: readonly string[] | undefined;
  /** Sends rowids alone, without rows. @default {false} */
  rowIdsOnly?: boolean | undefined;
  /** How many commits go into a request at most. @default {10} */
  batchSize?: number | undefined;
  /** How long a commit waits for others. @default {200} */
  batchDelay?: number | undefined;
  /** How long a request may take; the `timeout` of the feed has to be less. @default {5000} */
  timeout?: number | undefined;
  /** After how many requests a batch is given up, and lost. @default for ever */
  attempts?: number | undefined;
  /** How long it waits before it sends a batch again. @default {1000} */
  backoff?: number | undefined;
  /** Doubles the wait each time, up to this. @default no growth */
  maxBackoff?: number | undefined;
  /** How often the nodes are told how far the leader has come. @default {1000} */
  watermarkInterval?: number | undefined;
  /** TLS; the files are on the server. */
  tls?: CdcTls | undefined;
}

/** How the server connects to an https endpoint. */
export interface CdcTls {
  /** The file of the authority that the endpoint's certificate has to be of. @default the system's */
  ca?: string | undefined;
  /** The file of the server's own certificate. */
  cert?: string | undefined;
  /** The file of its key. */
  key?: string | undefined;
  /** The name that the endpoint's certificate has to have. @default that of the URL */
  serverName?: string | undefined;
  /** `false` takes any certificate. @default {true} */
  rejectUnauthorized?: boolean | undefined;
}

const isEndpoint: Check = (given, name) => {
  const url = typeof given === "string" || isUrl(given) ? URL.parse(String(given)) : null;
  if (url === null || !/^https?:$/.test(url.protocol)) {
    throw refused(name, "an http or https URL", given);
  }
};

const TLS: Checks<CdcTls> = {
  ca: isName,
  cert: isName,
  key: isName,
  serverName: isName,
  rejectUnauthorized: isBoolean,
};

const CONFIG: Checks<CdcConfigOptions> = {
  endpoint: isEndpoint,
  secret: isName,
  serviceId: isName,
  tables: isTables,
  rowIdsOnly: isBoolean,
  batchSize: isPositive,
  batchDelay: isDuration,
  timeout: isDuration,
  attempts: isPositive,
  backoff: isDuration,
  maxBackoff: isDuration,
  watermarkInterval: isDuration,
  tls: (tls) => void readOptions(tls as CdcTls, TLS, "`tls`"),
};

/**
 * Writes the file that `rqlited -cdc-config FILE` takes: the same for every voting node, others take none.
 *
 * @returns The text of the file.
 * @throws {TypeError} If an option is missing or has the wrong form.
 * @throws {RangeError} If a number is out of range.
 *
 * @example
 * ```ts
 * import { cdcConfig } from "@tangled/rqlite/cdc";
 *
 * const text = cdcConfig({
 *   endpoint: "https://app.example/changes",
 *   secret: "s3cret",
 *   tables: ["users", "orders"],
 *   batchDelay: 50,
 * });
 * console.log(JSON.parse(text));
 * // { endpoint: "https://rqlite:s3cret@app.example/changes", table_filter: "(?i)^(?:users|orders)$", max_batch_delay: 50000000 }
 * ```
 */
export function cdcConfig(options: CdcConfigOptions): string {
  const { endpoint, secret, tls, maxBackoff, tables, ...rest } = readOptions(options, CONFIG);
  if (endpoint === undefined) throw refused("endpoint", "an http or https URL", endpoint);
  const config = {
    endpoint: urlOf(endpoint, secret),
    service_id: rest.serviceId,
    row_ids_only: rest.rowIdsOnly,
    table_filter: tables && filterOf(tables),
    tls: tls && tlsOf(tls),
    max_batch_size: rest.batchSize,
    max_batch_delay: nanoseconds(rest.batchDelay),
    high_watermark_interval: nanoseconds(rest.watermarkInterval),
    transmit_timeout: nanoseconds(rest.timeout),
    transmit_max_retries: rest.attempts,
    // The server takes numbers only: 1 is its word for exponential.
    transmit_retry_policy: maxBackoff === undefined ? undefined : 1,
    transmit_min_backoff: nanoseconds(rest.backoff),
    transmit_max_backoff: nanoseconds(maxBackoff),
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}

function urlOf(endpoint: string | URL, secret: string | undefined): string {
  const url = new URL(endpoint);
  if (secret === undefined) return url.href;
  if (url.username !== "" || url.password !== "") {
    throw new TypeError("Cannot use `secret` beside a URL that has a user: leave one of them out");
  }
  url.username = "rqlite";
  url.password = encodeURIComponent(secret);
  return url.href;
}

/** A regular expression of Go; SQLite does not tell upper from lower case. */
function filterOf(tables: readonly string[]): string {
  const names = tables.map((name) => name.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return `(?i)^(?:${names.join("|")})$`;
}

function tlsOf({ ca, cert, key, serverName, rejectUnauthorized }: CdcTls): object {
  return {
    ca_cert_file: ca,
    cert_file: cert,
    key_file: key,
    server_name: serverName,
    insecure_skip_verify: rejectUnauthorized === undefined ? undefined : !rejectUnauthorized,
  };
}

/** The server writes durations as integers. */
function nanoseconds(milliseconds: number | undefined): number | undefined {
  return milliseconds === undefined ? undefined : Math.round(milliseconds * 1e6);
}
