import { ConnectionError, TimeoutError } from "../errors.ts";
import type { Closing } from "../time/closing.ts";
import { sleep } from "../time/sleep.ts";
import type { Attempt, Trace } from "./attempt.ts";
import type { Discovery } from "./discovery.ts";
import type { Election } from "./election.ts";
import { closedError, resting, settle, unaffordable, withOthers } from "./failures.ts";
import type { Nearest } from "./nearest.ts";
import type { Nodes } from "./nodes.ts";
import type { RequestSender } from "./request_sender.ts";
import { attemptLimit, retryAfter, type RetryBudget, retryDelay } from "./retry.ts";
import type { Exchange, Failure } from "./transport.ts";

/** What all exchanges of a client share. */
export interface Shared {
  /** Which nodes there are, and how they are. */
  readonly nodes: Nodes;
  /** Attempts after the first. */
  readonly retries: number;
  /** Ends what is waited for. */
  readonly closing: Closing;
  /** Pays for what is sent again. */
  readonly budget: RetryBudget;
  /** Sends one request. */
  readonly sender: RequestSender;
  /** Looks for other nodes, where that is wanted. */
  readonly discovery: Discovery | undefined;
  /** Looks for a leader, where there is none. */
  readonly election: Election;
}

/** How long a call waits for the budget while no other call succeeds, in milliseconds: longer than an election takes. */
const PATIENCE = 5_000;

/** The longest pause before a call looks again, in milliseconds. */
const NAP = 250;

const NONE: ReadonlySet<string> = new Set();

/** One exchange on its way: which node is asked, how often, and for how long. */
export class Delivery<T> {
  readonly #shared: Shared;
  readonly #exchange: Exchange<T>;
  readonly #nearest: Nearest | undefined;
  /** Nodes that will refuse it again, and those that it could not reach. */
  #hopeless = NONE;
  #unreached = NONE;
  /** Attempts before this one, without and with looks for a leader. */
  #attempt = 0;
  #sent = 0;
  /** What became of the last attempt, and what each node has answered. */
  #failure: Failure | undefined;
  #said: Map<string, string> | undefined;
  /** An earlier attempt may have taken effect: then a definite answer to a later one says nothing. */
  #doubtful = false;
  /** How long it still waits for the budget, and how many calls had succeeded when the last attempt failed. */
  #patience = PATIENCE;
  #successes = 0;
  /** Until when it looks for a leader, by `performance.now()`; 0 where it does not. */
  #looksUntil = 0;

  /** @param nearest Chooses among several nodes where any may answer. */
  constructor(shared: Shared, exchange: Exchange<T>, nearest: Nearest | undefined) {
    this.#shared = shared;
    this.#exchange = exchange;
    this.#nearest = nearest;
  }

