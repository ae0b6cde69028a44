import {
  AuthenticationError,
  ConnectionError,
  InterfaceError,
  OperationalError,
  TimeoutError,
} from "../errors.ts";
import { readText } from "./body.ts";
import { RetryBudget } from "./budget.ts";
import type { Authorization } from "./credentials.ts";
import { Closing, Deadline, Interrupted, within } from "./deadline.ts";
import { Discovery, LOOK_UP_LIMIT } from "./discovery.ts";
import {
  closedError,
  interrupted,
  misdirected,
  resting,
  settle,
  type Trace,
  unaffordable,
} from "./failures.ts";
import type { Nodes } from "./nodes.ts";
import { causeOf } from "../reason.ts";
import { attemptLimit, retryAfter, retryDelay } from "./retry.ts";
import type { Exchange, Failure, HttpAnswer, Transport, Verdict } from "./transport.ts";

/** Reported after each attempt; never holds SQL or parameter values. */
export interface RequestEvent {
  /** The path without its query string, such as `/db/query`. */
  readonly endpoint: string;
  /** The node that was asked, such as `http://localhost:4001`. */
  readonly node: string;
  /** How many statements the request held. */
  readonly statements: number;
  /** Attempts of the same exchange before this one. */
  readonly attempt: number;
  /** The HTTP status, where there was an answer. */
  readonly status?: number;
  /** Milliseconds from sending to the end of the answer. */
  readonly duration: number;
  /** What went wrong, if anything did. */
  readonly error?: unknown;
}

/** What an {@linkcode HttpTransport} is made of. */
export interface HttpTransportOptions {
  readonly fetch: typeof fetch;
  readonly nodes: Nodes;
  readonly authorization: Authorization;
  readonly headers: Readonly<Record<string, string>>;
  /** Attempts after the first. */
  readonly retries: number;
  /** How long an answer may be, in bytes after decompression. */
  readonly maxResponseSize: number;
  /** Reads the members' API addresses out of the answer of `/nodes`; without it there is no discovery. */
  readonly discover?: ((text: string) => readonly string[]) | undefined;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

/** Redirects followed in one attempt: the leader may change while it is being looked for. */
const MOST_HOPS = 4;

/** How long a call waits for the budget while no other call succeeds, in milliseconds: longer than an election takes. */
const PATIENCE = 5_000;

/** The longest pause before it looks again, in milliseconds. */
const NAP = 250;

/** Exchanges over `fetch`: nodes, redirects, credentials, limits and safe repeats. */
export class HttpTransport implements Transport {
  readonly #options: HttpTransportOptions;
  readonly #closing = new Closing();
  readonly #budget = new RetryBudget();
  readonly #discovery: Discovery | undefined;
  #redirectsHidden = false;
  /** With which the last request was sent that was served. */
  #served: string | undefined;

