import { AuthenticationError } from "../errors.ts";
import { endpointOf } from "./address.ts";
import { readText } from "./body.ts";
import type { Authorization } from "./credentials.ts";
import type { Closing } from "../time/closing.ts";
import type { Deadline } from "../time/deadline.ts";
import { Interrupted, within } from "../time/within.ts";
import { type RequestEvent, tell } from "./events.ts";
import { interrupted, misdirected, type Trace } from "./failures.ts";
import { Late } from "../late.ts";
import type { NeverSent } from "./never_sent.ts";
import type { Nodes } from "./nodes.ts";
import { platformFetch } from "./platform_fetch.ts";
import { causeOf } from "../reason.ts";
import type { Exchange, Failure, HttpAnswer, Verdict } from "./transport.ts";

/** What `fetch` must be told of a body that is a stream. */
type StreamInit = RequestInit & { duplex?: "half" };

/** What copies of exchanges are sent with. */
export interface CopiesOptions {
  readonly fetch: typeof fetch;
  readonly nodes: Nodes;
  readonly authorization: Authorization;
  readonly headers: Readonly<Record<string, string>>;
  /** How long an answer may be, in bytes after decompression. */
  readonly maxResponseSize: number;
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
}

/** What one attempt came to. */
export interface Attempt<T> {
  readonly verdict: Verdict<T>;
  readonly trace: Trace;
  /** There was an answer. */
  readonly answered: boolean;
}

/** Redirects followed in one attempt: the leader may change while it is being looked for. */
const MOST_HOPS = 4;

/** How long a leader that has never answered may take for the beginning of its answer, in milliseconds. */
const LONGEST_MEETING = 3_000;

/** How much of a call that may take at most: half of an attempt, behind which the node that named it can forward. */
const MEETING_SHARE = 1 / 4;

/**
 * Deno's `fetch` sends a POST again by itself when a kept-alive connection dies, unless its body is a Blob, which takes
 * longer; so may any engine that is not known. A write with an id may be sent again, but not in secret: what became of the
 * second copy, such as that nobody listens any more, would be taken for all that became of the write.
 */
const SENDS_ONCE: boolean = /^Node\.js\//.test(globalThis.navigator?.userAgent ?? "");

/** Sends copies of exchanges, one by one: redirects, credentials, and what an attempt came to. */
export class Copies {
  readonly #options: CopiesOptions;
  readonly #closing: Closing;
  #redirectsHidden = false;
  /** With which the last request was sent that was served. */
  #served: string | undefined;

  /** @param closing Ends what is under way. */
  constructor(options: CopiesOptions, closing: Closing) {
    this.#options = options;
    this.#closing = closing;
  }

