import type { Op } from "../history.ts";
import { span } from "./bank.ts";

/** One counter was raised by one. */
export interface CounterCall {
  readonly counter: string;
}

/**
 * Is each counter what was acknowledged, and no more than that and what nobody knows?
 *
 * @param final What each counter is in the end.
 * @param copies How many requests the network doubled that no id protects.
 */
export function checkCounters(
  ops: readonly Op<CounterCall>[],
  final: ReadonlyMap<string, number>,
  copies: ReadonlyMap<string, number> = new Map(),
): string[] {
  const byCounter = Map.groupBy(ops, ({ did }) => did.counter);
  return [...new Set([...byCounter.keys(), ...final.keys()])].flatMap((counter) => {
    const calls = byCounter.get(counter) ?? [];
    const least = calls.filter(({ ended }) => ended === "done").length;
    const unknown = calls.filter(({ ended }) => ended === "unknown").length;
    const most = least + unknown + (copies.get(counter) ?? 0);
    const n = final.get(counter) ?? 0;
    return n >= least && n <= most ? [] : [`${counter} is ${n}, not ${span(least, most)}`];
  });
}
