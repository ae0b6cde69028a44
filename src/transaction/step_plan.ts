import { type DatabaseError, NotSupportedError } from "../errors.ts";
import { EVERYTHING } from "../commit/log.ts";
import { tableOf } from "../commit/written.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { affinity } from "../wire/affinity.ts";
import { statementError } from "../wire/sql_error.ts";
import { Check, DigestError, type Digests, formOf } from "./check.ts";
import type { Cursor } from "./cursor.ts";
import { LONGEST_DIGEST } from "../reads/digest.ts";
import { enclosed, OBSERVE, type Observed } from "./guard.ts";
import { InsertedId } from "./inserted_id.ts";
import type { Op, ReadOp } from "./journal.ts";
import type { Shapes } from "./shapes.ts";
import { hasSharedEffect } from "./shared_effect.ts";
import type { Step } from "./step.ts";
import { scopesOf, type Told, toldOf } from "./told.ts";
import {
  distinct,
  keyed,
  type Keys,
  MOST_ROWS,
  rowsOf,
  sameKeys,
  withoutKeys,
} from "./told_rows.ts";

/** What a statement becomes in one request, and how the answer to just that request is read. */
export interface StepPlan {
  readonly statements: readonly Prepared[];
  /**
   * Settles the step.
   *
   * @param since The value of the sequence in the state of the answer.
   * @returns What the transaction keeps of it; `undefined` if it has to be sent again, as only now it is known how.
   */
  settle(cursor: Cursor, since: number | undefined): readonly Op[] | undefined;
  /** Takes from the answer only how the step has to be sent, as one in front of it has to be sent again. */
  learn(cursor: Cursor): void;
}

/** What plans are made by. */
export interface PlanContext {
  readonly facts: Facts;
  readonly shapes: Shapes;
  /** Results are checked at commit. */
  readonly checked: boolean;
  /** The server may go on behind a RETURNING that failed. */
  readonly mayGoOn: boolean;
}

/**
 * Plans one step.
 *
 * @throws {NotSupportedError} If nobody can check what it answers, or write out what it leaves to the schema.
 */
export function planOf(step: Step, context: PlanContext): StepPlan {
  const prepared = step.by(context.facts);
  if (step.writes) return new WritePlan(step, prepared, context);
  return step.guarded && prepared.analysis.kind === "read"
    ? new ReadPlan(step, prepared, context)
    : new PlainPlan(step, prepared);
}

/** A read that nobody checks. */
class PlainPlan implements StepPlan {
  readonly statements: readonly Prepared[];
  readonly #step: Step;

  constructor(step: Step, prepared: Prepared) {
    this.#step = step;
    this.statements = [prepared];
  }

  settle(cursor: Cursor): readonly Op[] {
    const result = cursor.result(this.#step, this.#step.settings);
    if (result !== undefined) this.#step.succeed(result);
    return [];
  }

  learn(): void {}
}

/** A read whose rows have to be the same at commit: its digests, and the rows. */
class ReadPlan implements StepPlan {
  readonly statements: readonly Prepared[];
  readonly #step: Step;
  readonly #prepared: Prepared;
  readonly #shapes: Shapes;
  readonly #facts: Facts;
  readonly #check: Check | undefined;

