import type { RqliteError } from "../errors.ts";

/** The same error once more, for another caller or in other words: each has a stack of its own. */
export function copyOf(error: RqliteError, message: string = error.message): RqliteError {
  const Same = error.constructor as new (message: string, init: object) => RqliteError;
  const { cause } = error;
  return new Same(message, { ...error, ...(cause !== undefined && { cause }) });
}
