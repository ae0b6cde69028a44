import type { CallOptions } from "../calls/executor.ts";
import { Deadline } from "../time/deadline.ts";
import type { StatusOptions } from "./options.ts";
import { TIMEOUT } from "./lock.ts";

/** What every request of one call is sent with: its signal, and the time that is left. */
export type Limits = () => Pick<CallOptions, "signal" | "timeout">;

/** The limits of a call that begins now. */
export function limitsOf({ signal, timeout = TIMEOUT }: StatusOptions): Limits {
  const deadline = new Deadline(timeout, signal);
  return () => ({
    ...(signal !== undefined && { signal }),
    timeout: deadline.remaining || Number.MIN_VALUE,
  });
}
