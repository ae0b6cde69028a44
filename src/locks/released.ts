import { LockLostError } from "../errors.ts";

/** What a handle that was released throws in place of "still held": who may not go on is told so in one way. */
export function released(name: string): LockLostError {
  const message = `The lock ${JSON.stringify(name)} is not held any more: its handle was released`;
  return new LockLostError(message, { lock: name });
}