  /**
   * One attempt: its redirects, its answer, and what became of it.
   *
   * @param attempt How many there were before it.
   * @param limit How long it may take, in milliseconds.
   * @throws The caller's abort reason as it is.
   */
  async send<T>(
    exchange: Exchange<T>,
    node: string,
    attempt: number,
    limit: number,
  ): Promise<Attempt<T>> {
    const { onRequest } = this.#options;
    const { meter } = exchange.deadline;
    const started = (onRequest ?? meter) && performance.now();
    const trace: Trace = { node, sent: false, status: undefined };
    const ends = { abort: exchange.deadline.signal, closing: this.#closing };
    let answer: HttpAnswer | Failure;
    try {
      answer = await within(limit, ends, (signal) => this.#converse(exchange, trace, signal));
    } catch (error) {
      answer = interrupted(
        exchange,
        trace,
        error,
        await proof(error, trace.node, exchange.deadline),
      );
    }
    const answered = "status" in answer;
    const judged = "status" in answer ? exchange.judge(answer) : answer;
    const verdict = judged instanceof Promise ? await judged : judged;
    if (started !== undefined) {
      const duration = performance.now() - started;
      const text = "text" in answer ? answer.text : "";
      meter?.sent({ node: trace.node, duration, body: exchange.body, text });
      if (onRequest) tell(onRequest, eventOf(exchange, trace, attempt, duration, verdict));
    }
    return { verdict, trace, answered };
  }

  /** Asks `trace.node`, follows it to the leader, renews refused credentials once; reads the answer to its end. */
  async #converse(
    exchange: Exchange<unknown>,
    trace: Trace,
    signal: AbortSignal,
  ): Promise<HttpAnswer | Failure> {
    const { authorization, nodes, fetch } = this.#options;
    let forward = !exchange.leader || this.#redirectsHidden;
    let refused: string | undefined;
    /** Who has named the leader that is asked, where that has never answered. */
    let origin: string | undefined;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const path = forward ? exchange.path : withFlag(exchange.path, "redirect");
      const header = refused === undefined
        ? authorization.header(signal)
        : authorization.renewed(refused, signal);
      const init = this.#init(
        exchange,
        trace,
        header instanceof Promise ? await header.catch(unauthorized) : header,
        signal,
      );
      // Whoever waited for it has been told by now that nothing was sent, and a `fetch` may ignore its signal.
      signal.throwIfAborted();
      trace.sent = true;
      const url = trace.node + path;
      let response: Response;
      try {
        response = await (origin === undefined
          ? fetch(url, init)
          : this.#meet(url, init, signal, exchange.deadline));
      } catch (error) {
        if (origin === undefined || signal.aborted) throw error;
        // Nodes behind a load balancer or in containers name addresses that are their own.
        nodes.missed(trace.node);
        const unsent = await proof(error, trace.node, exchange.deadline);
        if (unsent === undefined) trace.lost = true;
        trace.node = origin;
        trace.redirected = origin = undefined;
        forward = true;
        continue;
      }
      if (origin !== undefined) nodes.met(trace.node);
      origin = undefined;
      const { status } = response;
      if (status === 0 && response.type === "opaqueredirect") {
        // Browsers hide where a redirect leads; the node itself can forward.
        forward = this.#redirectsHidden = true;
        continue;
      }
      trace.status = status;
      const location = isRedirect(status) ? response.headers.get("location") : null;
      if (location !== null) {
        trace.sent = false;
        await response.body?.cancel();
        if (forward) break;
        const leader = nodes.redirected(trace.node, location, exchange.path, exchange.repeatable);
        if (leader === undefined) forward = true;
        else {
          if (exchange.repeatable && nodes.meets(leader)) origin = trace.node;
          trace.node = leader;
        }
        trace.redirected = leader !== undefined;
        continue;
      }
      if (status === 401 && authorization.renewable && refused === undefined) {
        trace.sent = false;
        await response.body?.cancel();
        refused = trace.headers?.["authorization"] ?? "";
        continue;
      }
      trace.received = response.headers;
      const body = exchange.open && status === 200
        ? { stream: response.body, closing: this.#closing }
        : undefined;
      const text = body === undefined
        ? readText(response, this.#options.maxResponseSize, trace.node)
        : Promise.resolve("");
      return {
        status,
        body,
        // A refusal is one whatever it says; a server that speaks TLS resets the connection behind it.
        text: await (status === 400 ? text.catch(() => "") : text),
        node: trace.node,
        endpoint: endpointOf(exchange.path),
        user: this.#userOf(trace, status),
        sent: Object.values(trace.headers ?? {}),
        version: response.headers.get("x-rqlite-version") ??
          (response.type === "cors" ? "" : undefined),
      };
    }
    return misdirected(trace);
  }

  /** Asks a node that has never answered: where it cannot be reached, silence may be all that there is to hear. */
  #meet(
    url: string,
    init: RequestInit,
    signal: AbortSignal,
    { remaining }: Deadline,
  ): Promise<Response> {
    const ends = { abort: signal, closing: this.#closing };
    const limit = Math.min(LONGEST_MEETING, remaining * MEETING_SHARE);
    return within(limit, ends, (late) => {
      return this.#options.fetch(url, { ...init, signal: AbortSignal.any([signal, late]) });
    });
  }

  #init(
    { method, body, repeatable, write }: Exchange<unknown>,
    trace: Trace,
    authorization: string | undefined,
    signal: AbortSignal,
  ): RequestInit {
    const { headers, fetch } = this.#options;
    trace.headers = authorization === undefined ? headers : { ...headers, authorization };
    if (body === undefined) {
      return { method, headers: { ...trace.headers }, signal, redirect: "manual" };
    }
    const init: StreamInit = {
      method,
      // Without it a text body is labelled text/plain, which servers from 8.35 on take for raw SQL.
      headers: { ...trace.headers, "content-type": "application/json" },
      signal,
      redirect: "manual",
    };
    if (typeof body === "string") {
      // A `fetch` of the caller's own sees text, as it may have to read it.
      const secretly = repeatable && !(write && fetch === platformFetch);
      init.body = secretly || SENDS_ONCE ? body : new Blob([body]);
    } else {
      init.body = body();
      init.duplex = "half";
    }
    return init;
  }

  #userOf({ headers }: Trace, status: number): HttpAnswer["user"] {
    const authorization = headers?.["authorization"];
    // Some refusals come before anybody looks at the user.
    if (status === 200) this.#served = authorization;
    if (authorization === undefined) return "none";
    return authorization === this.#served ? "known" : "new";
  }
}

const PROOFS = new Late("faults of connections", () => import("./never_sent.ts"));

/** What a rejection of `fetch` proves; what tells it and cannot be loaded proves nothing. */
async function proof(
  error: unknown,
  node: string,
  deadline: Deadline,
): Promise<NeverSent | undefined> {
  if (error instanceof Interrupted) return undefined;
  try {
    return await PROOFS.use(deadline, ({ neverSent }) => neverSent(error, node));
  } catch {
    return undefined;
  }
}

function eventOf(
  exchange: Exchange<unknown>,
  { node, status }: Trace,
  attempt: number,
  duration: number,
  verdict: Verdict<unknown>,
): RequestEvent {
  return {
    endpoint: endpointOf(exchange.path),
    node,
    statements: exchange.statements,
    attempt,
    duration,
    ...(status !== undefined && { status }),
    ...("error" in verdict && { error: verdict.error }),
  };
}

function unauthorized(error: unknown): never {
  const cause = causeOf(error);
  throw new AuthenticationError("Cannot send the request as `credentials` failed", { cause });
}

function isRedirect(status: number): boolean {
  return status === 301 || status === 302 || status === 307 || status === 308;
}

function withFlag(path: string, flag: string): string {
  return `${path}${path.includes("?") ? "&" : "?"}${flag}`;
}
