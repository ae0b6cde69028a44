import type { IntegerMode } from "../sql/value.ts";
import type { Credentials } from "../transport/credentials.ts";
import { Deadline } from "../time/deadline.ts";
import type { RequestEvent } from "../transport/transport.ts";
import type { MapNode } from "../transport/address_filter.ts";
import type { BatchOptions, Level } from "./executor.ts";
import type { Interceptor } from "./interceptor.ts";
import type { SessionState } from "./session_state.ts";

/** What a call is run with: every option present. */
export interface Settings {
  /** Ends the call. */
  readonly signal: AbortSignal | undefined;
  /** Milliseconds over all attempts. */
  readonly timeout: number;
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
  /** How current the rows of a read have to be. */
  readonly level: Level;
  /** Milliseconds of staleness accepted with level "none". */
  readonly freshness: number | undefined;
  /** Also requires the node's last applied entry to be that recent. */
  readonly freshnessStrict: boolean;
  /** The form of rows. */
  readonly rows: "object" | "array";
  /** The call may share a request with others. */
  readonly coalesce: boolean;
  /** The session that the call is part of. */
  readonly session: SessionState | undefined;
}

/** What a client is made with: what `connect` was given, with every default filled in. */
export interface ResolvedOptions {
  /** Base URLs, without credentials. */
  readonly nodes: readonly string[];
  /** The user, or what is asked for one; `undefined` where requests carry none. */
  readonly credentials: Credentials | (() => Promise<Credentials>) | undefined;
  /** Sent with every request; the names are in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** The caller's own, which may lead anywhere; else the engine's is used. */
  readonly fetch: typeof fetch | undefined;
  /** Learn the other nodes from `/nodes`. */
  readonly discover: boolean;
  /** Rewrites an address that the cluster advertises. */
  readonly mapNode: MapNode | undefined;
  /** Attempts after the first. */
  readonly retries: number;
  /** How long an answer may be, in bytes. */
  readonly maxResponseSize: number;
  /** RETURNING is put into a form that every server answers. */
  readonly returningRewrite: boolean;
  /** Writes are commits with an id, but for calls that say otherwise. */
  readonly exactlyOnce: boolean;
  /** Called after each attempt. */
  readonly onRequest: ((event: RequestEvent) => void) | undefined;
  /** The outermost first, at least one; `undefined` where there is none. */
  readonly interceptors: readonly Interceptor[] | undefined;
  /** Called once by `close()` of the client. */
  readonly close: (() => void) | undefined;
  /** What its calls are run with that say nothing themselves. */
  readonly settings: Settings;
}

/** What calls are run with where neither they nor their client say anything. */
export const DEFAULTS: Settings = {
  signal: undefined,
  timeout: 30_000,
  integers: "number",
  level: "linearizable",
  freshness: undefined,
  freshnessStrict: false,
  rows: "object",
  coalesce: true,
  session: undefined,
};

/**
 * Settings of one call: its own options, which were read already, over the client's.
 *
 * @throws {TypeError} If two options do not fit together.
 */
export function resolveSettings(defaults: Settings, options: BatchOptions): Settings {
  const settings: Settings = {
    signal: options.signal ?? defaults.signal,
    timeout: options.timeout ?? defaults.timeout,
    integers: options.integers ?? defaults.integers,
    level: options.level ?? defaults.level,
    freshness: options.freshness ?? defaults.freshness,
    freshnessStrict: options.freshnessStrict ?? defaults.freshnessStrict,
    rows: options.rows ?? defaults.rows,
    coalesce: options.coalesce ?? defaults.coalesce,
    session: defaults.session,
  };
  if (settings.freshnessStrict && settings.freshness === undefined) {
    throw new TypeError("Cannot use `freshnessStrict` without `freshness`");
  }
  return settings;
}

/** The end of a call that is made now. */
export function deadlineOf({ timeout, signal }: Settings): Deadline {
  return new Deadline(timeout, signal);
}
