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

/** Tells an observer; its mistake must not make a write that succeeded look as if it had failed. */
export function tell(observer: (event: RequestEvent) => void, event: RequestEvent): void {
  try {
    observer(event);
  } catch {
    // Nobody else wants to know.
  }
}
