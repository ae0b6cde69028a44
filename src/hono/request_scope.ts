import type { CallOptions, QueryOptions } from "../calls/executor.ts";
import { TimeoutError } from "../errors.ts";
import { type Checks, pick, readOptions } from "../options.ts";

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
    const signal = join(this.#request.signal as AbortSignal | undefined, own.signal);
    const timeout = Math.min(remaining, own.timeout ?? Infinity);
    return {
      ...pick<Partial<O>>(this.#defaults as Partial<O>, checks),
      ...own,
      ...(signal !== undefined && { signal }),
      ...(timeout !== Infinity && { timeout }),
    };
  }
}

/** Fires with whichever comes first. */
export function join(
  request: AbortSignal | undefined,
  call: AbortSignal | undefined,
): AbortSignal | undefined {
  if (call === undefined || call === request) return request;
  // What is no signal is left for the client to refuse.
  if (request === undefined || !(call instanceof AbortSignal)) return call;
  return AbortSignal.any([request, call]);
}
