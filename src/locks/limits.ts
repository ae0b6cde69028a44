import { type Check, numeric } from "../options.ts";

/** What bounds a lease and the wait for it, in milliseconds. */
export interface Limits {
  /** For how long it is renewed. */
  readonly maxHoldTime: number;
  /** Between two looks at who holds it. */
  readonly maxRetryDelay: number;
}

/** Of what is held for long: that a leader is followed a moment sooner is not worth the requests of all who wait. */
const LASTING: Limits = { maxHoldTime: Infinity, maxRetryDelay: 500 };

/**
 * The limits of one acquisition: those that the lock was given, else what is usual.
 *
 * @param usual Of the kind of lock, unless it is `lasting`.
 */
export function limitsOf(
  given: { readonly [L in keyof Limits]?: number | undefined },
  lasting: boolean,
  usual: Limits,
): Limits {
  const { maxHoldTime, maxRetryDelay } = lasting ? LASTING : usual;
  return {
    maxHoldTime: given.maxHoldTime ?? maxHoldTime,
    maxRetryDelay: given.maxRetryDelay ?? maxRetryDelay,
  };
}

/** The length of a lease, in milliseconds. */
export const isLease: Check = numeric(
  "a number of milliseconds from 10 on",
  (n) => n >= 10 && n < 2 ** 31,
);

/** The longest wait between two tries, in milliseconds. */
export const isRetryDelay: Check = numeric(
  "a number of milliseconds from 1 on",
  (n) => n >= 1 && n < 2 ** 31,
);
