import { ConnectionError, InterfaceError, OperationalError, TimeoutError } from "../errors.ts";
import { RetryBudget } from "./budget.ts";
import { type Attempt, Copies, type CopiesOptions } from "./copies.ts";
import { Closing } from "../time/closing.ts";
import { Deadline } from "../time/deadline.ts";
import { Interrupted, within } from "../time/within.ts";
import { Discovery, LOOK_UP_LIMIT } from "./discovery.ts";
import { closedError, resting, settle, unaffordable, withOthers } from "./failures.ts";
import { Late } from "../late.ts";
import type { Nearest } from "./nearest.ts";
import type { Members } from "./nodes.ts";
import { attemptLimit, retryAfter, retryDelay } from "./retry.ts";
import type { Exchange, Failure, Transport } from "./transport.ts";

/** What an {@linkcode HttpTransport} is made of. */
export interface HttpTransportOptions extends CopiesOptions {
  /** Attempts after the first. */
  readonly retries: number;
  /** Reads the members out of the answer of `/nodes`; without it there is no discovery. */
  readonly discover?: ((text: string) => Members) | undefined;
}

const NEAREST = new Late("the choice of nodes", () => import("./nearest.ts"));

/** How long a call waits for the budget while no other call succeeds, in milliseconds: longer than an election takes. */
const PATIENCE = 5_000;

/** The longest pause before it looks again, in milliseconds. */
const NAP = 250;

/** The longest time between two looks for a leader while calls wait for one, in milliseconds. */
const LOOK = 150;

const NONE: ReadonlySet<string> = new Set();

