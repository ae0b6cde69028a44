/** What a query string can ask for, by rqlite's names; durations in milliseconds. Flags that are false are left out. */
export interface Flags {
  /** How current a read has to be. */
  readonly level?: string | undefined;
  /** Staleness accepted with level "none". */
  readonly freshness?: number | undefined;
  /** Staleness by the leader's clock too; needs `freshness`. */
  readonly freshness_strict?: boolean | undefined;
  /** How long a linearizable read may wait for the node to catch up. */
  readonly linearizable_timeout?: number | undefined;
  /** When a node ends a statement that still runs. */
  readonly db_timeout?: number | undefined;
  /** All statements in one transaction. */
  readonly transaction?: boolean | undefined;
  /** Each result says how long it took. */
  readonly timings?: boolean | undefined;
  /** BLOBs as lists of bytes. */
  readonly blob_array?: boolean | undefined;
  /** The server's own parser is left out: no rewriting, and no rows of RETURNING. */
  readonly noparse?: boolean | undefined;
  /** No rewriting of random functions; on `/db/query` and `/db/request` the reverse before 10.2.7. */
  readonly norwrandom?: boolean | undefined;
  /** No rewriting of time functions. */
  readonly norwtime?: boolean | undefined;
  /** The form of `/nodes`. */
  readonly ver?: "2" | undefined;
  /** `/nodes`: read replicas, too. */
  readonly nonvoters?: boolean | undefined;
  /** `/nodes`: how many broken connections to a member are passed over; a text, as a number is a duration. */
  readonly retries?: string | undefined;
  /** `/readyz`: only whether the node answers. `/db/backup`: of the node itself. */
  readonly noleader?: boolean | undefined;
  /** `/readyz`: waits until the node has what the leader has. */
  readonly sync?: boolean | undefined;
  /** `/leader`: until another node leads. `/db/execute` with `queue`: until it is applied. */
  readonly wait?: boolean | undefined;
  /** `/db/execute`: written later, with others. */
  readonly queue?: boolean | undefined;
  /** The form of a backup; that of a file is said by nothing. */
  readonly fmt?: "sql" | "delete" | undefined;
  /** `/db/backup`: as small as it can be. */
  readonly vacuum?: boolean | undefined;
  /** `/db/backup`: as gzip makes it. */
  readonly compress?: boolean | undefined;
  /** `/db/backup`: names with commas between them. */
  readonly tables?: string | undefined;
  /** How long the server may take to ask other nodes. */
  readonly timeout?: number | undefined;
}

/**
 * The path of an endpoint with its query string. The server looks only whether a flag is there: `transaction=false`
 * would be one.
 *
 * @example
 * ```ts
 * import { path } from "./request_path.ts";
 *
 * path("/db/query", { level: "none", freshness: 500, transaction: false }); // "/db/query?level=none&freshness=500ms"
 * ```
 */
export function path(endpoint: string, flags: Flags): string {
  let text = endpoint;
  let mark = "?";
  for (const name in flags) {
    const value = flags[name as keyof Flags];
    if (value === undefined || value === false) continue;
    text += mark + (value === true ? name : `${name}=${encode(value)}`);
    mark = "&";
  }
  return text;
}

function encode(value: string | number): string {
  return typeof value === "number" ? duration(value) : encodeURIComponent(value);
}

/** Go's longest duration, about 292 years. */
const LONGEST = 9_223_372_036_854;

/** Go's form of a duration. */
function duration(milliseconds: number): string {
  const bounded = Math.min(milliseconds, LONGEST);
  return Number.isInteger(bounded) ? `${bounded}ms` : `${Math.ceil(bounded * 1000)}us`;
}