  constructor(step: Step, prepared: Prepared, context: PlanContext) {
    this.#step = step;
    this.#prepared = prepared;
    this.#shapes = context.shapes;
    this.#facts = context.facts;
    this.#check = checkOf(prepared, context);
    this.statements = [...this.#check?.statements ?? [], this.#check?.rows ?? prepared];
  }

  settle(cursor: Cursor, since: number | undefined): readonly Op[] | undefined {
    const step = this.#step;
    const digests = this.#check?.digests(cursor);
    if (digests instanceof DigestError && learns(this.#shapes, this.#prepared, digests)) {
      return undefined;
    }
    const failed = digests instanceof DigestError ? digests.message : undefined;
    // A statement that fails on its first row ends the transaction already within its digest.
    if (failed !== undefined && cursor.ended) return this.#fail(failed);
    const result = cursor.result(step, step.settings);
    if (result === undefined) return [];
    if (this.#check === undefined || digests === undefined) return this.#learnShape(result);
    if (digests instanceof DigestError) return this.#fail(digests.message);
    const longest = Math.max(digests.guard?.length ?? 0, digests.judged?.length ?? 0);
    if (longest > LONGEST_DIGEST) {
      step.fail(tooLarge(this.#prepared, `its rows take ${longest} characters as a digest`));
      return [];
    }
    step.succeed(result);
    if (!hasSignlessZero(result)) return [{ kind: "read", check: this.#check, digests, since }];
    const rows = cursor.textBefore(this.#prepared);
    const tables = scopesOf(this.#prepared, this.#facts).filter((name) => name !== EVERYTHING);
    const check = this.#check.signed(tables);
    return [{ kind: "read", check, digests: { ...digests, rows }, since }];
  }

  learn(cursor: Cursor): void {
    const digests = this.#check?.digests(cursor);
    if (digests instanceof DigestError) learns(this.#shapes, this.#prepared, digests);
    if (this.#check !== undefined) return;
    const columns = cursor.columns(this.#prepared);
    if (columns !== undefined) this.#shapes.learn(this.#prepared, columns);
  }

  #fail(text: string): readonly Op[] {
    this.#step.fail(statementError(text, { sql: this.#prepared.analysis.source }));
    return [];
  }

  /** With the number of columns known the read is run again, this time with a digest. */
  #learnShape({ columns }: Result): readonly Op[] | undefined {
    this.#shapes.learn(this.#prepared, columns.length);
    if (!this.#shapes.isUncheckable(this.#prepared)) return undefined;
    this.#step.fail(tooLarge(this.#prepared, `it has ${columns.length} columns`));
    return [];
  }
}

/** A write: what it depends on before, itself, what it did, and what it told behind it. */
class WritePlan implements StepPlan {
  readonly statements: readonly Prepared[];
  readonly #step: Step;
  readonly #prepared: Prepared;
  readonly #context: PlanContext;
  #told: Told;
  readonly #fragile: boolean;
  readonly #observes: boolean;
  /** Every node changes the same rows. */
  readonly #shared: boolean;
  /** What has to hold before it; a read whose number of columns is not known yet is sent as it is. */
  #before: readonly (Check | Prepared)[];
  #behind: Check | undefined;

  constructor(step: Step, prepared: Prepared, context: PlanContext) {
    const { facts, checked, mayGoOn } = context;
    const { analysis } = prepared;
    this.#step = step;
    this.#prepared = prepared;
    this.#context = context;
    this.#fragile = analysis.returning && mayGoOn;
    this.#observes = analysis.kind === "write" && (checked || this.#fragile);
    this.#shared = analysis.kind === "write" && hasSharedEffect(prepared, facts);
    if (!checked) this.#told = { is: "count" };
    else this.#told = step.judged ? this.#judged() : toldOf(prepared, facts);
    this.#behind = this.#checkTold();
    const chosen = this.#told.is === "preimage" || this.#told.is === "rows"
      ? this.#told.read
      : undefined;
    this.#before = [
      ...(chosen === undefined ? [] : [this.#checkOf(chosen) ?? chosen]),
      ...(this.#behind === undefined ? [] : [this.#behind]),
    ];
    if (step.judged) [this.#told, this.#behind, this.#before] = [this.#judged(), undefined, []];
    this.statements = this.#sent();
  }

  #judged(): Told {
    return { is: "judged", scopes: scopesOf(this.#prepared, this.#context.facts) };
  }

  /** The rows that were told when it was tried first; what no guard can take is judged by the leader alone. */
  #checkTold(): Check | undefined {
    const { keys } = this.#step;
    if (this.#told.is !== "rows" || keys === undefined) return undefined;
    const check = this.#checkOf(rowsOf(this.#told.table, keys));
    if (check === undefined) this.#step.judged = true;
    return check;
  }

  #checkOf(read: Prepared): Check | undefined {
    try {
      return checkOf(read, this.#context);
    } catch (error) {
      // What cannot be confirmed as a read may still be judged as a write.
      if (!(error instanceof NotSupportedError)) throw error;
      this.#step.judged = true;
      return undefined;
    }
  }

  #sent(): Prepared[] {
    const { key } = this;
    const write = key === undefined ? this.#prepared : keyed(this.#prepared, key);
    const own = this.#observes ? [write, OBSERVE] : [write];
    return [
      ...this.#before.flatMap((one) => one instanceof Check ? one.statements : [one]),
      ...(this.#fragile ? enclosed(own) : own),
      ...this.#behind?.statements ?? [],
    ];
  }

  /** The columns that tell which rows were told. */
  get key(): readonly string[] | undefined {
    return this.#told.is === "rows" ? this.#told.key : undefined;
  }

  settle(cursor: Cursor, since: number | undefined): readonly Op[] | undefined {
    const step = this.#step;
    const before = this.#readBefore(cursor, since);
    if (this.#fragile) cursor.take();
    const told = this.key === undefined ? undefined : cursor.keys(this.#prepared, this.key);
    if (before === "again") {
      this.#knows(told);
      return undefined;
    }
    const result = cursor.result(step, step.settings, this.#prepared);
    const observed = this.#observes ? cursor.observed(this.#prepared) : undefined;
    if (this.#fragile) cursor.take();
    if (result === undefined) return [];
    if (this.key !== undefined && !this.#knows(told)) return undefined;
    const behind = this.#readBehind(cursor, since);
    if (behind === "again") return undefined;
    return [...before, this.#keep(result, observed, since), ...behind];
  }

  learn(cursor: Cursor): void {
    this.#readBefore(cursor, undefined);
    if (this.#fragile) cursor.take();
    if (this.key !== undefined) this.#knows(cursor.keys(this.#prepared, this.key));
  }

  #keep(result: Result, observed: Observed | undefined, since: number | undefined): Op {
    const { key } = this;
    const step = this.#step;
    const told = this.#told.is === "inserted" && this.#told.rowid;
    const rowid = observed?.rowid ?? result.lastInsertId;
    const inserted = rowid === undefined || observed === undefined
      ? undefined
      : new InsertedId(rowid, told);
    const own = key === undefined ? result : withoutKeys(result, key);
    step.succeed(
      inserted === undefined || own.lastInsertId === undefined ? own : inserted.watch(own),
    );
    return {
      kind: "write",
      prepared: this.#prepared,
      observed: this.#shared ? this.#comparable(observed) : undefined,
      inserted,
      scopes: this.#scopes(),
      since,
      lazy: undefined,
      fragile: this.#fragile,
      index: step.index,
    };
  }

  /** What guards do not say, the leader judges. */
  #scopes(): readonly string[] {
    const told = "scopes" in this.#told ? this.#told.scopes : [];
    if (this.#shared || !this.#context.checked || this.#prepared.analysis.kind !== "write") {
      return told;
    }
    return [...new Set([...told, ...scopesOf(this.#prepared, this.#context.facts)])];
  }

  /** The rowid counts only where all nodes give the same. */
  #comparable(observed: Observed | undefined): Observed | undefined {
    const table = tableOf(this.#prepared.analysis.table, this.#context.facts);
    const given = table?.rowid !== undefined && !table.local.has(table.rowid.toLowerCase());
    return observed === undefined || given ? observed : { ...observed, rowid: undefined };
  }

  /** What is kept of the rows before; "again" when only now it is known how to ask for them. */
  #readBefore(cursor: Cursor, since: number | undefined): readonly ReadOp[] | "again" {
    const ops: ReadOp[] = [];
    let again = false;
    for (const one of this.#before) {
      const read = one instanceof Check
        ? this.#readCheck(one, cursor, since)
        : this.#learn(one, cursor);
      if (read === "again") again = true;
      else ops.push(...read);
    }
    return again ? "again" : ops;
  }

  #learn(read: Prepared, cursor: Cursor): "again" {
    const { shapes } = this.#context;
    const columns = cursor.columns(read);
    if (columns !== undefined) shapes.learn(read, columns);
    // What no guard can take is judged by the leader alone.
    if (columns === undefined || shapes.isUncheckable(read)) this.#step.judged = true;
    return "again";
  }

  #readBehind(cursor: Cursor, since: number | undefined): readonly ReadOp[] | "again" {
    const check = this.#behind;
    const read = check === undefined ? [] : this.#readCheck(check, cursor, since);
    if (check === undefined || read === "again") return read;
    // A server may answer a key in a form that finds no row.
    const rows = rowsIn(read[0]!.digests);
    if (rows === distinct(this.#step.keys!)) return read;
    this.#step.judged = true;
    return "again";
  }

  #readCheck(check: Check, cursor: Cursor, since: number | undefined): readonly ReadOp[] | "again" {
    const digests = check.digests(cursor);
    const longest = digests instanceof Error
      ? 0
      : Math.max(digests.guard?.length ?? 0, digests.judged?.length ?? 0);
    if (digests instanceof Error || longest > LONGEST_DIGEST) {
      const learned = digests instanceof DigestError &&
        learns(this.#context.shapes, check.read, digests);
      if (!learned) this.#step.judged = true;
      return "again";
    }
    return [{ kind: "read", check, digests, since }];
  }

  /** Whether the rows that it told are those around which the checks were made. */
  #knows(keys: Keys | undefined): boolean {
    const step = this.#step;
    if (keys === undefined || keys.length > MOST_ROWS) {
      step.judged = true;
      return false;
    }
    // None told: that nothing was changed is what `changes()` says.
    if (keys.length === 0) return true;
    if (this.#behind !== undefined && sameKeys(step.keys, keys)) return true;
    step.keys = keys;
    return false;
  }
}

/** How many rows a digest is about. */
function rowsIn({ guard, judged }: Digests): number {
  const digest = guard ?? judged ?? "";
  return digest === "" ? 0 : digest.split(";").length;
}

/** How a read is checked; `undefined` while its number of columns is not known. */
function checkOf(read: Prepared, { facts, shapes }: PlanContext): Check | undefined {
  const form = formOf(read, facts);
  if (form.refusal !== undefined) throw unconfirmable(read, form.refusal);
  const columns = shapes.columnsOf(read, form.columns);
  if (columns === undefined) return undefined;
  return new Check(read, form, { columns, reals: shapes.hasReals(read) });
}

/** Whether a zero among the rows may be -0.0: only columns that take a REAL as it is keep one. */
function hasSignlessZero({ rows, types }: Result): boolean {
  const real = types.map((type) => affinity(type) === "real" || affinity(type) === "blob");
  return real.includes(true) &&
    rows.some((row) => Object.values(row).some((cell, i) => cell === 0 && real[i] !== false));
}

/** Whether an error tells how the digest has to be made. */
function learns(shapes: Shapes, read: Prepared, { columns, real }: DigestError): boolean {
  if (columns !== undefined) shapes.learn(read, columns);
  if (real) shapes.learnReals(read);
  return columns !== undefined || real;
}

function tooLarge({ analysis }: Prepared, reason: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot check at commit that the rows are still the same, as ${reason}: ` +
      "read less, or give { guard: false } and use `scope` or a lock",
    { sql: analysis.source, code: "ERR_UNCHECKABLE" },
  );
}

function unconfirmable({ analysis }: Prepared, reason: string): DatabaseError {
  return new NotSupportedError(
    `Cannot check at commit that the rows are still the same, as ${reason}: ` +
      "give { guard: false } if they need not be",
    { sql: analysis.source, code: "ERR_UNCHECKABLE" },
  );
}
