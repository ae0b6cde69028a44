import { type Prepared, prepareRead } from "../sql/prepare.ts";
import type { Deadline } from "../time/deadline.ts";
import type { ComparedTable } from "./compared_table.ts";
import { type KeyRange, type Page, pageFrom, pageQuery, textOf } from "./page.ts";
import { lateOr, Pauses } from "./pauses.ts";
import { RenumberedRows, type Versions } from "./renumbered_rows.ts";
import type { Replicas } from "./replicas.ts";
import { type Seen, Sightings } from "./sightings.ts";

/** What was found of one table. */
export interface Finding {
  /** How many rows differ. */
  readonly rows: number;
  /** One of them. */
  readonly example: Versions | undefined;
  /** The nodes have the same rows under other rowids. */
  readonly renumbered: boolean;
}

/** What a comparison is made with. */
export interface ComparisonOptions {
  /** The nodes. */
  readonly replicas: Replicas;
  /** When it has to be known. */
  readonly deadline: Deadline;
  /** Whether the database counts anything by AUTOINCREMENT, such as commits. */
  readonly counts: boolean;
  /** Told how many rows of a table were compared so far. */
  readonly onProgress: ((table: string, rows: number) => void) | undefined;
}

const LAST_COMMIT: Prepared = prepareRead(
  "SELECT max(seq) FROM main.sqlite_sequence WHERE name = '_rqlite_commit'",
);

/** For so many entries of the log, and some more, there is a commit with an id where others hardly write. */
const NUMBERED = 1.5;
const SLACK = 5;

/** Compares a table on all nodes, page by page. */
export async function compare(table: ComparedTable, options: ComparisonOptions): Promise<Finding> {
  const { replicas, deadline } = options;
  const pauses = new Pauses(deadline);
  for (;;) {
    const before = table.renumbered ? await replicas.position() : 0;
    const found = await new Comparison(table, options).run();
    if (!found.unsure || before === await replicas.position()) return found;
    await pauses.wait(() =>
      `the rows of ${table.name} have other rowids on each node, and were written while they were read`
    );
  }
}

class Comparison {
  readonly #table: ComparedTable;
  readonly #options: ComparisonOptions;
  readonly #renumbered: RenumberedRows | undefined;
  #differing = 0;
  #example: Versions | undefined;

  constructor(table: ComparedTable, options: ComparisonOptions) {
    this.#table = table;
    this.#options = options;
    if (table.renumbered) this.#renumbered = new RenumberedRows(options.replicas.nodes.length);
  }

  async run(): Promise<Finding & { readonly unsure: boolean }> {
    let after: KeyRange["after"];
    let compared = 0;
    for (;;) {
      const { pages, until } = await this.#pages(after);
      await this.#settle({ after, until }, pages);
      compared += Math.max(...pages.map(({ rows }) => rows.size));
      this.#options.onProgress?.(this.#table.name, compared);
      if (until === undefined) return this.#found();
      after = until;
    }
  }

  #found(): Finding & { readonly unsure: boolean } {
    const moved = this.#renumbered?.met === true ? this.#renumbered : undefined;
    const rows = moved?.rows ?? this.#differing;
    return {
      rows,
      example: moved === undefined ? this.#example : moved.example,
      renumbered: moved !== undefined,
      unsure: moved !== undefined && rows > 0,
    };
  }

  /** The next rows of every node, up to the same key; `until` is missing where these are the last ones. */
  async #pages(
    after: KeyRange["after"],
  ): Promise<{ pages: readonly Page[]; until: KeyRange["until"] }> {
    let until: KeyRange["until"];
    for (;;) {
      const pages = await this.#read({ after, until });
      const ends = pages.map(({ complete, last }) => complete ? undefined : last);
      const cut = ends.find((end) => end !== undefined && textOf(end) !== textOf(until ?? []));
      if (cut === undefined) return { pages, until };
      until = cut;
      if (ends.every((end) => end !== undefined && textOf(end) === textOf(cut))) {
        return { pages, until };
      }
    }
  }

  /** @param pauses Followers learn only with the next entry what the leader has applied: they are not asked at once. */
  async #read(range: KeyRange, pauses?: Pauses): Promise<Page[]> {
    const { replicas, counts } = this.#options;
    const statements = [pageQuery(this.#table, range), ...(counts ? [LAST_COMMIT] : [])];
    return await Promise.all(replicas.nodes.map(async (node) => {
      await pauses?.spread();
      const [rows = [], commit] = await node.read(statements);
      return pageFrom(this.#table, range, rows, commit?.[0]?.[0]);
    }));
  }

  /** Looks at what differs until all of it is known to differ, or not to. */
  async #settle(range: KeyRange, pages: readonly Page[]): Promise<void> {
    const open = openIn(pages);
    if (open.size === 0) return;
    const { replicas, deadline } = this.#options;
    const pauses = new Pauses(deadline);
    let before = await replicas.position();
    const start = { index: before, commit: lastOf(pages) };
    while (open.size > 0) {
      const why = () =>
        `${open.size} row${open.size === 1 ? "" : "s"} of ${this.#table.name} ` +
        "changed whenever the nodes were read";
      await pauses.wait(why);
      const looking = this.#read(range, pauses).then(async (pages) =>
        [pages, await replicas.position()] as const
      );
      const [looked, after] = await looking.catch((error) => {
        throw lateOr(error, why);
      });
      const look = {
        commits: looked.map(({ commit }) => commit),
        still: before === after,
        numbered: after - start.index <= NUMBERED * (lastOf(looked) - start.commit) + SLACK,
      };
      for (const [key, sightings] of open) {
        const same = sightings.look(seenIn(looked, key), look);
        if (same === undefined) continue;
        open.delete(key);
        if (!same) this.#add(sightings.values);
      }
      before = after;
    }
  }

  #add(seen: readonly Seen[]): void {
    const versions = seen.map((value) => value ?? undefined);
    this.#differing++;
    this.#example ??= versions;
    this.#renumbered?.add(versions);
  }
}

/** The rows that are not the same on all nodes, by their keys. */
function openIn(pages: readonly Page[]): Map<string, Sightings> {
  const open = new Map<string, Sightings>();
  const commits = pages.map(({ commit }) => commit);
  for (const { rows } of pages) {
    for (const key of rows.keys()) {
      const [first, ...others] = pages.map(({ rows }) => rows.get(key));
      if (open.has(key) || others.every((value) => value === first)) continue;
      open.set(key, new Sightings([first, ...others], commits));
    }
  }
  return open;
}

/** The last commit with an id that any node had. */
function lastOf(pages: readonly Page[]): number {
  return Math.max(...pages.map(({ commit }) => Number(commit ?? 0)));
}

/** What lies behind the end of a page was not seen. */
function seenIn(pages: readonly Page[], key: string): Seen[] {
  return pages.map(({ rows, complete }) => rows.get(key) ?? (complete ? undefined : null));
}
