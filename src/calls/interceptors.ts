import { InterfaceError, OutcomeUnknownError, TimeoutError } from "../errors.ts";
import { kindOf } from "../options.ts";
import { sqlAndParams, type Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import { alsoEndedBy } from "../time/also_ended_by.ts";
import { Closing } from "../time/closing.ts";
import type { Deadline } from "../time/deadline.ts";
import type { CallMeter, SentRequest } from "../time/meter.ts";
import { Interrupted, within } from "../time/within.ts";
import { keep } from "./error_stacks.ts";
import type { Call, CallOutcome, CallStatement, Interceptor } from "./interceptor.ts";
import type { Settings } from "./settings.ts";
import { readCall } from "./intercepted_call.ts";
import { pause } from "../time/pause.ts";

/** A call as it was made. */
export interface Made {
  /** What was called. */
  readonly operation: string;
  /** Its statements, which nobody changes any more. @default {[]} */
  readonly forms?: readonly Statement[];
  /** It runs one statement, no more and no less. @default {false} */
  readonly single?: boolean;
  /** How its results are told, where it answers some. */
  readonly settings?: Pick<Settings, "rows" | "integers"> | undefined;
  /** Its transaction's name, where it is part of one. */
  readonly transaction?: string | undefined;
  /** The end of it. */
  readonly deadline: Deadline;
  /** It ends by itself, and says itself what became of it, also where it was aborted. @default {false} */
  readonly ends?: boolean;
}

/**
 * Does what was passed on.
 *
 * @param forms Its statements: those of the call itself, where it passed as it was.
 * @param deadline That of the call, which counts what is sent.
 */
export type Send<T> = (forms: readonly Statement[], deadline: Deadline) => Promise<T>;

/** What ends with the interceptors: a call that was looked at. */
type End = (call: Call) => Promise<CallOutcome>;

let transactions = 0;

/** Tells the transactions of this program from those of others, whose calls somebody may look at together. */
const PROGRAM = crypto.getRandomValues(new Uint32Array(1))[0]!.toString(36);

/** The interceptors of a client, around its calls. */
export class Interceptors {
  readonly #interceptors: readonly Interceptor[];
  readonly #nodes: readonly string[];

  /** @param interceptors The outermost first. @param nodes Base URLs. */
  constructor(interceptors: readonly Interceptor[], nodes: readonly string[]) {
    this.#interceptors = [...interceptors];
    this.#nodes = Object.freeze([...nodes]);
  }

  /** What the next transaction is called. */
  nameTransaction(): string {
    return `${PROGRAM}-${++transactions}`;
  }

  /** Runs a call that answers results, be it by the database or by an interceptor. */
  async answer(made: Made, send: Send<readonly Result[]>): Promise<Result[]> {
    const { results } = await this.#run(made, send);
    const { operation, forms: { length } = [], settings } = made;
    const isArray = settings?.rows === "array";
    for (const { rows: [row] } of results) {
      if (row === undefined || Array.isArray(row) === isArray) continue;
      throw new InterfaceError(
        `An interceptor answered ${operation} with rows of the other form: give ${
          isArray ? "arrays" : "objects"
        } where \`rows\` of the call is "${settings?.rows}"`,
      );
    }
    if (results.length === length) return [...results];
    const wanted = length === 1 ? "one result" : `${length} results`;
    throw new InterfaceError(
      `An interceptor answered ${operation} with ${results.length} results as ${wanted} had to come back: ` +
        "answer one for each statement of the call, in their order",
    );
  }

  /** Runs a call that answers something else, which only the database can. */
  async carry<T>(made: Made, send: Send<T>): Promise<T> {
    let answer: { readonly value: T } | undefined;
    const run = async (forms: readonly Statement[], deadline: Deadline): Promise<Result[]> => {
      answer = undefined;
      answer = { value: await send(forms, deadline) };
      return [];
    };
    await this.#run(made, run, () => answer !== undefined);
    if (answer !== undefined) return answer.value;
    throw new InterfaceError(
      `An interceptor answered ${made.operation} by itself, and it has more to answer than results: call next()`,
    );
  }

  /** @param isDone Whether there is an answer that no interceptor can change. */
  async #run(
    made: Made,
    send: Send<readonly Result[]>,
    isDone: () => boolean = () => false,
  ): Promise<CallOutcome> {
    const { deadline, forms: own = [], single = false } = made;
    const call = this.#callOf(made);
    const passed: Promise<unknown>[] = [];
    let thrown: unknown;
    /** Fires where the call ends in front of its interceptors. */
    let over: AbortSignal | undefined;
    const end: End = async (given) => {
      const { forms, signal } = readCall(given, call, own, single);
      signal?.throwIfAborted();
      if (over?.aborted) throw reasonOf(deadline);
      const counted = new CallCounts();
      const sent = send(forms, alsoEndedBy(deadline, signal, counted));
      passed.push(sent);
      try {
        return { results: await sent, ...counted.counts };
      } catch (error) {
        thrown = error;
        throw error;
      }
    };
    const run = this.#interceptors.reduceRight<End>(layer, end);
    try {
      return await inTime(made, passed, isDone, (ends) => {
        over = ends;
        return run(call);
      });
    } catch (error) {
      // What comes from below has the stack of the call; the rest that of the interceptor.
      throw error === thrown ? error : keep(error);
    }
  }

  #callOf({ operation, forms = [], settings, transaction, deadline: { signal } }: Made): Call {
    return Object.freeze({
      operation,
      statements: Object.freeze(forms.map(statementOf)),
      nodes: this.#nodes,
      ...(settings !== undefined && { rows: settings.rows, integers: settings.integers }),
      ...(transaction !== undefined && { transaction }),
      ...(signal !== undefined && { signal }),
    });
  }
}

