import type { Facts } from "../schema/facts.ts";
import type { Journal, WriteOp } from "./journal.ts";
import { type OneRow, type ReadWriteSet, readWriteSetOf } from "./read_write_set.ts";
import type { Step } from "./step.ts";
import { NotSupportedError, TimeoutError } from "../errors.ts";

/** The writes that go in front of statements that are tried. */
export interface ResentWrites {
  /** In the order of issue. */
  readonly writes: readonly WriteOp[];
  /** None is left out. */
  readonly whole: boolean;
}

/** All writes so far. */
export function allWrites({ writes }: Journal): ResentWrites {
  return { writes: writes.map((write) => ({ ...write, observed: undefined })), whole: true };
}

/**
 * The writes that some statements may depend on, and those that these depend on: the answers are the same as behind all
 * of them, unless one fails that does not then.
 */
export function neededWrites(journal: Journal, steps: readonly Step[], facts: Facts): ResentWrites {
  const { writes } = journal;
  // What was never tried has to be told of its errors.
  if (journal.lastDdl !== undefined || writes.some(({ lazy }) => lazy !== undefined)) {
    return allWrites(journal);
  }
  const reaches = writes.map((write) => setOfWrite(write, facts));
  const needs = new Needs(writes, reaches);
  for (const step of steps) if (!step.done) needs.add(setOfStep(step, facts));
  const kept: WriteOp[] = [];
  for (let i = writes.length - 1; i >= 0; i--) {
    const reach = reaches[i];
    const write = writes[i];
    if (write === undefined || !needs.has(reach)) continue;
    needs.follow(reach);
    const again = reach?.one?.again;
    kept.push({ ...write, observed: undefined, ...(again && { prepared: again }) });
  }
  return needs.all || kept.length === writes.length
    ? allWrites(journal)
    : { writes: kept.reverse(), whole: false };
}

const known: WeakMap<WriteOp, { readonly facts: Facts; readonly reach: ReadWriteSet | undefined }> =
  new WeakMap();

function setOfWrite(write: WriteOp, facts: Facts): ReadWriteSet | undefined {
  const found = known.get(write);
  if (found?.facts === facts) return found.reach;
  const reach = readWriteSetOf(write.prepared, facts, { rowid: write.rowid });
  known.set(write, { facts, reach });
  return reach;
}

function setOfStep(step: Step, facts: Facts): ReadWriteSet | undefined {
  try {
    return readWriteSetOf(step.by(facts), facts);
  } catch {
    // It is not sent.
    return NOTHING;
  }
}

const NOTHING: ReadWriteSet = { reads: new Set(), writes: new Set(), one: undefined };

/** What is needed of what was written before. */
class Needs {
  /** Everything is. */
  all = false;
  readonly #tables = new Set<string>();
  readonly #rows = new Map<string, Set<string>>();
  /** By table: what rows have to hold, each by column. */
  readonly #held = new Map<string, ReadonlyMap<string, string | null>[]>();
  /** By table, and in the order of what is unique in it: what may be met there. */
  readonly #uniques = new Map<string, Set<string>[]>();
  readonly #writes: readonly WriteOp[];
  readonly #reaches: readonly (ReadWriteSet | undefined)[];
  /** Tables of which a statement in front has changed more than a row that it inserted. */
  readonly #stirred = new Set<string>();

  constructor(writes: readonly WriteOp[], reaches: readonly (ReadWriteSet | undefined)[]) {
    this.#writes = writes;
    this.#reaches = reaches;
  }

  /** What a statement needs, in order. */
  add(reach: ReadWriteSet | undefined): void {
    this.follow(reach);
    if (reach?.one !== undefined) this.#addUniques(reach.one);
    if (reach?.one?.counts) this.#addHighest(reach.one.table);
    for (const table of reach?.writes ?? []) {
      if (reach?.one?.table !== table || reach.one.does === "delete") this.#stirred.add(table);
    }
  }

  /** What a write needs so that it does the same again. */
  follow(reach: ReadWriteSet | undefined): void {
    if (reach === undefined) {
      this.all = true;
      return;
    }
    for (const table of reach.reads) this.#tables.add(table);
    const { one } = reach;
    if (one === undefined) return;
    if (one.key !== undefined) this.#addRow(one.table, one.key);
    else if (one.does === "read") {
      this.#held.set(one.table, [...this.#held.get(one.table) ?? [], one.holds]);
    }
  }

