import {
  DataError,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  RqliteError,
  TimeoutError,
} from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { Deadline } from "../time/deadline.ts";
import { together } from "../time/meter.ts";
import { ISOLATED } from "../late.ts";

/** What keeps calls waiting, and for how long. */
export interface LaneLimits {
  /** How many requests are under way while calls wait. */
  readonly inFlight: number;
  /** For how long a request that takes its time keeps the calls behind it, in milliseconds. */
  readonly patience: number;
}

/** A call in a {@linkcode Lane}. */
export interface Passenger<Call, T> {
  /** What is asked for. */
  readonly call: Call;
  /** It has ended, be it by its own signal: what becomes of the request does not matter to it any more. */
  readonly gone: boolean;
  /** Ends the call. */
  readonly resolve: (value: T) => void;
  /** Ends the call. */
  readonly reject: (error: unknown) => void;
  /** Called when its signal ends it. */
  onAbort: ((reason: unknown) => void) | undefined;
}

/** What one signal ends. */
interface Listener<Call, T> {
  readonly calls: Set<Passenger<Call, T>>;
  readonly abort: () => void;
}

/** What a lane has to know of a call. */
export interface Waiting {
  /** When it has to be over. */
  readonly deadline: Deadline;
}

/** A call with less time than that goes by itself, where its own deadline ends the request, in milliseconds. */
const SHORT = 1000;

/** How many rounds of the microtask queue a call waits that finds nobody: those that are made with it take few. */
const FIRST_ROUNDS = 8;

/** The same behind an answer: what a program makes of it takes more, and its next calls leave together. */
const NEXT_ROUNDS = 40;

/** How many calls may wait. */
const MOST_WAITING = 65_536;

/**
 * Calls of one kind on their way to becoming requests. Those that are made at once leave together; while as many requests
 * are under way as may be, further calls wait and leave together when one returns. A call that need not wait leaves when
 * the microtasks of its own turn have run: there is no timer for it.
 *
 * What one call costs does not depend on how many wait: many may, on one signal.
 */
export class Lane<Call extends Waiting, T> {
  readonly #limits: LaneLimits;
  readonly #choose: (waiting: Iterable<Call>) => Iterable<Call>;
  readonly #send: (passengers: readonly Passenger<Call, T>[]) => Promise<void>;
  /** Oldest first. */
  readonly #waiting: Map<Call, Passenger<Call, T>> = new Map();
  readonly #listeners: Map<AbortSignal, Listener<Call, T>> = new Map();
  /** No call that waits has to be over before. */
  #firstEnd = Infinity;
  #gathering = false;
  /** The requests that others wait for, by when they were sent. */
  readonly #flights: Set<{ readonly since: number }> = new Set();
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * Sends nothing.
   *
   * @param choose Which of those that wait, oldest first, leave in the next request: the oldest among them.
   * @param send Sends them and ends each of them; never rejects.
   */
  constructor(
    limits: LaneLimits,
    choose: (waiting: Iterable<Call>) => Iterable<Call>,
    send: (passengers: readonly Passenger<Call, T>[]) => Promise<void>,
  ) {
    this.#limits = limits;
    this.#choose = choose;
    this.#send = send;
  }

  /** Whether a call has the time to wait for others. */
  static takes({ deadline }: Waiting): boolean {
    return deadline.remaining >= SHORT;
  }

  /**
   * Waits for its place in a request, and for its part of the answer.
   *
   * @throws {OperationalError} If too many wait already.
   * @throws {TimeoutError} If its time is up before it is sent.
   * @throws The reason of the deadline's signal; what was sent goes on for the others.
   */
  enter(call: Call): Promise<T> {
    if (this.#waiting.size >= MOST_WAITING) return Promise.reject(overcrowded());
    const { signal, end, meter } = call.deadline;
    meter?.waits();
    return new Promise((resolve, reject) => {
      const passenger: Passenger<Call, T> & { gone: boolean } = {
        call,
        gone: false,
        onAbort: undefined,
        resolve: (value: T) => {
          this.#end(passenger);
          resolve(value);
        },
        reject: (error: unknown) => {
          this.#end(passenger);
          reject(error);
        },
      };
      if (signal !== undefined) this.#listen(signal, passenger);
      this.#waiting.set(call, passenger);
      this.#firstEnd = Math.min(this.#firstEnd, end);
      if (!this.#gathering) void this.#gather(FIRST_ROUNDS);
    });
  }

  #end(passenger: Passenger<Call, T> & { gone: boolean }): void {
    if (passenger.gone) return;
    passenger.gone = true;
    const { call, call: { deadline: { signal } } } = passenger;
    if (this.#waiting.delete(call) && this.#waiting.size === 0) clearTimeout(this.#timer);
    if (signal !== undefined) this.#unlisten(signal, passenger);
  }

  /** One listener serves all calls of a signal: engines search through those of a signal for each that is removed. */
  #listen(signal: AbortSignal, passenger: Passenger<Call, T>): void {
    const known = this.#listeners.get(signal);
    if (known !== undefined) return void known.calls.add(passenger);
    const calls = new Set([passenger]);
    const abort = (): void => {
      for (const { reject, onAbort } of [...calls]) {
        reject(signal.reason);
        onAbort?.(signal.reason);
      }
    };
    this.#listeners.set(signal, { calls, abort });
    signal.addEventListener("abort", abort);
  }

  #unlisten(signal: AbortSignal, passenger: Passenger<Call, T>): void {
    const listener = this.#listeners.get(signal);
    listener?.calls.delete(passenger);
    if (listener === undefined || listener.calls.size > 0) return;
    this.#listeners.delete(signal);
    signal.removeEventListener("abort", listener.abort);
  }

