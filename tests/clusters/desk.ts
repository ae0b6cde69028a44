import { sleep } from "../support/http.ts";
import type { Random } from "../support/random.ts";
import type { Ended } from "./history.ts";
import type { Store } from "./store.ts";
import type { Calls, Desk, Noted, WorkloadName } from "./workloads.ts";

/** What a desk is made of. */
export interface DeskOptions {
  readonly store: Store;
  readonly caller: string;
  readonly random: Random;
  /** Milliseconds that the store gives to a call. */
  readonly timeout: number;
  readonly number: () => number;
  readonly era: () => number;
  readonly enter: (noted: Noted) => void;
  /** Milliseconds for which this process itself has not run, so far. @default none */
  readonly stalled?: () => number;
}

/** Milliseconds for which `outcome()` is asked again before one gives up. */
const PATIENCE = 30_000;

/** A desk at which calls are noted; of a call of which nobody knows, `outcome()` is asked at once. */
export function openDesk(
  { enter, timeout, stalled = () => 0, ...rest }: DeskOptions,
): Desk {
  const { store, caller } = rest;
  return {
    ...rest,
    async note<Name extends WorkloadName>(
      workload: Name,
      draft: Calls[Name],
      call: () => Promise<Calls[Name] | void>,
      { timed = true }: { timed?: boolean } = {},
    ): Promise<Noted<Name>> {
      const start = Date.now();
      const stood = stalled();
      const failed = await call().then(
        (value) => ({ ended: "done" as const, did: value ?? draft }),
        (error: unknown) => ({ ...store.judge(error), did: draft, error: String(error) }),
      );
      const took = Date.now() - start;
      // Whoever counts how long the process stood still has a timer, which runs behind what has just ended.
      await sleep(0);
      const ran = took - (stalled() - stood);
      const { ended, ...settled } = { ...failed, ...await settle(store, failed) };
      const did = "outcome" in settled && "key" in settled.did
        ? { ...settled.did, outcome: settled.outcome }
        : settled.did;
      const noted = {
        workload,
        caller,
        start,
        // A clock of whole milliseconds; what took place at the end of one was before its end.
        end: Date.now() + 1,
        took: timed ? ran : 0,
        timeout,
        ...settled,
        ended,
        did,
      } as Noted<Name>;
      enter(noted as unknown as Noted);
      return noted;
    },
  };
}

/** Asks what became of a call of which nobody knows. */
async function settle(
  store: Store,
  { ended, id }: { ended: Ended; id?: string },
): Promise<{ ended: Ended; outcome?: string }> {
  if (ended !== "unknown" || id === undefined) return { ended };
  for (const end = Date.now() + PATIENCE; Date.now() < end; await sleep(100)) {
    const outcome = await store.outcome(id).catch(() => undefined);
    if (outcome === "committed") return { ended: "done", outcome };
    if (outcome === "not committed") return { ended: "not done", outcome };
    if (outcome === "unknown") return { ended, outcome };
  }
  return { ended };
}
