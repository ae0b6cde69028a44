import type { RqliteError } from "../errors.ts";

/** The same error once more, for another caller, in other words or for another reason: each has a stack of its own. */
export function copyOf<E extends RqliteError>(
  error: E,
  message: string = error.message,
  cause: unknown = error.cause,
): E {
  const Same = error.constructor as new (message: string, init: object) => E;
  return new Same(message, { ...error, ...(cause !== undefined && { cause }) });
}