  /**
   * Sends until there is a success, nothing more may be tried, or time is up; once.
   *
   * @throws {RqliteError} The error of the last attempt, or the caller's abort reason as it is.
   */
  async run(): Promise<T> {
    const { nodes, budget, discovery, election } = this.#shared;
    for (;;) {
      const remaining = this.#check();
      const node = this.#pick(remaining);
      const rest = nodes.rest(node);
      if (rest > 0) {
        if (rest >= remaining) throw settle(resting(node), this.#doubtful);
        await this.#sleep(Math.min(rest, NAP));
        // Another call was served meanwhile: where, the next attempt finds out.
        if (this.#successes !== budget.successes) this.#unreached = NONE;
        continue;
      }
      const { verdict, trace, answered } = await this.#send(node, remaining);
      let wait: number | undefined;
      if ("value" in verdict) budget.succeeded();
      else wait = this.#learn(node, verdict, trace);
      if (answered && nodes.rest(trace.node) === 0) discovery?.answered(trace.node);
      if ("value" in verdict) {
        if (this.#failure !== undefined) election.found();
        return verdict.value;
      }
      await this.#pause(this.#failure ?? verdict, trace.status, wait);
    }
  }

  #pick(remaining: number): string {
    const { leader, node } = this.#exchange;
    const tried = { hopeless: this.#hopeless, unreached: this.#unreached, remaining };
    return node ?? this.#shared.nodes.pick(leader, tried, this.#nearest);
  }

  #send(node: string, remaining: number): Promise<Attempt<T>> {
    const { sender, retries, nodes: { several } } = this.#shared;
    const { repeatable } = this.#exchange;
    const sent = this.#sent++;
    const options = { attempt: this.#attempt, retries, repeatable, several };
    const limit = attemptLimit(remaining, options);
    const send = (limit: number) => sender.send(this.#exchange, node, sent, limit);
    return this.#nearest?.ask(node, sent === 0, limit, send) ?? send(limit);
  }

  /**
   * What a failure tells the next attempt, and the calls that follow.
   *
   * @param node That was picked; the one that has failed is in the trace.
   * @returns How long that one wants to be left alone, in milliseconds, if it says so.
   */
  #learn(node: string, failure: Failure, trace: Trace): number | undefined {
    const { nodes, budget, discovery } = this.#shared;
    const { deadline, write } = this.#exchange;
    const unreached = failure.error instanceof ConnectionError;
    const wait = retryAfter(trace.received?.get("retry-after") ?? null);
    if (failure.next !== "never") {
      nodes.failed(trace.node, unreached);
      if (wait) nodes.rests(trace.node, Math.min(wait, deadline.remaining));
      discovery?.changed();
    }
    if (failure.next === "others") this.#hopeless = new Set(this.#hopeless).add(node);
    if (unreached) this.#unreached = new Set(this.#unreached).add(trace.node);
    this.#failure = withOthers(failure, this.#said ??= new Map(), trace.node);
    this.#successes = budget.successes;
    this.#doubtful ||= write && (failure.applied === "maybe" || trace.lost === true);
    return wait;
  }

  /**
   * Waits until it may be sent again, or throws what it has come to.
   *
   * @param status Of the last answer, if there was one.
   * @param wait What that node asked for, in milliseconds.
   */
  async #pause(
    failure: Failure,
    status: number | undefined,
    wait: number | undefined,
  ): Promise<void> {
    const { nodes, retries, election } = this.#shared;
    const { deadline, node } = this.#exchange;
    const refused = node !== undefined && this.#hopeless.has(node);
    if (refused || nodes.exhausted(this.#hopeless)) throw settle(failure, this.#doubtful);
    const rest = nodes.rest(this.#pick(deadline.remaining));
    const now = performance.now();
    const looks = now < this.#looksUntil;
    // The last look stands for the attempt that was due.
    if (!looks && this.#looksUntil > 0) this.#attempt++;
    const delay = this.#delay(failure, wait, rest);
    if (delay === undefined) throw settle(failure, this.#doubtful);
    // A leader may be there before the wait is over; what has too much to do is not asked before its time.
    const mayLook = retries > 1 && wait === undefined && status !== 429;
    if (!looks) this.#looksUntil = mayLook && failure.next === "leaderless" ? now + delay : 0;
    if (this.#looksUntil === 0) await this.#sleep(delay);
    else if (await election.wait(this.#looksUntil, deadline)) return;
    this.#looksUntil = 0;
    await this.#afford(failure);
    this.#attempt++;
  }

  /** How long to wait for the next attempt. @param wait What this node asked for. @param rest What the next one asked for. */
  #delay(failure: Failure, wait: number | undefined, rest: number): number | undefined {
    const { deadline: { remaining }, repeatable } = this.#exchange;
    const { retries } = this.#shared;
    const attempt = this.#attempt;
    // A node that asked for a pause does not keep the call from another one.
    const retryAfter = wait || rest > 0 ? rest : undefined;
    const delay = retryDelay({ ...failure, attempt, retries, repeatable, remaining, retryAfter });
    if (delay === undefined || delay >= remaining) return undefined;
    // A pause of the node is waited for later, where another call may find one that is well.
    return delay > rest ? delay : Math.min(delay, NAP);
  }

  /** Waits until the budget has another attempt, or throws at the end of the patience. */
  async #afford(failure: Failure): Promise<void> {
    const { budget } = this.#shared;
    let spent: Failure | undefined;
    while (!budget.take()) {
      this.#check(spent ??= unaffordable(failure));
      // Nobody is handed a repeat: on Workers who is next in a queue may be gone.
      const nap = NAP * (0.5 + Math.random() / 2);
      const longest = Math.min(this.#patience, this.#exchange.deadline.remaining);
      if (nap > longest) throw settle(spent, this.#doubtful);
      const { successes } = budget;
      await this.#sleep(nap);
      if (successes === budget.successes) this.#patience -= nap;
    }
  }

  /** Milliseconds that remain for another attempt. @param failure What to throw where time is up, if there was one. */
  #check(failure: Failure | undefined = this.#failure): number {
    const { signal, remaining } = this.#exchange.deadline;
    const { closed } = this.#shared.closing;
    if (signal?.aborted) throw signal.reason;
    if (!closed && remaining > 0) return remaining;
    const error = closed
      ? closedError()
      : new TimeoutError("Out of time before the request was sent");
    const late: Failure = { error, applied: "no", next: "never" };
    throw settle(closed ? late : failure ?? late, this.#doubtful);
  }

  #sleep(milliseconds: number): Promise<void> {
    const { signal } = this.#exchange.deadline;
    return sleep(milliseconds, { abort: signal, closing: this.#shared.closing });
  }
}
