import { AuthenticationError } from "../errors.ts";
import { endpointOf } from "./address.ts";
import { readText } from "./body.ts";
import type { Authorization } from "./credentials.ts";
import type { Closing } from "../time/closing.ts";
import type { Deadline } from "../time/deadline.ts";
import { Interrupted, within } from "../time/within.ts";
import type { Attempt, Trace } from "./attempt.ts";
import { interrupted, misdirected } from "./failures.ts";
import { Late } from "../late.ts";
import type { NeverSent } from "./never_sent.ts";
import type { Nodes } from "./nodes.ts";
import { causeOf } from "../reason.ts";
import {
  type Exchange,
  type Failure,
  type HttpAnswer,
  platformFetch,
  type RequestEvent,
  type Verdict,
} from "./transport.ts";

/** What `fetch` must be told of a body that is a stream. */
type StreamInit = RequestInit & { duplex?: "half" };

/** What requests are sent with. */
export interface SenderOptions {
  /** Carries the requests. */
  readonly fetch: typeof fetch;
  /** Learns where the leader is. */
  readonly nodes: Nodes;
  /** Says as whom requests are sent. */
  readonly authorization: Authorization;
  /** The headers of every request. */
  readonly headers: Readonly<Record<string, string>>;
  /** How long an answer may be, in bytes after decompression. */
  readonly maxResponseSize: number;
  /** Told of each request that has ended. */
  readonly onRequest?: ((event: RequestEvent) => void) | undefined;
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

/** Sends the requests of exchanges, one by one: follows redirects, gives credentials, tells what an attempt came to. */
export class RequestSender {
  readonly #options: SenderOptions;
  readonly #closing: Closing;
  #redirectsHidden = false;
  /** With which the last request was sent that was served. */
  #served: string | undefined;

  /** @param closing Ends what is under way. */
  constructor(options: SenderOptions, closing: Closing) {
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
    const { deadline } = exchange;
    const { meter } = deadline;
    const started = (onRequest ?? meter) && performance.now();
    const forward = !exchange.leader || this.#redirectsHidden;
    const trace: Trace = { node, forward, sent: false, status: undefined };
    const ends = { abort: deadline.signal, closing: this.#closing };
    let answer: HttpAnswer | Failure;
    try {
      answer = await within(limit, ends, (signal) => this.#converse(exchange, trace, signal));
    } catch (error) {
      answer = interrupted(exchange, trace, error, await proof(error, trace.node, deadline));
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
    const { authorization, fetch } = this.#options;
    for (let hop = 0; hop < MOST_HOPS; hop++) {
      const path = trace.forward ? exchange.path : withFlag(exchange.path, "redirect");
      const given = trace.refused === undefined
        ? authorization.header(signal)
        : authorization.renewed(trace.refused, signal);
      const header = given instanceof Promise ? await given.catch(unauthorized) : given;
      const init = this.#init(exchange, trace, header, signal);
      // Whoever waited for it has been told by now that nothing was sent, and a `fetch` may ignore its signal.
      signal.throwIfAborted();
      trace.sent = true;
      const response = trace.namedBy === undefined
        ? await fetch(trace.node + path, init)
        : await this.#meet(trace.namedBy, path, init, exchange.deadline, trace, signal);
      if (response === undefined) continue;
      const { status } = response;
      if (status === 0 && response.type === "opaqueredirect") {
        // Browsers hide where a redirect leads; the node itself can forward.
        trace.forward = this.#redirectsHidden = true;
        continue;
      }
      trace.status = status;
      const location = isRedirect(status) ? response.headers.get("location") : null;
      const refused = status === 401 && authorization.renewable && trace.refused === undefined;
      if (location === null && !refused) {
        const text = await this.#read(exchange, trace, response);
        return this.#answer(exchange, trace, response, text);
      }
      trace.sent = false;
      await response.body?.cancel();
      if (location === null) trace.refused = trace.headers?.["authorization"] ?? "";
      else if (trace.forward) break;
      else this.#follow(exchange, trace, location);
    }
    return misdirected(trace);
  }

  /** Goes to the leader that `trace.node` has named, or lets the node itself pass it on. */
  #follow({ path, repeatable }: Exchange<unknown>, trace: Trace, location: string): void {
    const { nodes } = this.#options;
    const leader = nodes.redirected(trace.node, location, path, repeatable);
    trace.redirected = leader !== undefined;
    if (leader === undefined) {
      trace.forward = true;
      return;
    }
    if (repeatable && nodes.meets(leader)) trace.namedBy = trace.node;
    trace.node = leader;
  }

  /**
   * Asks a node that has never answered: where it cannot be reached, silence may be all that there is to hear. Then the
   * one that has named it is to pass it on, and there is no answer yet.
   */
  async #meet(
    namedBy: string,
    path: string,
    init: RequestInit,
    deadline: Deadline,
    trace: Trace,
    signal: AbortSignal,
  ): Promise<Response | undefined> {
    const { nodes, fetch } = this.#options;
    const ends = { abort: signal, closing: this.#closing };
    const limit = Math.min(LONGEST_MEETING, deadline.remaining * MEETING_SHARE);
    trace.namedBy = undefined;
    try {
      const response = await within(limit, ends, (late) => {
        return fetch(trace.node + path, { ...init, signal: AbortSignal.any([signal, late]) });
      });
      nodes.met(trace.node);
      return response;
    } catch (error) {
      if (signal.aborted) throw error;
      // Nodes behind a load balancer or in containers name addresses that are their own.
      nodes.missed(trace.node);
      if (await proof(error, trace.node, deadline) === undefined) trace.lost = true;
      trace.node = namedBy;
      trace.redirected = undefined;
      trace.forward = true;
      return undefined;
    }
  }

  #read(exchange: Exchange<unknown>, trace: Trace, response: Response): Promise<string> {
    const { status, headers } = response;
    trace.received = headers;
    if (exchange.open && status === 200) return Promise.resolve("");
    const text = readText(response, this.#options.maxResponseSize, trace.node);
    // A refusal is one whatever it says; a server that speaks TLS resets the connection behind it.
    return status === 400 ? text.catch(() => "") : text;
  }

  #answer(
    { path, open }: Exchange<unknown>,
    trace: Trace,
    response: Response,
    text: string,
  ): HttpAnswer {
    const { status, headers, type } = response;
    return {
      status,
      body: open && status === 200 ? { stream: response.body, closing: this.#closing } : undefined,
      text,
      node: trace.node,
      endpoint: endpointOf(path),
      user: this.#userOf(trace, status),
      sent: Object.values(trace.headers ?? {}),
      version: headers.get("x-rqlite-version") ?? (type === "cors" ? "" : undefined),
    };
  }

  #init(
    { method, body, repeatable, write }: Exchange<unknown>,
    trace: Trace,
    authorization: string | undefined,
    signal: AbortSignal,
  ): RequestInit {
    const { headers, fetch } = this.#options;
    trace.headers = authorization === undefined ? headers : { ...headers, authorization };
    const sent: Record<string, string> = { ...trace.headers };
    const init: StreamInit = { method, headers: sent, signal, redirect: "manual" };
    if (body === undefined) return init;
    // Without it a text body is labelled text/plain, which servers from 8.35 on take for raw SQL.
    sent["content-type"] = "application/json";
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

/** Tells an observer; its mistake must not make a write that succeeded look as if it had failed. */
function tell(observer: (event: RequestEvent) => void, event: RequestEvent): void {
  try {
    observer(event);
  } catch {
    // Nobody else wants to know.
  }
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
