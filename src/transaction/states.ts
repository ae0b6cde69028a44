import { InterfaceError, InternalError, TransactionConflictError } from "../errors.ts";
import type { Transaction } from "./transaction.ts";

/** Where a transaction stands. {@linkcode TRANSITIONS} says how it comes from one to the next. */
export type State =
  /** It takes statements. */
  | "active"
  /** It takes statements, but can only be rolled back: what it was told does not hold, or cannot be told apart. */
  | "doomed"
  /** It takes no more statements, and waits for those that were issued. */
  | "ending"
  /** The same, and it will be rolled back. */
  | "failing"
  /** All statements are done, and nothing was sent yet that could take effect. */
  | "committing"
  /** The commit was sent. */
  | "sent"
  /** It took effect. */
  | "committed"
  /** It did not, nor will it. */
  | "rolledback"
  /** Nobody can tell whether it did. */
  | "unknown";

/** What happens to a transaction. */
export type Event =
  /** A statement, a savepoint or what is done with one is called for. */
  | "statement"
  /** An interceptor passes on what was called for before the end. */
  | "pass on"
  /** A conflict, or a nested transaction that cannot be undone alone. */
  | "doom"
  /** The caller gives up, or its signal, the deadline or the lock does. */
  | "rollback"
  /** The caller commits. */
  | "commit"
  /** What was issued before the commit is done. */
  | "done"
  /** The commit goes out. */
  | "send"
  /** The commit, or in place of it the check of the reads, has succeeded. */
  | "succeed"
  /** It has failed, and no copy of it is under way. */
  | "refuse"
  /** Its answer is lost. */
  | "lose";

/** Why something cannot happen: the words of the error, or the reason why the transaction is doomed. */
type Refusal = { readonly refused: string } | { readonly refused: undefined };

/** The next state, a refusal that the caller is told, or `null` for what never happens. */
type Next = State | Refusal | null;

const REASON = { refused: undefined } as const;
const ENDING = { refused: "being committed" } as const;
const COMMITTED = { refused: "committed" } as const;
const ROLLED_BACK = { refused: "rolled back" } as const;
const UNKNOWN = { refused: "over, and its outcome unknown" } as const;

/**
 * Every state and every event. A refused commit is *rolled back* while its id is being settled, which may show that a
 * late copy of it took effect, or that nobody can tell.
 */
export const TRANSITIONS = {
  active: {
    statement: "active",
    "pass on": "active",
    doom: "doomed",
    rollback: "rolledback",
    commit: "ending",
    done: null,
    send: null,
    succeed: null,
    refuse: null,
    lose: null,
  },
  doomed: {
    statement: "doomed",
    "pass on": "doomed",
    doom: "doomed",
    rollback: "rolledback",
    commit: "failing",
    done: null,
    send: null,
    succeed: null,
    refuse: null,
    lose: null,
  },
  ending: {
    statement: ENDING,
    "pass on": "ending",
    doom: "failing",
    rollback: "ending",
    commit: ENDING,
    done: "committing",
    send: null,
    succeed: null,
    refuse: "rolledback",
    lose: "rolledback",
  },
  failing: {
    statement: ENDING,
    "pass on": "failing",
    doom: "failing",
    rollback: "failing",
    commit: ENDING,
    done: REASON,
    send: null,
    succeed: null,
    refuse: "rolledback",
    lose: "rolledback",
  },
  committing: {
    statement: ENDING,
    "pass on": "committing",
    doom: "committing",
    rollback: "committing",
    commit: ENDING,
    done: null,
    send: "sent",
    succeed: "committed",
    refuse: "rolledback",
    lose: "rolledback",
  },
  sent: {
    statement: ENDING,
    "pass on": "sent",
    doom: "sent",
    rollback: "sent",
    commit: ENDING,
    done: null,
    send: null,
    succeed: "committed",
    refuse: "rolledback",
    lose: "unknown",
  },
  committed: {
    statement: COMMITTED,
    "pass on": COMMITTED,
    doom: "committed",
    rollback: "committed",
    commit: COMMITTED,
    done: null,
    send: null,
    succeed: null,
    refuse: null,
    lose: null,
  },
  rolledback: {
    statement: ROLLED_BACK,
    "pass on": ROLLED_BACK,
    doom: "rolledback",
    rollback: "rolledback",
    commit: ROLLED_BACK,
    done: null,
    send: null,
    succeed: "committed",
    refuse: null,
    lose: "unknown",
  },
  unknown: {
    statement: UNKNOWN,
    "pass on": UNKNOWN,
    doom: "unknown",
    rollback: "unknown",
    commit: UNKNOWN,
    done: null,
    send: null,
    succeed: null,
    refuse: null,
    lose: null,
  },
} as const satisfies Record<State, Record<Event, Next>>;

