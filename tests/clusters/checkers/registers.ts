import { maybeDone, type Op } from "../history.ts";

/** A call on one register. No two calls write the same value into a register; `null` is that of a new one. */
export type RegisterCall =
  | { readonly key: string; readonly write: number }
  | { readonly key: string; readonly read: number | null };

/**
 * Are registers linearizable: does each call seem to happen at one moment between its start and its end? For each register
 * an order is searched, as Wing, Gong and Lowe do, that agrees with the clock and in which each read tells the last write.
 *
 * @returns A sentence for each register that has no such order.
 */
export function checkRegisters(ops: readonly Op<RegisterCall>[]): string[] {
  const byKey = Map.groupBy(maybeDone(ops), ({ did }) => did.key);
  return [...byKey].flatMap(([key, calls]) => checkOne(key, calls));
}

/** A read tells the value that it read, a write the one that it leaves. */
interface Step {
  readonly start: number;
  readonly end: number;
  readonly write: boolean;
  readonly value: number | null;
  /** Nobody knows whether it took place. */
  readonly optional: boolean;
}

function stepsOf(ops: readonly Op<RegisterCall>[]): Step[] {
  const read = new Set(ops.flatMap(({ did }) => "read" in did ? [did.read] : []));
  const steps = ops.flatMap(({ start, end, ended, did }): Step[] => {
    const optional = ended === "unknown";
    if ("read" in did) {
      return optional ? [] : [{ start, end, optional, write: false, value: did.read }];
    }
    // What nobody knows and nobody saw may as well not have taken place.
    if (optional && !read.has(did.write)) return [];
    return [{ start, end: optional ? Infinity : end, optional, write: true, value: did.write }];
  });
  return steps.sort((a, b) => a.start - b.start);
}

function checkOne(key: string, ops: readonly Op<RegisterCall>[]): string[] {
  const steps = stepsOf(ops);
  const written = new Set(steps.flatMap(({ write, value }) => write ? [value] : []));
  const strange = steps.find(({ write, value }) => !write && value !== null && !written.has(value));
  if (strange !== undefined) {
    return [`register ${key}: read ${strange.value}, which was never written or not applied`];
  }
  const search = new Search(steps);
  if (search.found()) return [];
  const { value, write, start } = steps[search.stuck]!;
  return [
    `register ${key}: no order of its ${steps.length} calls explains the ${
      write ? "write" : "read"
    } of ${value} at ${start}`,
  ];
}

/** Goes through the orders that agree with the clock, each state once. */
class Search {
  /** The first step that the furthest order could not place. */
  stuck = 0;
  readonly #steps: readonly Step[];
  readonly #placed: boolean[];
  readonly #seen = new Set<string>();

  constructor(steps: readonly Step[]) {
    this.#steps = steps;
    this.#placed = steps.map(() => false);
  }

  found(): boolean {
    return this.#from(0, null);
  }

  /** @param first All steps before it are placed. */
  #from(first: number, value: number | null): boolean {
    const reads = this.#placeReads(first, value);
    let low = first;
    while (this.#placed[low]) low++;
    const open = this.#open(low);
    if (this.#over(low)) return true;
    this.stuck = Math.max(this.stuck, low);
    if (this.#isNew(low, value)) {
      for (const i of open) {
        const step = this.#steps[i]!;
        if (!step.write) continue;
        this.#placed[i] = true;
        if (this.#from(low, step.value)) return true;
        this.#placed[i] = false;
      }
    }
    for (const i of reads) this.#placed[i] = false;
    return false;
  }

  /** Steps that may come next: they began before any other that is left had to end. */
  #open(low: number): number[] {
    let limit = Infinity;
    const open: number[] = [];
    for (let i = low; i < this.#steps.length && this.#steps[i]!.start <= limit; i++) {
      if (this.#placed[i]) continue;
      limit = Math.min(limit, this.#steps[i]!.end);
      open.push(i);
    }
    return open.filter((i) => this.#steps[i]!.start <= limit);
  }

  /** A read that tells the value of the moment and may come next is in nobody's way. */
  #placeReads(low: number, value: number | null): number[] {
    const placed: number[] = [];
    for (let more = true; more;) {
      more = false;
      for (const i of this.#open(low)) {
        const step = this.#steps[i]!;
        if (step.write || step.value !== value) continue;
        this.#placed[i] = true;
        placed.push(i);
        more = true;
      }
    }
    return placed;
  }

  #over(low: number): boolean {
    return this.#steps.every(({ optional }, i) => i < low || this.#placed[i] || optional);
  }

  #isNew(low: number, value: number | null): boolean {
    const later = this.#placed.flatMap((placed, i) => placed && i > low ? [i] : []);
    const state = `${low} ${value} ${later}`;
    if (this.#seen.has(state)) return false;
    this.#seen.add(state);
    return true;
  }
}
