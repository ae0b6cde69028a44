import {
  DataError,
  IntegrityError,
  NotSupportedError,
  OperationalError,
  ProgrammingError,
  RqliteError,
  TimeoutError,
} from "../errors.ts";
import { Deadline } from "../transport/deadline.ts";

/** What keeps calls waiting, and for how long. */
export interface LaneLimits {
  /** How many requests are under way while calls wait. */
  readonly inFlight: number;
  /** For how long a request that takes its time keeps the calls behind it, in milliseconds. */
  readonly patience: number;
}

/** A call in a {@linkcode Lane}. */
export interface Passenger<Call, T> {
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
 * Workers refuse to wait in one request for what another one has sent: there only those calls share that are made at
 * once, which belong to one request.
 */
const ISOLATED = "WebSocketPair" in globalThis;

/**
 * Calls of one kind on their way to becoming requests. Those that are made at once leave together; while as many requests
 * are under way as may be, further calls wait and leave together when one returns. A call that need not wait leaves when
 * the microtasks of its own turn have run: there is no timer for it.
 */
export class Lane<Call extends Waiting, T> {
  readonly #limits: LaneLimits;
  readonly #choose: (waiting: readonly Call[]) => ReadonlySet<Call>;
  readonly #send: (passengers: readonly Passenger<Call, T>[]) => Promise<void>;
  #waiting: Passenger<Call, T>[] = [];
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
    choose: (waiting: readonly Call[]) => ReadonlySet<Call>,
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
    if (this.#waiting.length >= MOST_WAITING) return Promise.reject(overcrowded());
    const { signal } = call.deadline;
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        passenger.reject(signal!.reason);
        passenger.onAbort?.(signal!.reason);
      };
      const end = (): void => {
        passenger.gone = true;
        signal?.removeEventListener("abort", onAbort);
      };
      const passenger: Passenger<Call, T> & { gone: boolean } = {
        call,
        gone: false,
        onAbort: undefined,
        resolve: (value: T) => (end(), resolve(value)),
        reject: (error: unknown) => (end(), reject(error)),
      };
      signal?.addEventListener("abort", onAbort);
      this.#waiting.push(passenger);
      this.#gather(FIRST_ROUNDS);
    });
  }

  /** Sends what waits once the microtasks that are there have run. */
  #gather(rounds: number): void {
    if (this.#gathering) return;
    this.#gathering = true;
    const round = (): void => {
      if (--rounds > 0) return queueMicrotask(round);
      this.#gathering = false;
      this.#leave();
    };
    queueMicrotask(round);
  }

  #leave(): void {
    for (const { call, reject } of this.#waiting) {
      if (call.deadline.remaining === 0) {
        reject(new TimeoutError("Out of time before the request was sent"));
      }
    }
    if (this.#waiting.some(({ gone }) => gone)) {
      this.#waiting = this.#waiting.filter(({ gone }) => !gone);
    }
    while (this.#waiting.length > 0 && (ISOLATED || this.#flights.size < this.#limits.inFlight)) {
      void this.#fly(this.#take());
    }
    this.#watch();
  }

  /** Those that leave in the next request. */
  #take(): readonly Passenger<Call, T>[] {
    const waiting = this.#waiting;
    if (waiting.length === 1) {
      this.#waiting = [];
      return waiting;
    }
    const chosen = this.#choose(waiting.map(({ call }) => call));
    this.#waiting = waiting.filter(({ call }) => !chosen.has(call));
    return waiting.filter(({ call }) => chosen.has(call));
  }

  async #fly(passengers: readonly Passenger<Call, T>[]): Promise<void> {
    const flight = { since: performance.now() };
    this.#flights.add(flight);
    await this.#send(passengers);
    // What the callers do next goes with those that wait.
    if (this.#flights.delete(flight) && this.#waiting.length > 0) this.#gather(NEXT_ROUNDS);
  }

  /** While somebody waits, a request that takes too long is not waited for, and nobody waits beyond their time. */
  #watch(): void {
    clearTimeout(this.#timer);
    const [oldest] = this.#flights;
    if (this.#waiting.length === 0 || oldest === undefined) return;
    const patience = () => oldest.since + this.#limits.patience - performance.now();
    const rest = this.#waiting.reduce(
      (least, { call }) => Math.min(least, call.deadline.remaining),
      patience(),
    );
    this.#timer = setTimeout(() => {
      if (patience() <= 0) this.#flights.delete(oldest);
      this.#leave();
    }, Math.max(0, rest));
  }
}

/** One end for all of them: the first of their deadlines, or the signals of all. */
export function commonDeadline<T>(
  passengers: readonly Passenger<Waiting, T>[],
): Deadline {
  const timeout = Math.min(...passengers.map(({ call }) => call.deadline.remaining));
  if (!passengers.every(({ call }) => call.deadline.signal)) return new Deadline(timeout);
  const controller = new AbortController();
  for (const passenger of passengers) {
    passenger.onAbort = (reason) => {
      if (passengers.every(({ gone }) => gone)) controller.abort(reason);
    };
  }
  return new Deadline(timeout, controller.signal);
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