/** How callers see each state. */
export const SHOWN = {
  active: "active",
  doomed: "active",
  ending: "active",
  failing: "active",
  committing: "active",
  sent: "active",
  committed: "committed",
  rolledback: "rolledback",
  unknown: "unknown",
} as const satisfies Record<State, Transaction["state"]>;

/** The state of one transaction, which only {@linkcode TRANSITIONS} change. */
export class Status {
  #state: State = "active";
  #reason: { readonly error: unknown } | undefined;

  /** How callers see it. */
  get shown(): Transaction["state"] {
    return SHOWN[this.#state];
  }

  /** Whether it is over: committed, rolled back or unknown. */
  get over(): boolean {
    return this.shown !== "active";
  }

  /** Whether it takes statements. */
  get open(): boolean {
    return typeof TRANSITIONS[this.#state].statement === "string";
  }

  /** Whether the commit was sent, and is not over. */
  get sent(): boolean {
    return this.#state === "sent";
  }

  /** The conflict that it is doomed by, if it is one. */
  get conflict(): TransactionConflictError | undefined {
    const error = this.#reason?.error;
    return error instanceof TransactionConflictError ? error : undefined;
  }

  /** From now on it cannot be committed; the first reason stays. */
  doom(error: unknown): void {
    this.#reason ??= { error };
    this.move("doom");
  }

  /** Throws the reason why it cannot be committed any more, if there is one; also of what was issued before it was over. */
  throwIfDoomed(): void {
    const doomed = this.#state !== "active" && this.#state !== "ending";
    if (doomed && this.#reason !== undefined) throw this.#reason.error;
  }

  /**
   * Takes an event.
   *
   * @returns Whether the state is another one now.
   * @throws {InterfaceError} If it cannot happen in this state.
   */
  move(event: Event): boolean {
    const next = this.#next(event);
    const moves = next !== this.#state;
    this.#state = next;
    return moves;
  }

  /** Throws what {@linkcode move} would, and stays as it is. */
  check(event: Event): void {
    this.#next(event);
  }

  #next(event: Event): State {
    const next: Next = TRANSITIONS[this.#state][event];
    if (typeof next === "string") return next;
    if (next === null) {
      throw new InternalError(`A transaction cannot ${event} while ${this.#state}`);
    }
    if (next.refused === undefined) throw this.#reason?.error;
    throw new InterfaceError(
      `The transaction is ${next.refused}: await what uses it before it ends, or begin() another one`,
    );
  }
}

/** Where a nested transaction stands: whether its function runs, and whether something was issued around it since. */
export type NestedState = "running" | "mixed" | "over" | "over, mixed";

/** What happens to a nested transaction. */
export type NestedEvent =
  /** Something is called for by the `tx` that its function was given. */
  | "use"
  /** Something is called for by a `tx` around it, and would be undone with it. */
  | "go around"
  /** Its function has ended. */
  | "end";

const OVER = {
  refused:
    "The nested transaction is over, its function has ended: use the `tx` of the function that runs",
} as const;

/** The same as {@linkcode TRANSITIONS} for a nested transaction, which is left once it was released or undone. */
export const NESTED_TRANSITIONS = {
  running: { use: "running", "go around": "mixed", end: "over" },
  mixed: { use: "mixed", "go around": "mixed", end: "over, mixed" },
  over: { use: OVER, "go around": "over, mixed", end: "over" },
  "over, mixed": { use: OVER, "go around": "over, mixed", end: "over, mixed" },
} as const satisfies Record<
  NestedState,
  Record<NestedEvent, NestedState | { readonly refused: string }>
>;

/**
 * The next state of a nested transaction.
 *
 * @throws {InterfaceError} If its function has ended.
 */
export function nextNested(state: NestedState, event: NestedEvent): NestedState {
  const next = NESTED_TRANSITIONS[state][event];
  if (typeof next === "string") return next;
  throw new InterfaceError(next.refused);
}
