/** How often the same difference is seen while the log goes on; twice is enough where it stands still. */
const LOOKS = 8;

/** At how many commits two nodes are seen to differ that were never seen to agree. */
const COMMITS = 8;

/** How many values of a node are remembered, and how many commits. */
const MEMORY = 20;

/** What a node has of a row: its text, `undefined` if there is no such row, `null` if that was not seen. */
export type Seen = string | undefined | null;

/** The circumstances of a look at all nodes. */
export interface Look {
  /** The number of the last commit with an id that each node had then. */
  readonly commits: readonly unknown[];
  /** Nothing was applied on any node around the look. */
  readonly still: boolean;
  /** Most of what is applied are commits with an id: the number of one tells where a node is. */
  readonly numbered: boolean;
}

/** What was seen of one row that differs: the nodes may only be at different positions of the log. */
export class Sightings {
  #last: readonly Seen[];
  #looks = 1;
  /** By node: each value with the commit that it was seen at. */
  readonly #seen: readonly Set<string>[];
  /** By commit: what each node had first then. */
  readonly #commits: Map<string, Seen[]> = new Map();
  /** By node: the first of those that agreed with it, or with one that did. */
  #agreed: readonly number[];
  /** By two nodes, the first one first: at how many commits they differed. */
  readonly #apart: number[][];

  /** @param values What each node has. */
  constructor(values: readonly Seen[], commits: readonly unknown[]) {
    this.#last = values;
    this.#seen = values.map(() => new Set());
    this.#agreed = values.map((_, node) => node);
    this.#apart = values.map(() => values.map(() => 0));
    this.#remember(values, commits);
  }

  /** What each node had in the last look. */
  get values(): readonly Seen[] {
    return this.#last;
  }

  /** Takes another look, and answers whether the row is the same on every node; `undefined` while that cannot be told. */
  look(values: readonly Seen[], { commits, still, numbered }: Look): boolean | undefined {
    if (values.includes(null)) return undefined;
    if (values.every((value) => value === values[0])) return true;
    this.#remember(values, commits);
    if (this.#agreed.every((group) => group === 0)) return true;
    this.#looks = values.every((value, i) => value === this.#last[i]) ? this.#looks + 1 : 1;
    this.#last = values;
    // Every node has passed, unchanged, a position that the others have passed, too.
    if (this.#looks >= (still ? 2 : LOOKS)) return false;
    return numbered && this.#areApart() ? false : undefined;
  }

  #areApart(): boolean {
    return this.#apart.some((others, one) =>
      others.some((commits, other) =>
        commits >= COMMITS && this.#agreed[one] !== this.#agreed[other]
      )
    );
  }

  #remember(values: readonly Seen[], commits: readonly unknown[]): void {
    for (const [node, own] of this.#seen.entries()) {
      const value = values[node];
      if (value === null) continue;
      const commit = String(commits[node]);
      const sighting = JSON.stringify([commit, value]);
      this.#seen.forEach((seen, other) => seen.has(sighting) && this.#agree(node, other));
      forget(own.add(sighting));
      this.#compare(commit, value, node);
    }
  }

  #agree(one: number, other: number): void {
    const [a = one, b = other] = [this.#agreed[one], this.#agreed[other]];
    this.#agreed = this.#agreed.map((group) => group === a || group === b ? Math.min(a, b) : group);
  }

  #compare(commit: string, value: Seen, node: number): void {
    const row = this.#commits.get(commit) ?? this.#seen.map(() => null);
    if (row[node] !== null) return;
    for (const [i, other] of row.entries()) {
      const counts = this.#apart[Math.min(i, node)];
      if (other === null || other === value || counts === undefined) continue;
      const last = Math.max(i, node);
      counts[last] = (counts[last] ?? 0) + 1;
    }
    row[node] = value;
    forget(this.#commits.set(commit, row));
  }
}

/** Lets go of what was taken first. */
function forget<K>(kept: Set<K> | Map<K, unknown>): void {
  for (const oldest of kept.keys()) {
    if (kept.size <= MEMORY) return;
    kept.delete(oldest);
  }
}
