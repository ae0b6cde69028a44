import { called } from "../calls/error_stacks.ts";
import { BATCH, EXECUTE, QUERY, VALUE } from "../calls/checks.ts";
import type {
  BatchOptions,
  CallOptions,
  ExecuteOptions,
  Executor,
  QueryOptions,
} from "../calls/executor.ts";
import type { Client, Session } from "../client/client.ts";
import { TimeoutError } from "../errors.ts";
import { type Checks, pick, readOptions } from "../options.ts";
import type { Results, Statement } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import { withRequestConflict } from "./errors.ts";

/** The database as one request sees it: its calls end with the request and within its time. */
export interface RequestDatabase extends Executor {
  /**
   * The client that requests share: for what outlives this one, such as a streamed body, and for `ready()`. What it does
   * is no part of the request's transaction and does not wait for it: commit before a body that is streamed, by
   * `transaction((tx) => tx.commit())`.
   */
  readonly client: Client;
  /** What the request's session has seen so far, for a job or another process; `undefined` without the option `session`. */
  readonly bookmark: string | undefined;
  /** Runs all of the statements or none, in one commit; for a tuple of statements it answers a tuple of results. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>>;
  /**
   * Runs a function as a serializable transaction, and again where it conflicts with others. Where the request has a
   * transaction, this is a savepoint within it and takes no options.
   *
   * @throws {RequestConflictError} If every run conflicted; nothing was kept.
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
}

/** What every call of a request takes that does not say otherwise. */
export type Defaults = Omit<QueryOptions, "signal" | "timeout">;

/** What all database calls of one request share: its abort signal, its deadline and the defaults. */
export class RequestScope {
  readonly #request: Request;
  readonly #end: number;
  readonly #defaults: Defaults;

  /** @param timeout Milliseconds from now, over all calls; `undefined` for no common limit. */
  constructor(request: Request, timeout: number | undefined, defaults: Defaults) {
    this.#request = request;
    this.#end = timeout === undefined ? Infinity : performance.now() + timeout;
    this.#defaults = defaults;
  }

  /**
   * The options of a call with what the request adds: whichever signal and whichever limit comes first ends it.
   *
   * @param checks Of what the call takes: defaults of others are left out.
   * @throws {TypeError|RangeError} If an option is wrong.
   * @throws {TimeoutError} If the request's time is over.
   */
  options<O extends CallOptions>(given: O | undefined, checks: Checks<NoInfer<O>>): O {
    const own = readOptions(given, checks);
    const remaining = this.#end - performance.now();
    if (remaining <= 0) {
      throw new TimeoutError("The request has no time left for the database: see its `timeout`");
    }
    // Asked for only now: on some servers the first look at it costs more than all the rest; some have none.
    const signal = firstSignal(this.#request.signal as AbortSignal | undefined, own.signal);
    const timeout = Math.min(remaining, own.timeout ?? Infinity);
    return {
      ...pick<Partial<O>>(this.#defaults as Partial<O>, checks),
      ...own,
      ...(signal !== undefined && { signal }),
      ...(timeout !== Infinity && { timeout }),
    };
  }
}

/** Where a plain view says its client, in every copy of the package. */
const PLAIN: unique symbol = Symbol.for("@tangled/rqlite.hono.plain");

/** Where it says its session, in the same way. */
const IN_SESSION: unique symbol = Symbol.for("@tangled/rqlite.hono.session");

/** What a plain view says of itself. */
interface View {
  readonly [PLAIN]?: Client;
  readonly [IN_SESSION]?: Session | undefined;
}

/** The client of a variable that is a plain view, of whichever copy. */
export function clientOfVariable(variable: unknown): Client | undefined {
  return (variable as View | null | undefined)?.[PLAIN];
}

/** Its session, if it has one. */
export function sessionOfVariable(variable: unknown): Session | undefined {
  return (variable as View | null | undefined)?.[IN_SESSION];
}

/** A {@linkcode RequestDatabase} without a transaction: each call stands for itself. */
export class DirectDatabase implements RequestDatabase {
  /** The client that requests share. */
  readonly client: Client;
  readonly #session: Session | undefined;
  /** What makes the calls. */
  readonly #caller: Client;
  readonly #scope: RequestScope;

  /** Sends nothing. */
  constructor(client: Client, scope: RequestScope, session: Session | undefined) {
    this.client = client;
    this.#session = session;
    this.#caller = session ?? client;
    this.#scope = scope;
  }

  /** The client, for the copies of the package that find the view. */
  get [PLAIN](): Client {
    return this.client;
  }

  /** The session, for the copies of the package that find the view. */
  get [IN_SESSION](): Session | undefined {
    return this.#session;
  }

  /** What the request's session has seen so far; `undefined` without one. */
  get bookmark(): string | undefined {
    return this.#session?.bookmark;
  }

  /** Reads within the request's time. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return called(() => this.#caller.query<R>(sql, params, this.#scope.options(options, QUERY)));
  }

  /** Writes within the request's time. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return called(() =>
      this.#caller.execute<R>(sql, params, this.#scope.options(options, EXECUTE))
    );
  }

  /** Runs all of the statements or none, within the request's time. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    return called(() => this.#caller.batch(statements, this.#scope.options(options, BATCH)));
  }

  /** Reads the first row; `undefined` if there is none. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return called(() => this.#caller.first<R>(sql, params, this.#scope.options(options, QUERY)));
  }

  /** Reads the first value of the first row; `undefined` if there is none. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined> {
    return called(() => {
      // The form of rows that is the default of the request's other calls.
      const { rows: _, ...given } = this.#scope.options<QueryOptions>(options, VALUE);
      return this.#caller.value<T>(sql, params, given);
    });
  }

  /** Runs a function as a transaction, within the request's time. */
  transaction<T>(
    fn: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T> {
    return withRequestConflict(() =>
      this.#caller.transaction(fn, this.#scope.options(options, TRANSACTION))
    );
  }
}

/** A signal that fires with whichever of two comes first. */
export function firstSignal(
  request: AbortSignal | undefined,
  call: AbortSignal | undefined,
): AbortSignal | undefined {
  if (call === undefined || call === request) return request;
  // What is no signal is left for the client to refuse.
  if (request === undefined || !(call instanceof AbortSignal)) return call;
  return AbortSignal.any([request, call]);
}
