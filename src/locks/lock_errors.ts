import {
  ConnectionError,
  LockLostError,
  LockTimeoutError,
  LockUnavailableError,
  OutcomeUnknownError,
  RqliteError,
} from "../errors.ts";
import { reasonOf } from "../reason.ts";

/**
 * The error of whoever waited for a lock as long as he would.
 *
 * @param cause What went wrong with whatever keeps the lock, if that was it.
 * @param holder What is known of whoever holds it.
 */
export function tooLate(name: string, cause?: unknown, holder?: string): LockTimeoutError {
  const reason = cause === undefined
    ? `others held it until the end of \`timeout\`${holder === undefined ? "" : ` (${holder})`}; ` +
      "it is not reentrant: whoever holds it must not take it again"
    : `it could not be asked for until the end of \`timeout\`: ${
      cause instanceof Error ? cause.message : reasonOf(cause)
    }`;
  return new LockTimeoutError(`Cannot take the lock ${JSON.stringify(name)} as ${reason}`, {
    lock: name,
    cause,
  });
}

/** The error of a lock that cannot be taken for that reason, however long one waits. */
export function unavailable(name: string, reason: string, cause: unknown): LockUnavailableError {
  return new LockUnavailableError(`Cannot take the lock ${JSON.stringify(name)} as ${reason}`, {
    lock: name,
    cause,
  });
}

/** What a handle that was released throws in place of "still held": who may not go on is told so in one way. */
export function released(name: string): LockLostError {
  const message = `The lock ${JSON.stringify(name)} is not held any more: its handle was released`;
  return new LockLostError(message, { lock: name });
}

/** Whether trying again may help: nothing that a lease sends does harm when it is sent twice. */
export function mayPass(error: unknown): boolean {
  return error instanceof OutcomeUnknownError ||
    error instanceof RqliteError && (error.retryable || error instanceof ConnectionError);
}
