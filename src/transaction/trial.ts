import {
  InternalError,
  NotSupportedError,
  OperationalError,
  TransactionConflictError,
} from "../errors.ts";
import type { Level } from "../client/executor.ts";
import type { Dispatcher } from "../client/dispatch.ts";
import { emptyResult } from "../client/results.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { statementError } from "../wire/sql_error.ts";
import type { Journal, ReadOp } from "./journal.ts";
import { readBase } from "./commit_log.ts";
import type { Commits } from "./commits.ts";
import { Cursor, textAt } from "./cursor.ts";
import { digestStatement, LONGEST_DIGEST } from "./digest.ts";
import { enclosed, OBSERVE, POISON } from "./guard.ts";
import { type Call, ownSettings } from "./internal.ts";
import { preimageOf } from "./preimage.ts";
import type { Shapes } from "./shapes.ts";
import type { Step } from "./step.ts";
import { readVersion, versionTable } from "./version.ts";

/** How often the columns of a read may change while it is being run. */
const MOST_ROUNDS = 5;

/** What all transactions of a client share. */
export interface Shared {
  readonly dispatcher: Dispatcher;
  readonly commits: Commits;
  readonly shapes: Shapes;
}

/** How a transaction's statements are tried. */
export interface TrialOptions {
  /** Name of the version row. */
  readonly scope: string | undefined;
  /** Results are checked at commit. */
  readonly checked: boolean;
  /** Writes without RETURNING are kept back. */
  readonly lazy: boolean;
  /** How current the state is on which reads are checked. */
  readonly checkLevel: Level;
}

/**
 * Runs the statements of a transaction before it is committed. Reads in front of any write are read as they are; what
 * comes behind a write is *tried*: all writes so far, the statement, and one that fails on purpose go as one transaction,
 * of which the server keeps nothing but its answer (orm-drivers §5.1).
 */
export class Trial {
  readonly #shared: Shared;
  readonly #journal: Journal;
  readonly #call: Call;
  readonly #options: TrialOptions;
  /** The server may go on behind a RETURNING that failed. */
  #mayGoOn = true;
  /** Requests sent so far. */
  requests = 0;
  /** The version of the scope, once it was read. */
  version: number | undefined;

  constructor(shared: Shared, journal: Journal, call: Call, options: TrialOptions) {
    this.#shared = shared;
    this.#journal = journal;
    this.#call = call;
    this.#options = options;
  }

