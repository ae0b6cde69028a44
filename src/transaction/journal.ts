import { ProgrammingError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { enclosed, type Observed, readGuard, writeGuard } from "./guard.ts";

/** A read that has to be the same at commit. */
export interface ReadOp {
  readonly kind: "read";
  readonly prepared: Prepared;
  readonly columns: number;
  readonly digest: string;
}

/** A write that is applied at commit. */
export interface WriteOp {
  readonly kind: "write";
  readonly prepared: Prepared;
  /** What it did when it was tried; `undefined` if nobody looked. */
  readonly observed: Observed | undefined;
  /** It was never tried, so it may fail by itself. */
  readonly lazy: boolean;
  /** It has to be enclosed, see {@linkcode enclosed}. */
  readonly fragile: boolean;
  /** Its position among the statements of the transaction. */
  readonly index: number;
}

/** What a transaction did so far, in order. */
export type Op = ReadOp | WriteOp;

/** One statement of a commit, and the write that it stands for; a guard has none. */
export interface Planned {
  readonly prepared: Prepared;
  readonly write: WriteOp | undefined;
}

/** The statements of a transaction that has not ended, and its savepoints: places in the list. */
export class Journal {
  readonly #ops: Op[] = [];
  #savepoints: { readonly name: string; readonly at: number }[] = [];
  #named = 0;

  /** The writes, in order. */
  get writes(): WriteOp[] {
    return this.#ops.filter((op) => op.kind === "write");
  }

  /** The reads, in order. */
  get reads(): ReadOp[] {
    return this.#ops.filter((op) => op.kind === "read");
  }

  /** Keeps a statement. */
  add(op: Op): void {
    this.#ops.push(op);
  }

  /** What a commit sends: reads as guards, and each write with its own behind it. */
  plan(id: string): Planned[] {
    return this.#ops.flatMap((op): Planned[] => {
      if (op.kind === "read") {
        return [{ prepared: readGuard(op.prepared, op.columns, op.digest), write: undefined }];
      }
      const guards = op.observed === undefined ? [] : [writeGuard(op.observed, id)];
      const statements = op.fragile ? enclosed([op.prepared, ...guards]) : [op.prepared, ...guards];
      return statements.map((prepared) => ({
        prepared,
        write: prepared === op.prepared ? op : undefined,
      }));
    });
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
    const i = this.#find(name, "roll back to");
    const { at } = this.#savepoints[i]!;
    this.#savepoints = this.#savepoints.slice(0, i + 1);
    const write = this.#ops.findIndex((op, place) => place >= at && op.kind === "write");
    if (write >= 0) this.#ops.length = write;
  }

  /** Forgets a savepoint and those behind it; what was done stays. */
  release(name: string): void {
    this.#savepoints = this.#savepoints.slice(0, this.#find(name, "release"));
  }

  /** SQLite's names of savepoints know no case. */
  #find(name: string, attempt: string): number {
    const wanted = name.toLowerCase();
    const i = this.#savepoints.findLastIndex((one) => one.name.toLowerCase() === wanted);
    if (i >= 0) return i;
    throw new ProgrammingError(
      `Cannot ${attempt} the savepoint ${
        JSON.stringify(name)
      } as the transaction has none of that name`,
    );
  }
}
