import type { Deadline } from "./deadline.ts";
import type { CallMeter } from "./meter.ts";

/** The same limit, which another signal ends as well. @param meter Counts in place of its own. */
export function alsoEndedBy(
  deadline: Deadline,
  signal: AbortSignal | undefined,
  meter: CallMeter | undefined = deadline.meter,
): Deadline {
  const signals = [deadline.signal, signal].filter((one) => one !== undefined);
  return deadline.by(signals.length < 2 ? signals[0] : AbortSignal.any(signals), meter);
}
