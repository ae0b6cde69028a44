// What a process still has open, on every engine.
import { readdirSync, readlinkSync } from "node:fs";
import process from "node:process";

/** Counts timers that the package has set and that neither went off nor were taken back. */
export function watchTimers(): () => number {
  const live = new Set<unknown>();
  const { setTimeout: set, clearTimeout: clear } = globalThis;
  const watched = (fn: (...args: unknown[]) => void, delay?: number, ...given: unknown[]) => {
    const timer: unknown = set(
      (...args: unknown[]) => {
        live.delete(timer);
        fn(...args);
      },
      delay,
      ...given,
    );
    // Those of the storm and of the engine itself are theirs: Node's fetch, which is called from there, sets one, too.
    const [, , caller = ""] = new Error().stack!.split("\n");
    if (caller.includes("/src/")) live.add(timer);
    return timer;
  };
  globalThis.setTimeout = watched as unknown as typeof setTimeout;
  globalThis.clearTimeout = (timer) => {
    live.delete(timer);
    clear(timer);
  };
  return () => live.size;
}

/** Open sockets of this process; 0 where there is no /proc. */
export function openSockets(): number {
  const folder = `/proc/${process.pid}/fd`;
  try {
    return readdirSync(folder).filter((name) => {
      try {
        return readlinkSync(`${folder}/${name}`).startsWith("socket:");
      } catch {
        return false;
      }
    }).length;
  } catch {
    return 0;
  }
}

/** Bytes in use after everything was collected; the engine has to be started so that it can be asked to. */
export async function usedMemory(): Promise<number> {
  const { gc, Bun } = globalThis as { gc?: () => void; Bun?: { gc(sync: boolean): void } };
  for (let i = 0; i < 3; i++) {
    Bun?.gc(true);
    gc?.();
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return process.memoryUsage().heapUsed;
}
