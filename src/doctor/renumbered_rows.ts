/** What each node has of a row, in the order of the nodes; `undefined` where it is missing. */
export type Versions = readonly (string | undefined)[];

/** How many characters of rows are kept. */
const MOST = 32_000_000;

/**
 * Rows that differ by their rowids, put together by what they hold: a VACUUM numbers rows anew, on each node by itself,
 * and most of those that differ then are the same.
 */
export class RenumberedRows {
  readonly #counts: Map<string, number[]> = new Map();
  readonly #nodes: number;
  #kept = 0;
  #full = false;
  #met = false;

  /** @param nodes How many nodes there are. */
  constructor(nodes: number) {
    this.#nodes = nodes;
  }

  /** Whether a row was found under other rowids; `false` where there were too many to tell. */
  get met(): boolean {
    return this.#met && !this.#full;
  }

  /** Takes what the nodes have under one rowid. */
  add(versions: Versions): void {
    if (this.#full) return;
    versions.forEach((row, node) => row !== undefined && this.#count(row, node));
    this.#full = this.#kept > MOST;
    if (this.#full) this.#counts.clear();
  }

  #count(row: string, node: number): void {
    const counts = this.#counts.get(row) ?? new Array<number>(this.#nodes).fill(0);
    if (!this.#counts.has(row)) {
      this.#counts.set(row, counts);
      this.#kept += row.length;
    }
    counts[node] = (counts[node] ?? 0) + 1;
    if (counts.some((count) => count !== counts[0])) return;
    this.#counts.delete(row);
    this.#kept -= row.length;
    this.#met = true;
  }

  /** How many rows differ whatever their rowids are. */
  get rows(): number {
    const surplus = new Array<number>(this.#nodes).fill(0);
    for (const counts of this.#counts.values()) {
      const least = Math.min(...counts);
      for (const [node, count] of counts.entries()) {
        surplus[node] = (surplus[node] ?? 0) + count - least;
      }
    }
    return Math.max(...surplus);
  }

  /** What each node has of one of them. */
  get example(): Versions | undefined {
    for (const [row, counts] of this.#counts) {
      const least = Math.min(...counts);
      return counts.map((count) => count > least ? row : undefined);
    }
    return undefined;
  }
}
