import type { CallOptions, QueryOptions } from "../client/executor.ts";
import { TimeoutError } from "../errors.ts";

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
   * @throws {TimeoutError} If the request's time is over.
   */
  options<O extends CallOptions>(given: O | undefined): Defaults & Partial<O> & CallOptions {
    const remaining = this.#end - performance.now();
    if (remaining <= 0) {
      throw new TimeoutError("The request has no time left for the database: see its `timeout`");
    }
    // Asked for only now: on some servers the first look at it costs more than all the rest; some have none.
    const signal = join(this.#request.signal as AbortSignal | undefined, given?.signal);
    const timeout = Math.min(remaining, given?.timeout ?? Infinity);
    return {
      ...this.#defaults,
      ...withoutUndefined(given),
      ...(signal !== undefined && { signal }),
      ...(timeout !== Infinity && { timeout }),
    };
  }
}

function join(request: AbortSignal | undefined, call: AbortSignal | undefined) {
  if (call === undefined || call === request) return request;
  // What is no signal is left for the client to refuse.
  if (request === undefined || !(call instanceof AbortSignal)) return call;
  return AbortSignal.any([request, call]);
}

function withoutUndefined<O extends object>(options: O | undefined): Partial<O> {
  const entries = Object.entries(options ?? {}).filter(([, value]) => value !== undefined);
  return Object.fromEntries(entries) as Partial<O>;
}