  /** Sends what waits once the microtasks that are there have run. */
  async #gather(rounds: number): Promise<void> {
    this.#gathering = true;
    for (let i = 0; i < rounds; i++) await undefined;
    this.#gathering = false;
    this.#leave();
  }

  #leave(): void {
    const now = performance.now();
    if (now >= this.#firstEnd) this.#expire(now);
    while (this.#waiting.size > 0 && (ISOLATED || this.#flights.size < this.#limits.inFlight)) {
      void this.#fly(this.#take(), now);
    }
    this.#watch(now);
  }

  /** Ends those whose time is up. */
  #expire(now: number): void {
    this.#firstEnd = Infinity;
    for (const { call: { deadline: { end } }, reject } of this.#waiting.values()) {
      if (end > now) this.#firstEnd = Math.min(this.#firstEnd, end);
      else reject(new TimeoutError("Out of time before the request was sent"));
    }
  }

  /** Those that leave in the next request. */
  #take(): readonly Passenger<Call, T>[] {
    const waiting = this.#waiting;
    if (waiting.size === 1) {
      const passengers = [...waiting.values()];
      waiting.clear();
      return passengers;
    }
    return Array.from(this.#choose(waiting.keys()), (call) => {
      const passenger = waiting.get(call)!;
      waiting.delete(call);
      return passenger;
    });
  }

  async #fly(passengers: readonly Passenger<Call, T>[], since: number): Promise<void> {
    const flight = { since };
    this.#flights.add(flight);
    for (const { call: { deadline: { meter } } } of passengers) meter?.goes();
    await this.#send(passengers);
    // What the callers do next goes with those that wait.
    const others = this.#flights.delete(flight) && this.#waiting.size > 0;
    if (others && !this.#gathering) void this.#gather(NEXT_ROUNDS);
  }

  /** While somebody waits, a request that takes too long is not waited for, and nobody waits beyond their time. */
  #watch(now: number): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#flights;
    if (this.#waiting.size === 0 || oldest === undefined) return;
    const patience = oldest.since + this.#limits.patience;
    this.#timer = setTimeout(() => {
      if (performance.now() >= patience) this.#flights.delete(oldest);
      this.#leave();
    }, Math.max(0, Math.min(patience, this.#firstEnd) - now));
  }
}

/** One end for all of them: the first of their deadlines, or the signals of all. */
export function commonDeadline<T>(
  passengers: readonly Passenger<Waiting, T>[],
): Deadline {
  let timeout = Infinity;
  let signals = true;
  for (const { call: { deadline } } of passengers) {
    timeout = Math.min(timeout, deadline.remaining);
    signals &&= deadline.signal !== undefined;
  }
  const [{ call }] = passengers as [Passenger<Waiting, T>];
  // Where the calls of a client are counted, all are.
  const meter = call.deadline.meter && together(passengers.map(({ call }) => call.deadline.meter));
  if (!signals) return new Deadline(timeout, undefined, meter);
  const controller = new AbortController();
  for (const passenger of passengers) {
    passenger.onAbort = (reason) => {
      if (passengers.every(({ gone }) => gone)) controller.abort(reason);
    };
  }
  return new Deadline(timeout, controller.signal, meter);
}

/** About how many characters go into one request. */
export const MOST_TEXT = 500_000;

/** About how many characters a value is that is no text. */
const SHORT_VALUE = 8;

/** About how many characters statements are; of many more than fit into a request, as many as do not. */
export function lengthOf(statements: readonly Prepared[]): number {
  let length = 0;
  for (const { sql, params } of statements) {
    length += sql.length;
    // Other values are short; to write each out would take as long as to make the request.
    for (const param of params) length += typeof param === "string" ? param.length : SHORT_VALUE;
    if (length > MOST_TEXT) break;
  }
  return length;
}

/** Whether the error of a whole request is about a statement of it, or about how much it answers. */
export function isOfOne(error: unknown): boolean {
  return [DataError, IntegrityError, NotSupportedError, ProgrammingError].some((of) =>
    error instanceof of
  ) || (error instanceof RqliteError && error.code === "ERR_TOO_LARGE");
}

function overcrowded(): OperationalError {
  return new OperationalError(
    `Cannot take the call as ${MOST_WAITING} others of this client wait for the database: ` +
      "await some of them first. Nothing was sent",
    { retryable: true },
  );
}
