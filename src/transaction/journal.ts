import { ProgrammingError } from "../errors.ts";
import { enclosed } from "../calls/batch.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Check, Digests } from "./check.ts";
import { counterIn } from "../sql/analyse.ts";
import { isDdl } from "../commit/written_tables.ts";
import { type Observed, writeGuard } from "./guard.ts";
import type { InsertedId } from "./inserted_id.ts";

/** A read that has to be the same at commit. */
export interface ReadOp {
  /** Tells it from a write. */
  readonly kind: "read";
  /** How it is compared. */
  readonly check: Check;
  /** What it is compared with. */
  readonly digests: Digests;
  /** The value of the sequence in the state that it was judged by; `undefined` without a log of commits. */
  readonly since: number | undefined;
}

/** A write that is applied at commit. */
export interface WriteOp {
  /** Tells it from a read. */
  readonly kind: "write";
  /** What is sent. */
  readonly prepared: Prepared;
  /** What it did when it was tried; `undefined` if nobody looked. */
  readonly observed: Observed | undefined;
  /** The rowid of the row that it inserted last when it was tried. */
  readonly rowid: number | bigint | undefined;
  /** The rowid that the caller was told. */
  readonly inserted: InsertedId | undefined;
  /** What nobody may write between when it was tried and the commit, as what it told depends on it. */
  readonly scopes: readonly string[];
  /** The value of the sequence when it was tried; `undefined` without a log of commits. */
  readonly since: number | undefined;
  /** It was never tried, so it may fail by itself; it can be made anew by other facts about the schema. */
  readonly lazy: ((facts: Facts) => Prepared) | undefined;
  /** It has to be {@linkcode enclosed}, as the server may go on behind its RETURNING. */
  readonly fragile: boolean;
  /** Its position among the statements of the transaction. */
  readonly index: number;
}

/** What a transaction did so far, in order. */
export type Op = ReadOp | WriteOp;

/** One statement of a commit, and what it stands for. */
export interface Planned {
  /** What is sent. */
  readonly prepared: Prepared;
  /** What it is, or what it guards. */
  readonly op: Op;
}

/** The statements of a transaction that has not ended, and its savepoints: places in the list. */
export class Journal {
  readonly #ops: Op[] = [];
  #savepoints: { readonly name: string; readonly at: number }[] = [];
  #named = 0;

  /** Everything, in order. */
  get ops(): readonly Op[] {
    return this.#ops;
  }

  /** The writes, in order. */
  get writes(): WriteOp[] {
    return this.#ops.filter((op) => op.kind === "write");
  }

  /** The reads, in order. */
  get reads(): ReadOp[] {
    return this.#ops.filter((op) => op.kind === "read");
  }

  /** Those that hold only as long as nobody writes certain tables. */
  get scoped(): Op[] {
    return this.#ops.filter((op) => scopesOf(op).length > 0);
  }

  /** Keeps a statement. */
  add(op: Op): void {
    this.#ops.push(op);
  }

  /** What a commit sends: reads as guards, and each write with its own behind it. */
  plan(): Planned[] {
    this.#lookAtCounters();
    for (const { inserted } of this.writes) inserted?.send();
    return this.#ops.flatMap((op) => statementsOf(op).map((prepared) => ({ prepared, op })));
  }

  /** The last statement that changes the schema. */
  get lastDdl(): Op | undefined {
    return this.#ops.findLast((op) => op.kind === "write" && isDdl(op.prepared));
  }

  /** Whether something else comes behind a statement. */
  isFollowed(op: Op): boolean {
    return this.#ops.at(-1) !== op;
  }

  /** Whether nothing was answered yet, so that everything can be made anew. */
  get untold(): boolean {
    return this.lastDdl === undefined &&
      this.#ops.every((op) => op.kind === "write" && op.lazy !== undefined);
  }

  /** Makes everything anew, where it is {@linkcode untold}. @param since Where the facts held. */
  remake(facts: Facts, since: number | undefined): void {
    for (const [i, op] of this.#ops.entries()) {
      if (op.kind === "write" && op.lazy !== undefined) {
        this.#ops[i] = { ...op, prepared: op.lazy(facts), since };
      }
    }
  }

  /** A write that asks for the last rowid relies on the insert in front of it. */
  #lookAtCounters(): void {
    let last: WriteOp | undefined;
    for (const write of this.writes) {
      if (counterIn(write.prepared.analysis) === "last_insert_rowid") last?.inserted?.look();
      if (write.inserted !== undefined) last = write;
    }
  }

  /** Sets a savepoint; one of the same name hides the older one until it is released, as in SQLite. */
  save(name = `_sp${++this.#named}`): string {
    this.#savepoints.push({ name, at: this.#ops.length });
    return name;
  }

  /**
   * Forgets what was done since a savepoint, which stays. Reads behind the first dropped write go too: there is no
   * state left in which they could be checked.
   */
  rollbackTo(name: string): void {
    const { i, at } = this.#find(name, "roll back to");
    this.#savepoints = this.#savepoints.slice(0, i + 1);
    const write = this.#ops.findIndex((op, place) => place >= at && op.kind === "write");
    if (write >= 0) this.#ops.length = write;
  }

  /** Forgets a savepoint and those behind it; what was done stays. */
  release(name: string): void {
    this.#savepoints = this.#savepoints.slice(0, this.#find(name, "release").i);
  }

  /** @throws {ProgrammingError} If there is no savepoint of that name. */
  need(name: string): void {
    this.#find(name, "release");
  }

  /** SQLite's names of savepoints know no case. */
  #find(name: string, attempt: string): { readonly i: number; readonly at: number } {
    const wanted = name.toLowerCase();
    const i = this.#savepoints.findLastIndex((one) => one.name.toLowerCase() === wanted);
    const found = this.#savepoints[i];
    if (found !== undefined) return { i, at: found.at };
    throw new ProgrammingError(
      `Cannot ${attempt} the savepoint ${
        JSON.stringify(name)
      } as the transaction has none of that name`,
    );
  }
}

/** What nobody may write between when it was tried and the commit. */
export function scopesOf(op: Op): readonly string[] {
  return op.kind === "read" ? op.check.scopes : op.scopes;
}

/** What stands for a statement in a commit. */
export function statementsOf(op: Op): Prepared[] {
  if (op.kind === "read") {
    const guard = op.check.guard(op.digests);
    return guard === undefined ? [] : [guard];
  }
  const { prepared, observed, inserted, fragile } = op;
  const guards = observed === undefined ? [] : [writeGuard(observed, inserted?.seen === true)];
  return fragile ? enclosed([prepared, ...guards]) : [prepared, ...guards];
}