  /** Sends nothing yet. */
  constructor(options: HttpTransportOptions) {
    this.#options = options;
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
    const { deadline, leader, write } = exchange;
    const [hopeless, unreached] = [new Set<string>(), new Set<string>()];
    const pick = () => nodes.pick(leader, { hopeless, unreached, remaining: deadline.remaining });
    let doubtful = false;
    let patience = PATIENCE;
    let successes = 0;
    let failure: Failure | undefined;
    this.#begin();
    for (let attempt = 0;; attempt++) {
      this.#check(deadline, doubtful, failure);
      const node = pick();
      const rest = nodes.rest(node);
      if (rest > 0) {
        if (rest >= deadline.remaining) throw settle(resting(node), doubtful);
        await this.#sleep(Math.min(rest, NAP), deadline);
        // Another call was served meanwhile: where, the next attempt finds out.
        if (successes !== this.#budget.successes) unreached.clear();
        attempt--;
        continue;
      }
      const { verdict, trace, answered } = await this.#attempt(exchange, node, attempt);
      this.#learn(verdict, trace, answered, deadline);
      if ("value" in verdict) return verdict.value;
      failure = verdict;
      if (verdict.next === "others") hopeless.add(node);
      if (verdict.error instanceof ConnectionError) unreached.add(trace.node);
      successes = this.#budget.successes;
      doubtful ||= write && verdict.applied === "maybe";
      if (nodes.exhausted(hopeless)) throw settle(verdict, doubtful);
      const delay = this.#delay(exchange, verdict, attempt, trace.wait, nodes.rest(pick()));
      if (delay === undefined) throw settle(verdict, doubtful);
      await this.#sleep(delay, deadline);
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

  #begin(): void {
    const mistake = this.#discovery?.takeMistake();
    if (mistake !== undefined) throw mistake;
    this.#budget.called();
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

  /** What an attempt tells the calls that follow. */
  #learn(
    verdict: Verdict<unknown>,
    { node, wait }: Trace,
    answered: boolean,
    { remaining }: Deadline,
  ): void {
    const { nodes } = this.#options;
    if ("value" in verdict) this.#budget.succeeded();
    else if (verdict.next !== "never") {
      nodes.failed(node, verdict.error instanceof ConnectionError);
      if (wait) nodes.rests(node, Math.min(wait, remaining));
      this.#discovery?.changed();
    }
    if (answered && nodes.rest(node) === 0) this.#discovery?.answered(node);
  }

  /** One attempt: its redirects, its answer, and what became of it. */
  async #attempt<T>(
    exchange: Exchange<T>,
    node: string,
    attempt: number,
  ): Promise<{ verdict: Verdict<T>; trace: Trace; answered: boolean }> {
    const started = performance.now();
    const trace: Trace = { node, sent: false, status: undefined, wait: undefined };
    const limit = attemptLimit(exchange.deadline.remaining, {
      attempt,
      retries: this.#options.retries,
      repeatable: exchange.repeatable,
      several: this.#options.nodes.several,
    });
    const answer = await this.#within(limit, exchange.deadline, (signal) => {
      return this.#converse(exchange, trace, signal);
    }).catch((error: unknown): Failure => interrupted(exchange, trace, error));
    const answered = "status" in answer;
    const judged = answered ? exchange.judge(answer) : answer;
    const verdict = judged instanceof Promise ? await judged : judged;
    this.#report(exchange, trace, attempt, started, "error" in verdict ? verdict.error : undefined);
    return { verdict, trace, answered };
  }

