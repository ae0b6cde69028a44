import type { Proof } from "../../src/commit/proof.ts";

/** What became of one id. */
interface Row {
  readonly n: number;
  readonly state: 0 | 1;
  readonly hash: string | undefined;
  readonly wrote: string | undefined;
}

/** A commit as far as the log looks at it. */
export interface ModelEntry {
  readonly id: string;
  readonly base: number;
  readonly hash: string | undefined;
  /** The table that it writes. */
  readonly wrote: string | undefined;
  readonly since: number;
  /** The table that it was judged by. */
  readonly scope: string | undefined;
  /** Sent by a client that knows neither hashes nor scopes. */
  readonly old: boolean;
}

const FAR = 4_294_967_295;

/** What the commit log shall do, without SQL. */
export class LogModel {
  #rows: Map<string, Row> = new Map();
  seq: number;

  constructor(start: number) {
    this.seq = start;
    this.#put("0.start", start, 0);
  }

  /** One copy of a commit arrives. */
  enter({ id, base, hash, wrote, since, scope, old }: ModelEntry): Proof["is"] {
    const row = this.#rows.get(id);
    if (row?.state === 0) return "fenced";
    if (row !== undefined) return old || row.hash === hash ? "done" : "reused";
    if (base < this.#floor || base > this.seq + (old ? 0 : FAR)) return "expired";
    if (!old && this.#isInterfered(since, scope)) return "interfered";
    this.#put(id, old ? this.seq + 1 : Math.max(this.seq, base) + 1, 1, hash, wrote);
    return "committed";
  }

  /** One copy of a fence arrives. */
  fence(id: string, base: number): Proof["is"] {
    const row = this.#rows.get(id);
    if (row !== undefined) return row.state === 1 ? "done" : "committed";
    if (base < this.#floor || base > this.seq + FAR) return "expired";
    this.#put(id, Math.max(this.seq, base) + 1, 0);
    return "committed";
  }

  /** Deletes what lies before a number, and marks it. */
  cut(floor: number): void {
    const isTaken = [...this.#rows.values()].some(({ n }) => n === floor);
    if (floor > (this.#first ?? this.seq) && !isTaken) this.#put(`${floor}.floor`, floor, 0);
    for (const [id, { n }] of this.#rows) if (n < floor) this.#rows.delete(id);
  }

  /** Takes a number for the sequence if it is higher. */
  align(to: number): void {
    if (to > this.seq) this.#put(`${to}.align`, to, 0);
  }

  /** The number of the first row. */
  get #first(): number | undefined {
    const numbers = [...this.#rows.values()].map(({ n }) => n);
    return numbers.length === 0 ? undefined : Math.min(...numbers);
  }

  /** Bases below it are expired. */
  get #floor(): number {
    const first = this.#first;
    return first === undefined ? this.seq : first - 1;
  }

  #isInterfered(since: number, scope: string | undefined): boolean {
    if (since < this.#floor) return true;
    return scope !== undefined &&
      [...this.#rows.values()].some(({ n, wrote }) => n > since && wrote === scope);
  }

  #put(id: string, n: number, state: 0 | 1, hash?: string, wrote?: string): void {
    this.#rows.set(id, { n, state, hash, wrote });
    this.seq = Math.max(this.seq, n);
  }
}
