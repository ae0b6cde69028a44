import type { Verdict } from "./transport.ts";

/** What one attempt came to. */
export interface Attempt<T> {
  /** What its answer means, or why there is none. */
  readonly verdict: Verdict<T>;
  /** Where it has led. */
  readonly trace: Trace;
  /** There was an answer. */
  readonly answered: boolean;
}

/** What is known of the attempt under way. */
export interface Trace {
  /** The node that is asked. */
  node: string;
  /** The node itself is to pass it on to the leader, instead of naming it. */
  forward?: boolean;
  /** The authorization header that was refused, where another one is tried. */
  refused?: string;
  /** The node was named by another one. */
  redirected?: boolean | undefined;
  /** Who has named the leader that is asked, where that has never answered. */
  namedBy?: string | undefined;
  /** A copy was sent, too, to a node that may not be reached from here; this one was asked in its place. */
  lost?: boolean;
  /** A copy is on its way; one that was redirected or refused with 401 does not count. */
  sent: boolean;
  /** The HTTP status of the last answer, if there was one. */
  status: number | undefined;
  /** The headers that it was sent with, as far as they are the caller's. */
  headers?: Readonly<Record<string, string>>;
  /** The headers of its answer. */
  received?: Headers;
}