function statementOf(form: Statement): CallStatement {
  const { sql, params = [] } = sqlAndParams(form);
  return Object.freeze({ sql, params: Object.freeze(Array.isArray(params) ? params : [params]) });
}

/** An interceptor around what is below it, held to its form. */
function layer(next: End, interceptor: Interceptor): End {
  return async (call) => {
    const around: unknown = interceptor(next);
    if (typeof around !== "function") {
      throw new InterfaceError(
        `Cannot run an interceptor that answers ${
          kindOf(around)
        }: write (next) => async (call) => { … }`,
      );
    }
    const outcome: unknown = await around(call);
    if (isOutcome(outcome)) return outcome;
    throw new InterfaceError(
      `An interceptor answered ${call.operation} with what is no outcome: return what next() answers, or ` +
        "{ results, requests, queued, network }",
    );
  };
}

function isOutcome(value: unknown): value is CallOutcome {
  const { results } = Object(value) as { results?: unknown };
  return Array.isArray(results) && results.every(isResult);
}

function isResult(value: unknown): boolean {
  const { columns, rows, rowsAffected } = Object(value) as Partial<Result>;
  return Array.isArray(columns) && Array.isArray(rows) && typeof rowsAffected === "number";
}

/** Ends with the call: an interceptor that hangs holds nobody longer than that. */
async function inTime(
  { operation, deadline, deadline: { remaining, signal }, ends = false }: Made,
  passed: readonly Promise<unknown>[],
  isDone: () => boolean,
  run: (ends: AbortSignal) => Promise<CallOutcome>,
): Promise<CallOutcome> {
  let running: Promise<CallOutcome> | undefined;
  try {
    const limits = { abort: signal, closing: new Closing() };
    return await within(remaining, limits, (ends) => running = run(ends));
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    // The call itself knows more of what became of it, and a session takes that down first.
    const ended = await Promise.allSettled(passed);
    const aborted = error.by === "abort";
    if (running === undefined || (aborted && !ends)) throw signal?.reason;
    const late = async (): Promise<CallOutcome> => {
      const last = ended.at(-1);
      if (last !== undefined) await pause(0);
      if (isDone()) return DONE;
      if (last?.status === "rejected") throw last.reason;
      throw last === undefined || READS.includes(operation) ? reasonOf(deadline) : kept(operation);
    };
    return await Promise.race([running, late()]);
  }
}

/** What can be called again, whatever became of it. */
const READS: readonly string[] = ["query", "first", "value", "iterate"];

/** For what was done, and nobody was told of. */
function kept(operation: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Cannot tell what became of ${operation}: an interceptor kept the answer until the call was out of time`,
  );
}

/** Why a call has ended of which nothing was under way. */
function reasonOf({ signal }: Deadline): unknown {
  return signal?.aborted
    ? signal.reason
    : new TimeoutError("Out of time in an interceptor, while nothing of the call was under way");
}

/** Of an interceptor that goes on when all was done. */
const DONE: CallOutcome = { results: [], requests: 0, queued: 0, network: 0 };

/** Counts what is done for a call. */
class CallCounts implements CallMeter {
  #requests = 0;
  #network = 0;
  #sent = 0;
  #received = 0;
  #node: string | undefined;
  #queued = 0;
  #waiting = 0;
  #since = 0;

  /** What was counted so far, as an outcome tells it. */
  get counts(): Omit<CallOutcome, "results"> {
    return {
      requests: this.#requests,
      queued: this.#queued,
      network: this.#network,
      sent: this.#sent,
      received: this.#received,
      ...(this.#node !== undefined && { node: this.#node }),
    };
  }

  /** Counts a request that was answered, or failed. */
  sent(request: SentRequest): void {
    this.#requests++;
    this.#network += request.duration;
    this.#node = request.node;
    if (typeof request.body === "string") this.#sent += bytesOf(request.body);
    this.#received += bytesOf(request.text);
  }

  /** The call begins to wait for its place in a request. */
  waits(): void {
    if (this.#waiting++ === 0) this.#since = performance.now();
  }

  /** It waits no longer. */
  goes(): void {
    if (--this.#waiting === 0) this.#queued += performance.now() - this.#since;
  }
}

function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length;
}