/** Exchanges over `fetch`: which node is asked, how often, and for how long. */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  readonly #closing = new Closing();
  readonly #copies: Copies;
  readonly #budget = new RetryBudget();
  readonly #discovery: Discovery | undefined;
  #near: Nearest | undefined;
  /** How often a call has found what others may wait for. */
  #found = 0;
  /** Nobody looks for a leader before. */
  #nextLook = 0;

  /** Sends nothing yet. */
  constructor(options: HttpTransportOptions) {
    this.#options = options;
    this.#copies = new Copies(options, this.#closing);
    const { discover } = options;
    if (discover) this.#discovery = new Discovery((node) => this.#lookUp(node, discover));
  }

  /** Ends what is under way. */
  close(): void {
    this.#closing.close();
  }

  /** See {@linkcode Transport.send}. */
  async send<T>(exchange: Exchange<T>): Promise<T> {
    const { nodes } = this.#options;
    const { deadline, leader, write, node: only } = exchange;
    let hopeless = NONE;
    let unreached = NONE;
    let said: Map<string, string> | undefined;
    const near = leader || only !== undefined ? undefined : await this.#nearest(exchange);
    const pick = (remaining: number) =>
      only ?? nodes.pick(leader, { hopeless, unreached, remaining }, near);
    let doubtful = false;
    let patience = PATIENCE;
    let successes = 0;
    let failure: Failure | undefined;
    let until = 0;
    this.#begin();
    for (let attempt = 0, sent = 0;; attempt++) {
      const remaining = this.#check(deadline, doubtful, failure);
      const node = pick(remaining);
      const rest = nodes.rest(node);
      if (rest > 0) {
        if (rest >= remaining) throw settle(resting(node), doubtful);
        await this.#sleep(Math.min(rest, NAP), deadline);
        // Another call was served meanwhile: where, the next attempt finds out.
        if (successes !== this.#budget.successes) unreached = NONE;
        attempt--;
        continue;
      }
      const came = await this.#attempt(exchange, node, attempt, remaining, sent++, near);
      const { verdict, trace } = came;
      const wait = this.#learn(came, deadline);
      if ("value" in verdict) {
        if (failure !== undefined) this.#found++;
        return verdict.value;
      }
      failure = withOthers(verdict, said ??= new Map(), trace.node);
      if (verdict.next === "others") hopeless = new Set(hopeless).add(node);
      if (verdict.error instanceof ConnectionError) unreached = new Set(unreached).add(trace.node);
      successes = this.#budget.successes;
      doubtful ||= write && (verdict.applied === "maybe" || trace.lost === true);
      if (nodes.exhausted(hopeless) || hopeless.has(only!)) throw settle(failure, doubtful);
      const next = pick(deadline.remaining);
      const now = performance.now();
      const looks = now < until;
      // The last look stands for the attempt that was due.
      if (!looks && until > 0) attempt++;
      const delay = this.#delay(exchange, verdict, attempt, wait, nodes.rest(next));
      if (delay === undefined) throw settle(failure, doubtful);
      if (!looks) until = this.#looks(came, wait) ? now + delay : 0;
      if (until === 0) await this.#sleep(delay, deadline);
      else if (await this.#election(until, deadline)) {
        attempt--;
        continue;
      } else until = 0;
      patience = await this.#afford(failure, patience, deadline, doubtful);
    }
  }

  /** @param wait What this node asked for. @param rest What the next one asked for. */
  #delay(
    { deadline: { remaining }, repeatable }: Exchange<unknown>,
    failure: Failure,
    attempt: number,
    wait: number | undefined,
    rest: number,
  ): number | undefined {
    const { retries } = this.#options;
    // A node that asked for a pause does not keep the call from another one.
    const retryAfter = wait || rest > 0 ? rest : undefined;
    const delay = retryDelay({ ...failure, attempt, retries, repeatable, remaining, retryAfter });
    if (delay === undefined || delay >= remaining) return undefined;
    // A pause of the node is waited for later, where another call may find one that is well.
    return delay > rest ? delay : Math.min(delay, NAP);
  }

  /** What chooses among several nodes where any may answer a read; one that cannot be loaded leaves it to the first. */
  async #nearest({ method, deadline }: Exchange<unknown>): Promise<Nearest | undefined> {
    const { nodes, retries } = this.#options;
    // A look at a node that may not answer is for calls that can go on elsewhere.
    if (method === "GET" || !nodes.several || retries === 0) return undefined;
    try {
      return this.#near ??
        await NEAREST.use(deadline, ({ Nearest }) => this.#near ??= new Nearest());
    } catch {
      return undefined;
    }
  }

  #begin(): void {
    const mistake = this.#discovery?.takeMistake();
    if (mistake !== undefined) throw mistake;
    this.#budget.called();
  }

  /** Whether a leader may be there before the wait is over; what has too much to do is not asked before its time. */
  #looks({ verdict, trace }: Attempt<unknown>, wait: number | undefined): boolean {
    return this.#options.retries > 1 && wait === undefined && trace.status !== 429 &&
      "next" in verdict && verdict.next === "leaderless";
  }

  /**
   * Waits for an election. Of the calls that wait, one looks for a leader from time to time, and the others follow where
   * one has found it: such a look is paid for, and does not count as one of the attempts.
   *
   * @param until When the call is repeated in any case.
   * @returns Whether it is to look now.
   */
  async #election(until: number, deadline: Deadline): Promise<boolean> {
    const found = this.#found;
    for (let left; (left = until - performance.now()) > 0;) {
      await this.#sleep(Math.min(left, LOOK * (0.5 + Math.random() / 2)), deadline);
      if (this.#closing.closed || deadline.signal?.aborted) return true;
      const now = performance.now();
      const due = found !== this.#found || now >= this.#nextLook;
      if (!due || !this.#budget.take()) continue;
      this.#nextLook = now + LOOK / 2;
      return true;
    }
    return false;
  }

  /** Waits until the budget has another attempt; gives what remains of the patience, or throws at its end. */
  async #afford(
    failure: Failure,
    patience: number,
    deadline: Deadline,
    doubtful: boolean,
  ): Promise<number> {
    let spent: Failure | undefined;
    while (!this.#budget.take()) {
      this.#check(deadline, doubtful, spent ??= unaffordable(failure));
      // Nobody is handed a repeat: on Workers who is next in a queue may be gone.
      const nap = NAP * (0.5 + Math.random() / 2);
      if (nap > Math.min(patience, deadline.remaining)) throw settle(spent, doubtful);
      const { successes } = this.#budget;
      await this.#sleep(nap, deadline);
      if (successes === this.#budget.successes) patience -= nap;
    }
    return patience;
  }

  /** What an attempt tells the calls that follow; answers how long the node wants to be left alone, if it says so. */
  #learn({ verdict, trace, answered }: Attempt<unknown>, deadline: Deadline): number | undefined {
    const { nodes } = this.#options;
    const { node } = trace;
    let wait: number | undefined;
    if ("value" in verdict) this.#budget.succeeded();
    else {
      wait = retryAfter(trace.received?.get("retry-after") ?? null);
      if (verdict.next !== "never") {
        nodes.failed(node, verdict.error instanceof ConnectionError);
        if (wait) nodes.rests(node, Math.min(wait, deadline.remaining));
        this.#discovery?.changed();
      }
    }
    if (answered && nodes.rest(node) === 0) this.#discovery?.answered(node);
    return wait;
  }

  #attempt<T>(
    exchange: Exchange<T>,
    node: string,
    attempt: number,
    remaining: number,
    sent: number,
    near?: Nearest,
  ): Promise<Attempt<T>> {
    const { retries, nodes: { several } } = this.#options;
    const { repeatable } = exchange;
    const limit = attemptLimit(remaining, { attempt, retries, repeatable, several });
    const send = (limit: number) => this.#copies.send(exchange, node, sent, limit);
    return near === undefined ? send(limit) : near.ask(node, sent === 0, limit, send);
  }

  /** Asks a node for the cluster's members; what is configured stays in use where nobody can tell. */
  async #lookUp(node: string, discover: (text: string) => Members): Promise<boolean> {
    const { nodes } = this.#options;
    const { heard } = nodes;
    const exchange: Exchange<boolean> = {
      method: "GET",
      path: "/nodes?ver=2&nonvoters&timeout=2s",
      leader: false,
      write: false,
      repeatable: false,
      statements: 0,
      deadline: new Deadline(LOOK_UP_LIMIT),
      judge: ({ status, text }) => {
        try {
          if (status === 200) nodes.learn(discover(text), heard);
          // A node that has enough to do may know more later; one that refuses for good does not.
          return { value: status < 500 && status !== 429 };
        } catch (cause) {
          const error = cause instanceof InterfaceError
            ? cause
            : new OperationalError(`Cannot read the members that ${node} names`, { node, cause });
          return { error, applied: "no", next: "never" };
        }
      },
    };
    const { verdict } = await this.#attempt(exchange, node, 0, LOOK_UP_LIMIT, 0);
    if ("error" in verdict) throw verdict.error;
    return verdict.value;
  }

  /**
   * Milliseconds that remain for another attempt.
   *
   * @param doubtful An earlier attempt may have taken effect: then not having sent this one says nothing.
   * @param failure What became of the last attempt, if there was one.
   */
  #check(deadline: Deadline, doubtful: boolean, failure?: Failure): number {
    const { signal, remaining } = deadline;
    if (signal?.aborted) throw signal.reason;
    const error = this.#closing.closed
      ? closedError()
      : remaining === 0
      ? new TimeoutError("Out of time before the request was sent")
      : undefined;
    if (error === undefined) return remaining;
    const late: Failure = { error, applied: "no", next: "never" };
    throw settle(this.#closing.closed ? late : failure ?? late, doubtful);
  }

  async #sleep(delay: number, { signal }: Deadline): Promise<void> {
    const ends = { abort: signal, closing: this.#closing };
    try {
      await within(delay, ends, () => new Promise(() => {}));
    } catch (error) {
      // Whatever ended the wait is looked at before the next attempt.
      if (!(error instanceof Interrupted)) throw error;
    }
  }
}
