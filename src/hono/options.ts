import { QUERY } from "../calls/checks.ts";
import type { QueryOptions } from "../calls/executor.ts";
import { type Checks, isFunction, isName, isRecord, readOptions, refused } from "../options.ts";
import { BEGIN } from "../transaction/options.ts";
import { TX_QUERY } from "../transaction/statement_options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";
import type { HonoContext } from "./context.ts";
import { type SessionCookieOptions, sessionsOf } from "./session_cookie.ts";

/** What {@linkcode rqlite} takes: where the database stands, how it is used, and defaults for its calls. */
export interface RqliteMiddlewareOptions<C extends HonoContext = HonoContext>
  extends Omit<QueryOptions, "signal"> {
  /** The name of the variable: `c.var[key]`. @default {"db"} */
  key?: string | undefined;
  /**
   * Milliseconds that the whole request has for the database, over all its calls. Without it each call has the
   * client's own limit.
   */
  timeout?: number | undefined;
  /**
   * One serializable transaction for each request: opened by its first statement, with its lock if it has one,
   * committed after a handler that succeeded, rolled back otherwise. `false` from the function leaves a request
   * without one. Those of other methods than GET, HEAD and OPTIONS take turns unless `turns` says otherwise.
   *
   * @default {false}
   */
  transaction?:
    | (boolean | TransactionOptions | ((c: C) => TransactionOptions | boolean))
    | undefined;
  /**
   * Replaces the test for a handler that succeeded, which is: it threw nothing, and the answer's status is below 400.
   * Only with `transaction`.
   */
  commitWhen?: ((c: C) => boolean) | undefined;
  /**
   * Keeps what a browser has seen in a cookie, so that its next request reads its own writes, and never less than before,
   * from whichever node: the request's calls are those of a session, see `Client.session`. Calls read at level "none" then,
   * unless `level` says otherwise. What is written behind the answer, as in a streamed body, is not in its cookie.
   *
   * @default {false}
   */
  session?: boolean | SessionCookieOptions | undefined;
}

const { signal: _, ...CALLS } = QUERY;

const MIDDLEWARE: Checks<RqliteMiddlewareOptions> = {
  ...CALLS,
  key: isName,
  // What is read where it is used, as a function may answer it.
  transaction() {},
  commitWhen: isFunction,
  // What is read by what makes its cookie.
  session() {},
};

/** The options of a middleware, checked, with every default. */
export interface ResolvedOptions<C extends HonoContext> {
  /** The name of the variable. */
  readonly key: string;
  /** Milliseconds for all calls of a request; `undefined` for no common limit. */
  readonly timeout: number | undefined;
  /** What every call takes that does not say otherwise. */
  readonly defaults: Omit<QueryOptions, "signal" | "timeout">;
  /** The transaction of this request, `undefined` if it has none. */
  readonly transaction: (c: C) => TransactionOptions | undefined;
  /** Whether the transaction of a request is to be kept. */
  readonly commitWhen: (c: C) => boolean;
  /** Makes the session of a request; `undefined` if it has none. */
  readonly sessionOf: ReturnType<typeof sessionsOf>;
}

/**
 * Reads the options once, when the middleware is made; what is a call's own is checked by the call.
 *
 * @throws {TypeError} If one has the wrong form; the message names it.
 * @throws {RangeError} If a number is out of range.
 */
export function resolveOptions<C extends HonoContext>(
  options: RqliteMiddlewareOptions<C> | undefined,
): ResolvedOptions<C> {
  const { key = "db", timeout, transaction = false, commitWhen, session, ...defaults } =
    readOptions(
      options,
      MIDDLEWARE as Checks<RqliteMiddlewareOptions<C>>,
    );
  if (commitWhen !== undefined && transaction === false) {
    throw new TypeError("Cannot use `commitWhen` without `transaction`");
  }
  const fixed = typeof transaction === "function" ? undefined : read(transaction);
  if (fixed !== undefined) {
    for (const name of ["freshness", "freshnessStrict"] as const) {
      if (defaults[name] !== undefined) TX_QUERY[name](defaults[name], name);
    }
  }
  return {
    key,
    timeout,
    defaults,
    transaction: typeof transaction === "function" ? (c) => read(transaction(c)) : () => fixed,
    commitWhen: commitWhen === undefined ? succeeded : (c) => verdict(commitWhen(c)),
    sessionOf: sessionsOf(session),
  };
}

function read(transaction: unknown): TransactionOptions | undefined {
  if (typeof transaction === "boolean") return transaction ? {} : undefined;
  if (isRecord(transaction)) return readOptions<TransactionOptions>(transaction, BEGIN);
  throw refused("transaction", "a boolean or an object", transaction);
}

/** A promise counts as true everywhere: an `async` test would commit whatever it finds. */
function verdict(commit: unknown): boolean {
  if (typeof commit === "boolean") return commit;
  throw refused("commitWhen", "a function that returns a boolean", commit);
}

function succeeded(c: HonoContext): boolean {
  return c.error === undefined && c.res.status < 400;
}