  /** Asks `trace.node`, follows it to the leader, renews refused credentials once; reads the answer to its end. */
  async #converse(
    exchange: Exchange<unknown>,
    trace: Trace,
    signal: AbortSignal,
  ): Promise<HttpAnswer | Failure> {
    let forward = !exchange.leader || this.#redirectsHidden;
    let renewed = false;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const path = forward ? exchange.path : withFlag(exchange.path, "redirect");
      const response = await this.#fetch(trace, path, exchange, signal);
      if (response.type === "opaqueredirect") {
        // Browsers hide where a redirect leads; the node itself can forward.
        forward = this.#redirectsHidden = true;
        continue;
      }
      trace.status = response.status;
      const location = isRedirect(response.status) ? response.headers.get("location") : null;
      if (location !== null) {
        trace.sent = false;
        await response.body?.cancel();
        if (forward) break;
        const leader = this.#options.nodes.redirected(trace.node, location, exchange.path);
        if (leader === undefined) forward = true;
        else trace.node = leader;
        trace.redirected = leader !== undefined;
        continue;
      }
      if (response.status === 401 && this.#options.authorization.renewable && !renewed) {
        trace.sent = false;
        await response.body?.cancel();
        renewed = true;
        continue;
      }
      trace.wait = retryAfter(response.headers.get("retry-after"));
      const text = readText(response, this.#options.maxResponseSize, trace.node);
      return {
        status: response.status,
        // A refusal is one whatever it says; a server that speaks TLS resets the connection behind it.
        text: await (response.status === 400 ? text.catch(() => "") : text),
        node: trace.node,
        endpoint: endpointOf(exchange),
        user: this.#userOf(trace, response.status),
        sent: trace.headers ?? [],
        version: response.headers.get("x-rqlite-version") ??
          (response.type === "cors" ? "" : undefined),
      };
    }
    return misdirected(trace);
  }

  async #fetch(
    trace: Trace,
    path: string,
    exchange: Exchange<unknown>,
    signal: AbortSignal,
  ): Promise<Response> {
    const authorization = await this.#authorize(signal);
    const headers: Record<string, string> = { ...this.#options.headers };
    if (authorization !== undefined) headers["authorization"] = authorization;
    trace.authorization = headers["authorization"];
    trace.headers = Object.values(headers);
    const init: RequestInit = { method: exchange.method, headers, signal, redirect: "manual" };
    if (exchange.body !== undefined) {
      // Without it a text body is labelled text/plain, which servers from 8.35 on take for raw SQL.
      headers["content-type"] = "application/json";
      // Deno's fetch repeats a POST with a text body by itself when a kept-alive connection dies.
      init.body = exchange.repeatable ? exchange.body : new Blob([exchange.body]);
    }
    const { fetch } = this.#options;
    trace.sent = true;
    return await fetch(trace.node + path, init);
  }

  async #authorize(signal: AbortSignal): Promise<string | undefined> {
    try {
      return await this.#options.authorization.header(signal);
    } catch (error) {
      const cause = causeOf(error);
      throw new AuthenticationError("Cannot send the request as `credentials` failed", { cause });
    }
  }

  /** Asks a node for the cluster's members; what is configured stays in use where nobody can tell. */
  async #lookUp(node: string, discover: (text: string) => readonly string[]): Promise<boolean> {
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
          if (status === 200) this.#options.nodes.learn(discover(text));
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
    const { verdict } = await this.#attempt(exchange, node, 0);
    if ("error" in verdict) throw verdict.error;
    return verdict.value;
  }

  /**
   * @param doubtful An earlier attempt may have taken effect: then not having sent this one says nothing.
   * @param failure What became of the last attempt, if there was one.
   */
  #check({ signal, remaining }: Deadline, doubtful: boolean, failure?: Failure): void {
    if (signal?.aborted) throw signal.reason;
    const error = this.#closing.closed
      ? closedError()
      : remaining === 0
      ? new TimeoutError("Out of time before the request was sent")
      : undefined;
    if (error === undefined) return;
    const late: Failure = { error, applied: "no", next: "never" };
    throw settle(this.#closing.closed ? late : failure ?? late, doubtful);
  }

  #within<T>(
    limit: number,
    deadline: Deadline,
    work: (signal: AbortSignal) => Promise<T>,
  ): Promise<T> {
    return within(limit, { abort: deadline.signal, closing: this.#closing }, work);
  }

  async #sleep(delay: number, deadline: Deadline): Promise<void> {
    try {
      await this.#within(delay, deadline, () => new Promise(() => {}));
    } catch (error) {
      // Whatever ended the wait is looked at before the next attempt.
      if (!(error instanceof Interrupted)) throw error;
    }
  }

  #userOf({ authorization }: Trace, status: number): HttpAnswer["user"] {
    // Some refusals come before anybody looks at the user.
    if (status === 200) this.#served = authorization;
    if (authorization === undefined) return "none";
    return authorization === this.#served ? "known" : "new";
  }

  #report(
    exchange: Exchange<unknown>,
    { node, status }: Trace,
    attempt: number,
    started: number,
    error: unknown,
  ): void {
    const { onRequest } = this.#options;
    if (onRequest === undefined) return;
    const endpoint = endpointOf(exchange);
    const { statements } = exchange;
    const duration = performance.now() - started;
    try {
      onRequest({
        endpoint,
        node,
        statements,
        attempt,
        duration,
        ...(status !== undefined && { status }),
        ...(error !== undefined && { error }),
      });
    } catch {
      // An observer's mistake must not make a write that succeeded look as if it had failed.
    }
  }
}

function endpointOf({ path }: Exchange<unknown>): string {
  return path.split("?", 1)[0]!;
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 307 || status === 308;
}

function withFlag(path: string, flag: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${flag}`;
}
