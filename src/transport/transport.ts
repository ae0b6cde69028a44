import type { RqliteError } from "../errors.ts";
import type { RequestBody } from "../time/meter.ts";
import type { Closing } from "../time/closing.ts";
import type { Deadline } from "../time/deadline.ts";

/** Whether a write that did not succeed took effect. */
export type Applied = "no" | "maybe" | "yes";

/**
 * What could be tried after an answer that is not a success: another node at once, or this one again; only other nodes,
 * as this one will say the same; the same again after an election; or nothing.
 */
export type Next = "elsewhere" | "others" | "leaderless" | "never";

/** A node's answer, read to its end. */
export interface HttpAnswer {
  /** The HTTP status. */
  readonly status: number;
  /** The whole body. */
  readonly text: string;
  /** The body of a success in place of its text, where the exchange asked for that. */
  readonly body?: Stream | undefined;
  /** The node that answered, such as `http://localhost:4001`. */
  readonly node: string;
  /** The path that was asked, without its query string. */
  readonly endpoint: string;
  /** As whom: nobody, a user of whom nothing is known, or one whose requests were served before. */
  readonly user: "none" | "new" | "known";
  /** The values of the request's headers: no message may quote an answer that repeats one. */
  readonly sent: readonly string[];
  /** The server's version as its header says, "" where CORS hides it; `undefined` if a stand-in answered. */
  readonly version: string | undefined;
}

/** A body that nobody has read yet. */
export interface Stream {
  /** The bytes as they come; `null` where there are none. */
  readonly stream: ReadableStream<Uint8Array> | null;
  /** Tells when the client is closed. */
  readonly closing: Closing;
}

/** An answer, or an attempt without one, that is not a success. */
export interface Failure {
  /** What to throw when nothing more can be tried. */
  readonly error: RqliteError;
  /** Whether a write took effect. */
  readonly applied: Applied;
  /** What could be tried. */
  readonly next: Next;
}

/** What an answer means to the caller of the transport. */
export type Verdict<T> = {
  /** What the exchange was sent for. */
  readonly value: T;
} | Failure;

/** One logical exchange: however many attempts it takes, one result. */
export interface Exchange<T> {
  /** The HTTP method. */
  readonly method: "GET" | "POST" | "DELETE";
  /** The path on the node, with its query string. */
  readonly path: string;
  /** What is sent with it, if anything. */
  readonly body?: RequestBody;
  /** Whoever judges a success gets its body as it comes, of whatever length. */
  readonly open?: boolean;
  /** The leader has to do it: a node that is not the leader is asked where the leader is. */
  readonly leader: boolean;
  /** The only node to ask; without it the transport chooses. */
  readonly node?: string | undefined;
  /** It changes data: what cannot be known about it is reported as unknown. */
  readonly write: boolean;
  /** It may be sent again although an earlier copy may have arrived: reads, and writes that carry an id. */
  readonly repeatable: boolean;
  /** How many statements it holds; only for events. */
  readonly statements: number;
  /** The end of all attempts. */
  readonly deadline: Deadline;
  /** Judges an answer; runs once per answer. A promise only where that takes more than what is loaded. */
  judge(answer: HttpAnswer): Verdict<T> | Promise<Verdict<T>>;
}

/** Carries exchanges to the cluster: knows nodes, time and failure, and no SQL. */
export interface Transport {
  /**
   * Sends until there is a success, nothing more may be tried, or time is up.
   *
   * @throws {RqliteError} The error of the last attempt, or the caller's abort reason as it is.
   */
  send<T>(exchange: Exchange<T>): Promise<T>;
  /** Ends what is under way; later calls to {@linkcode send} reject. */
  close(): void;
}

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

/** The engine's own `fetch`, as it is when it is called: what carries requests where the caller gives no other. */
export const platformFetch: typeof fetch = (input, init) => globalThis.fetch(input, init);
