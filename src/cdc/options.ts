import {
  type Check,
  type Checks,
  isName,
  isTimeout,
  numeric,
  oneOf,
  readOptions,
  refused,
} from "../options.ts";
import type { Executor } from "../calls/executor.ts";
import type { ChangeIntegers } from "./change.ts";
import { type Position, positionOf, START } from "./commit_order.ts";
import type { Reader } from "./schema_source.ts";

/** What {@linkcode changeFeed} takes. */
export interface ChangeFeedOptions {
  /**
   * What the sender has to know: the password in the URL that the server posts to, or a Bearer token. Whoever lacks it
   * is answered 401. Without it everybody who reaches the handler is believed.
   */
  secret?: string | undefined;
  /** The `service_id` that batches must have; others are answered 403. @default any */
  serviceId?: string | undefined;
  /**
   * The `position` of the change that was dealt with last: what comes before is left out. It belongs to one cluster: one
   * with new data counts from the beginning.
   */
  since?: string | undefined;
  /**
   * A client of the same cluster, whose schema tells which columns hold BLOBs, which the server sends as
   * base64, and which hold REAL. Without it BLOBs arrive as base64 text.
   */
  client?: Pick<Executor, "query"> | undefined;
  /** How INTEGER values arrive; "auto" is a number where that is exact, else a bigint. @default {"auto"} */
  integers?: ChangeIntegers | undefined;
  /**
   * What becomes of changes while nobody iterates the feed: "hold" lets the server send them again, "drop" lets them go, for
   * a feed that has nothing but listeners. @default {"hold"}
   */
  unread?: "hold" | "drop" | undefined;
  /**
   * Milliseconds that a request waits for the consumer before it is answered 503 and the server sends it again. Keep it
   * below the server's own limit, which is 5 seconds. @default {4000}
   */
  timeout?: number | undefined;
  /** How long a body may be, and how much may wait for the consumer, in bytes. @default {67108864} */
  maxBytes?: number | undefined;
}

/** Milliseconds that a timer can wait. */
export const isDuration: Check = numeric(
  "a positive number of milliseconds",
  (n) => n > 0 && n < 2 ** 31,
);

/** A number of things, at least one. */
export const isPositive: Check = numeric(
  "a positive integer",
  (n) => Number.isInteger(n) && n > 0,
);

/** What answers queries. */
export const isClient: Check = (client, name) => {
  const { query } = (client ?? {}) as Partial<Executor>;
  if (typeof query !== "function") {
    throw refused(name, "what `connect` answers, or a transaction", client);
  }
};

const isPosition: Check = (text, name) => {
  if (typeof text !== "string" || positionOf(text) === undefined) {
    throw refused(name, "the `position` of a change, such as 17.0.1", text, true);
  }
};

const FEED: Checks<ChangeFeedOptions> = {
  secret: isName,
  serviceId: isName,
  since: isPosition,
  client: isClient,
  integers: oneOf("bigint", "string", "auto"),
  unread: oneOf("hold", "drop"),
  timeout: isTimeout,
  maxBytes: isPositive,
};

/** The options of a feed, checked, with every default. */
export interface ResolvedFeed {
  /** What the sender has to know; `undefined` if everybody is believed. */
  readonly secret: string | undefined;
  /** What batches must have; `undefined` if it does not matter. */
  readonly serviceId: string | undefined;
  /** Behind what the feed begins. */
  readonly since: Position;
  /** What tells the schema. */
  readonly client: Reader | undefined;
  /** How INTEGER values arrive. */
  readonly integers: ChangeIntegers;
  /** Whether changes wait for a consumer that is not there. */
  readonly held: boolean;
  /** Milliseconds that a request waits for the consumer. */
  readonly timeout: number;
  /** How long a body may be, and how much may wait, in bytes. */
  readonly maxBytes: number;
}

/** Reads the options. @throws {TypeError} If one has the wrong form. @throws {RangeError} If a number is out of range. */
export function resolveFeed(options: ChangeFeedOptions | undefined): ResolvedFeed {
  const { secret, serviceId, since, client, integers, unread, timeout, maxBytes } = readOptions(
    options,
    FEED,
  );
  return {
    secret,
    serviceId,
    since: (since === undefined ? undefined : positionOf(since)) ?? START,
    client,
    integers: integers ?? "auto",
    held: unread !== "drop",
    timeout: timeout ?? 4_000,
    maxBytes: maxBytes ?? 64 * 1024 ** 2,
  };
}
