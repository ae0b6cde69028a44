import type { Deadline } from "../time/deadline.ts";
import type { Settings } from "./settings.ts";

/** What every request of one call or transaction is run with. */
export interface CallContext {
  /** Its options, with all defaults. */
  readonly settings: Settings;
  /** The end of all its requests together. */
  readonly deadline: Deadline;
}

/** The same call with another end, whose signal is the one that counts. */
export function until(
  deadline: Deadline,
  { settings }: Pick<CallContext, "settings">,
): CallContext {
  return { settings: { ...settings, signal: deadline.signal }, deadline };
}