  /** Whether something needed may depend on a write. */
  has(reach: ReadWriteSet | undefined): boolean {
    if (this.all || reach === undefined) return true;
    const { one, writes } = reach;
    for (const table of writes) {
      if (this.#tables.has(table)) return true;
      const rows = this.#rows.get(table);
      const own = one?.table === table ? one : undefined;
      const key = own?.key;
      if (rows !== undefined && (key === undefined || rows.has(key))) return true;
      const held = this.#held.get(table);
      if (held?.some((wanted) => own?.does !== "insert" || mayMatch(own.holds, wanted))) {
        return true;
      }
      const uniques = this.#uniques.get(table);
      const stores = own?.stores;
      if (uniques?.some((values, i) => mayStore(stores?.[i], values))) return true;
    }
    return false;
  }

  /** Rows that may be in its way. */
  #addUniques({ table, does, stores }: OneRow): void {
    if (does === "read") return;
    if (stores === undefined || stores.includes(undefined)) this.#tables.add(table);
    else if (stores.some((value) => value !== null)) {
      const known = this.#uniques.get(table) ?? stores.map(() => new Set<string>());
      for (const [i, value] of stores.entries()) if (value) known[i]?.add(value);
      this.#uniques.set(table, known);
    }
  }

  #addRow(table: string, key: string): void {
    const rows = this.#rows.get(table);
    if (rows === undefined) this.#rows.set(table, new Set([key]));
    else rows.add(key);
  }

  /** The row with the highest number, on which the next one depends. */
  #addHighest(table: string): void {
    if (this.#tables.has(table)) return;
    let highest: { readonly rowid: number | bigint; readonly key: string } | undefined;
    let clear = !this.#stirred.has(table);
    for (const [i, reach] of this.#reaches.entries()) {
      if (reach !== undefined && !reach.writes.has(table)) continue;
      const one = reach?.one;
      const rowid = this.#writes[i]?.rowid;
      if (one?.table !== table || one.does === "delete") clear = false;
      else if (one.does === "insert") {
        if (rowid === undefined || one.key === undefined) clear = false;
        else if (highest === undefined || rowid > highest.rowid) highest = { rowid, key: one.key };
      }
    }
    if (!clear) this.#tables.add(table);
    else if (highest !== undefined) this.#addRow(table, highest.key);
  }
}

/** Whether a row may be one of those that hold something. */
function mayMatch(
  row: ReadonlyMap<string, string | null>,
  wanted: ReadonlyMap<string, string | null>,
): boolean {
  for (const [column, value] of wanted) {
    const stored = row.get(column);
    if (stored !== undefined && (stored === null || stored !== value)) return false;
  }
  return true;
}

/** Whether what a write stores may be one of the values. */
function mayStore(stored: string | null | undefined, values: ReadonlySet<string>): boolean {
  return values.size > 0 && (stored === undefined || (stored !== null && values.has(stored)));
}

/** Writes that are sent again, all in all: more would take about as long as a transaction may by default. */
const MOST_WRITES = 250_000;

/** The same of the characters of their texts and values. */
const MOST_CHARACTERS = 250_000_000;

/** From so many on it is their number that takes the time. */
const MANY = 10_000;

const ADVICE =
  "each statement is tried behind the writes that it may depend on, which are sent again for it. " +
  'Give { mode: "lazy" } where no write has to answer at once, issue writes together (Promise.all, or one batch), ' +
  "or make several transactions of it";

/** What a transaction has sent again in front of statements that were tried. */
export class ResendCount {
  #writes = 0;
  #characters = 0;

  /**
   * Counts writes before they are sent again.
   *
   * @throws {NotSupportedError} If that is more than makes sense.
   */
  add(writes: readonly WriteOp[]): void {
    this.#writes += writes.length;
    for (const { prepared: { sql, params } } of writes) {
      this.#characters += sql.length;
      for (const value of params) if (typeof value === "string") this.#characters += value.length;
    }
    if (this.#writes <= MOST_WRITES && this.#characters <= MOST_CHARACTERS) return;
    throw new NotSupportedError(
      `Cannot run the statement, and nothing of it was kept, as the transaction would send ${this.#writes} ` +
        `writes again, of ${this.#characters} characters: ${ADVICE}`,
    );
  }

  /** The error of a time-out: where writes were sent again and again, another run takes as long. */
  explained(error: unknown): unknown {
    if (!(error instanceof TimeoutError) || this.#writes < MANY) return error;
    return new TimeoutError(
      `The transaction took too long, and nothing was kept: it has sent ${this.#writes} writes again, as ${ADVICE}`,
      { retryable: false, cause: error },
    );
  }
}
