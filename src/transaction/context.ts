import type { Backend } from "../calls/backend.ts";
import type { Deadline } from "../time/deadline.ts";
import type { CommitId } from "../commit/log_table.ts";
import type { HeldLock } from "./held_lock.ts";
import type { InterceptedCalls } from "./intercepted_calls.ts";
import type { ResolvedTransactionOptions } from "./options.ts";
import type { Shared } from "./speculation.ts";
import type { Turn } from "../locks/queue.ts";
import type { Prepared } from "../sql/prepare.ts";

/** What a transaction is made of. */
export interface TransactionContext {
  /** What is below the client that it belongs to. */
  readonly backend: Backend;
  /** What all transactions of the client share. */
  readonly shared: Shared;
  /** How it is run. */
  readonly options: ResolvedTransactionOptions;
  /** The end of everything, reruns included. */
  readonly deadline: Deadline;
  /** Its lock, if it was given one. */
  readonly hold: HeldLock | undefined;
  /** Its turn among others of the client, if it took one. */
  readonly turn: () => Turn | undefined;
  /** Called before its first statement is sent, which waits for it. */
  readonly admit?: ((first: Prepared) => Promise<void>) | undefined;
  /** Ids of earlier runs that are not settled. */
  readonly earlier: readonly CommitId[];
  /** The end of this transaction is the end of the hold and of the turn, too. */
  readonly ends: boolean;
  /** Its way through the interceptors of the client, if there are any. */
  readonly intercepted?: InterceptedCalls | undefined;
  /** Told when it is over. @param error Why it has failed, if it has. */
  readonly over?: ((error: unknown) => void) | undefined;
}