  /**
   * Runs statements in order, in as few requests as possible, and settles them; what succeeded is in the journal then.
   *
   * @throws {TransactionConflictError} If a write that succeeded before does not any more.
   * @throws {DatabaseError} If a write that was kept back fails.
   */
  async run(steps: readonly Step[]): Promise<void> {
    let rounds = 0;
    for (let rest = steps; rest.length > 0;) {
      const kept = rest.findIndex((step) => !this.#keepsBack(step));
      if (kept !== 0) {
        const end = kept < 0 ? rest.length : kept;
        for (const step of rest.slice(0, end)) this.#keepBack(step);
        rest = rest.slice(end);
        continue;
      }
      const next = rest.findIndex((step) => this.#keepsBack(step));
      const settled = await this.#round(next < 0 ? rest : rest.slice(0, next));
      if (settled === 0 && ++rounds > MOST_ROUNDS) throw restless();
      rest = rest.slice(settled);
    }
  }

  /**
   * Runs statements as one unit: all of them succeed, or none is kept.
   *
   * @throws {DatabaseError} Of the first that failed.
   */
  async runAll(steps: readonly Step[]): Promise<void> {
    const mark = this.#journal.save();
    try {
      await this.run(steps);
    } finally {
      const whole = steps.every((step) => step.done && step.error === undefined);
      if (!whole) this.#journal.rollbackTo(mark);
      this.#journal.release(mark);
    }
  }

  /** Tries the writes so far, to see whether those that were kept back succeed. */
  async check(): Promise<void> {
    if (this.#journal.writes.some(({ lazy }) => lazy)) await this.#round([]);
  }

  /** Reads the version of the scope, if there is one and it was not read yet. */
  async ensureVersion(): Promise<void> {
    if (this.#options.scope === undefined || this.version !== undefined) return;
    // Without the writes it is a read, and no entry of the Raft log.
    await this.#round([], []);
  }

  /** Whether all reads so far are still the same, in one snapshot of the newest state. */
  async holds(): Promise<boolean> {
    const { reads } = this.#journal;
    const { settings, deadline } = this.#call;
    const reply = await this.#shared.dispatcher.read({
      statements: reads.map(({ prepared, columns }) => digestStatement(prepared, columns)),
      transaction: reads.length > 1,
      settings: { ...ownSettings(settings), level: this.#options.checkLevel },
      deadline,
    });
    return reads.every(({ prepared, digest }, i) =>
      reply.answer.errorAt(reply.first + i) === undefined &&
      textAt(reply, i, prepared) === digest
    );
  }

  #keepsBack({ writes, prepared: { analysis } }: Step): boolean {
    return this.#options.lazy && writes && !analysis.returning;
  }

  #keepBack(step: Step): void {
    this.#journal.add({
      kind: "write",
      prepared: step.prepared,
      observed: undefined,
      lazy: true,
      fragile: false,
      index: step.index,
    });
    step.succeed({ ...emptyResult(), rowsAffected: -1 });
  }

  /** One request; answers how many of the statements, from the first on, are settled. */
  async #round(steps: readonly Step[], writes = this.#journal.writes): Promise<number> {
    const { commits, dispatcher } = this.#shared;
    // The answer may tell more about the server, but it has to be read as the request was made.
    this.#mayGoOn = !dispatcher.capabilities.returningAborts;
    const { scope } = this.#options;
    const asksBase = !commits.fresh;
    const asksVersion = scope !== undefined && this.version === undefined;
    const tries = writes.length > 0 || steps.some((step) => step.writes);
    const statements = [
      ...(asksBase ? [readBase()] : []),
      ...(asksVersion ? [readVersion(scope)] : []),
      ...writes.flatMap(({ prepared, fragile }) => fragile ? enclosed([prepared]) : [prepared]),
      ...steps.flatMap((step) => this.#statementsOf(step)),
      ...(tries ? [POISON] : []),
    ];
    const { settings, deadline } = this.#call;
    const batch = { statements, transaction: statements.length > 1, settings, deadline };
    this.requests++;
    const reply = await (tries ? dispatcher.speculate(batch) : dispatcher.read(batch));
    const cursor = new Cursor(reply);
    if (asksBase) this.#learnBase(cursor);
    if (asksVersion) await this.#learnVersion(cursor, scope);
    for (const write of writes) {
      if (write.fragile) cursor.take();
      const error = cursor.take();
      if (write.fragile) cursor.take();
      if (error === undefined) continue;
      const sql = write.prepared.analysis.source;
      if (write.lazy) throw statementError(error, { sql, statementIndex: write.index });
      throw new TransactionConflictError(
        `Another client changed what the transaction relies on: ${error}`,
        { sql },
      );
    }
    let settled = 0;
    for (const step of steps) {
      if (cursor.ended || !this.#settle(step, cursor)) break;
      settled++;
    }
    if (tries && settled === steps.length && !cursor.ended && cursor.take() === undefined) {
      throw new InternalError("The server kept a transaction that ends in a failing statement");
    }
    return settled;
  }

  #statementsOf(step: Step): Prepared[] {
    const { prepared, writes, guarded } = step;
    if (writes) {
      const statements = this.#observes(step) ? [prepared, OBSERVE] : [prepared];
      const tried = this.#isFragile(step) ? enclosed(statements) : statements;
      const before = this.#preimage(step);
      return before === undefined ? tried : [this.#digestOrRows(before), ...tried];
    }
    const columns = guarded ? this.#shared.shapes.columnsOf(prepared) : undefined;
    return columns === undefined ? [prepared] : [digestStatement(prepared, columns), prepared];
  }

  /** What has to be the same before a write whose rows are read, where that can be checked. */
  #preimage({ prepared }: Step): Prepared | undefined {
    if (!this.#options.checked) return undefined;
    const before = preimageOf(prepared);
    return before === undefined || this.#shared.shapes.isUncheckable(before) ? undefined : before;
  }

  /** The digest of a read, or the read itself as long as its columns are not known. */
  #digestOrRows(prepared: Prepared): Prepared {
    const columns = this.#shared.shapes.columnsOf(prepared);
    return columns === undefined ? prepared : digestStatement(prepared, columns);
  }

  #observes(step: Step): boolean {
    const { kind } = step.prepared.analysis;
    return kind === "write" && (this.#options.checked || this.#isFragile(step));
  }

  #isFragile({ prepared: { analysis } }: Step): boolean {
    return analysis.returning && this.#mayGoOn;
  }

  /** Whether the statement is done; if not, its number of columns is known better now. */
  #settle(step: Step, cursor: Cursor): boolean {
    return step.writes ? this.#settleWrite(step, cursor) : this.#settleRead(step, cursor);
  }

  #settleWrite(step: Step, cursor: Cursor): boolean {
    const { prepared, settings, index } = step;
    const before = this.#preimage(step);
    const guard = before === undefined ? undefined : this.#readBefore(before, cursor);
    if (guard === "again") return false;
    const fragile = this.#isFragile(step);
    if (fragile) cursor.take();
    const result = cursor.result(step, settings);
    const observed = this.#observes(step) ? cursor.observed(step) : undefined;
    if (fragile) cursor.take();
    if (result === undefined) return true;
    if (guard !== undefined) this.#journal.add(guard);
    this.#journal.add({ kind: "write", prepared, observed, lazy: false, fragile, index });
    step.succeed(result);
    return true;
  }

  /** The guard in front of a write; "again" when only now it is known how to make one, or that there is none. */
  #readBefore(before: Prepared, cursor: Cursor): ReadOp | "again" {
    const { shapes } = this.#shared;
    const columns = shapes.columnsOf(before);
    if (columns === undefined) {
      shapes.learn(before, cursor.columns(before));
      return "again";
    }
    const digest = cursor.digest(before);
    if (typeof digest === "string" && digest.length <= LONGEST_DIGEST) {
      return { kind: "read", prepared: before, columns, digest };
    }
    const learned = typeof digest !== "string" && shapes.learnFrom(before, digest.message);
    if (!learned) shapes.learn(before);
    return "again";
  }

  #settleRead(step: Step, cursor: Cursor): boolean {
    const { prepared, guarded } = step;
    const { shapes } = this.#shared;
    const columns = guarded ? shapes.columnsOf(prepared) : undefined;
    const digest = columns === undefined ? undefined : cursor.digest(prepared);
    const failed = digest instanceof Error ? digest.message : undefined;
    if (failed !== undefined && shapes.learnFrom(prepared, failed)) return false;
    // A statement that fails on its first row ends the transaction already within its digest.
    if (failed !== undefined && cursor.ended) {
      step.fail(statementError(failed, { sql: prepared.analysis.source }));
      return true;
    }
    const result = cursor.result(step, step.settings);
    if (result === undefined) return true;
    if (!guarded) {
      step.succeed(result);
      return true;
    }
    if (columns === undefined || typeof digest !== "string") {
      return this.#learnShape(step, result);
    }
    if (digest.length > LONGEST_DIGEST) {
      step.fail(tooLarge(step, `its rows take ${digest.length} characters as a digest`));
      return true;
    }
    this.#journal.add({ kind: "read", prepared, columns, digest });
    step.succeed(result);
    return true;
  }

  /** With the number of columns known the read is run again, this time with a digest. */
  #learnShape(step: Step, { columns }: Result): boolean {
    const { shapes } = this.#shared;
    shapes.learn(step.prepared, columns.length);
    if (!shapes.isUncheckable(step.prepared)) return false;
    step.fail(tooLarge(step, `it has ${columns.length} columns`));
    return true;
  }

  #learnBase(cursor: Cursor): void {
    const base = cursor.base();
    if (base !== undefined) this.#shared.commits.learn(base);
  }

  async #learnVersion(cursor: Cursor, scope: string): Promise<void> {
    const version = cursor.number(readVersion(scope));
    this.version = version ?? 0;
    if (version !== undefined) return;
    const { settings, deadline } = this.#call;
    const statements = [versionTable()];
    await this.#shared.dispatcher.commit({ statements, transaction: false, settings, deadline });
  }
}

function tooLarge({ prepared: { analysis } }: Step, reason: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot check at commit that the rows are still the same, as ${reason}: ` +
      "read less, or give { guard: false } and use `scope` or a lock",
    { sql: analysis.source, code: "ERR_UNCHECKABLE" },
  );
}

function restless(): OperationalError {
  return new OperationalError("The schema changed again and again while the statement was run", {
    retryable: true,
  });
}
