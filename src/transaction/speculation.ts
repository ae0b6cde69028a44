import { InternalError, OperationalError } from "../errors.ts";
import { dryRun } from "../calls/batch.ts";
import type { Level } from "../calls/executor.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import { emptyResult } from "../calls/read_results.ts";
import type { Commits } from "../commit/commits.ts";
import { refuseStrayCounters } from "../commit/counters.ts";
import { isDdl, isOnlyDdl, namesUnknown } from "../commit/written_tables.ts";
import type { CallContext } from "../calls/call_context.ts";
import type { Prepared } from "../sql/prepare.ts";
import { statementError } from "../wire/sql_errors.ts";
import { readConflict, schemaConflict, tableConflict } from "./conflicts.ts";
import { AnswerReader } from "./answer_reader.ts";
import { type Journal, statementsOf, type WriteOp } from "./journal.ts";
import { allWrites, neededWrites, ResendCount, type ResentWrites } from "./resent_writes.ts";
import type { Step } from "./step.ts";
import { Recheck, takeWrite } from "./recheck.ts";
import { PinnedSchema } from "./pinned_schema.ts";
import { readVersion, versionTable } from "./version_row.ts";
import type { PlanContext, StepPlan } from "./plan.ts";
import { ReadPlan, UncheckedReadPlan } from "./read_plan.ts";
import { WritePlan } from "./write_plan.ts";
import type { ReadShapes } from "./check.ts";

/** How often it may become clear only in the answer how a statement has to be sent. */
const MOST_ROUNDS = 5;

/** What all transactions of a client share. */
export interface Shared {
  /** What sends their requests. */
  readonly dispatcher: Dispatcher;
  /** What commits, and knows the schema and the sequence of commits. */
  readonly commits: Commits;
  /** What answers have told of reads. */
  readonly shapes: ReadShapes;
}

/** How a transaction's statements are tried. */
export interface SpeculationOptions {
  /** Name of the version row. */
  readonly scope: string | undefined;
  /** Results are checked at commit. */
  readonly checked: boolean;
  /** Writes without RETURNING are kept back. */
  readonly lazy: boolean;
  /** Nothing will be committed. */
  readonly readOnly: boolean;
  /** How current the state is on which reads are checked. */
  readonly checkLevel: Level;
}

/** A statement and its plan, if it is sent. */
type Planned = readonly [Step, StepPlan | undefined];

/**
 * Runs the statements of a transaction before it is committed. Reads in front of any write are read as they are; what
 * comes behind a write is *tried*: all writes so far, the statement, and one that fails on purpose go as one transaction,
 * of which the server keeps nothing but its answer (docs/internals/transactions.md).
 */
export class Speculation {
  readonly #shared: Shared;
  readonly #journal: Journal;
  readonly #call: CallContext;
  readonly #options: SpeculationOptions;
  /** What the statements are made by. */
  readonly schema: PinnedSchema;
  /** Asks whether what they told still holds. */
  readonly recheck: Recheck;
  /** How many answers have told something of the database. */
  answers = 0;
  /** Whether something was tried, and so read from the leader together with what was not written yet. */
  tried = false;
  /** The version of the scope, once it was read. */
  version: number | undefined;
  /** The writes that were sent again. */
  readonly resent = new ResendCount();
  /** For the statements that run, no write is left out and no question. */
  #careful = false;

  /** Sends nothing. */
  constructor(shared: Shared, journal: Journal, call: CallContext, options: SpeculationOptions) {
    this.#shared = shared;
    this.#journal = journal;
    this.#call = call;
    this.#options = options;
    const { dispatcher, commits } = shared;
    const schema = this.schema = new PinnedSchema(commits, journal, call);
    const level = options.checkLevel;
    this.recheck = new Recheck({ dispatcher, commits, journal, schema, call, level });
  }

  /**
   * Runs statements in order, in as few requests as possible, and settles them; what succeeded is in the journal then.
   *
   * @throws {TransactionConflictError} If a write that succeeded before does not any more.
   * @throws {DatabaseError} If a write that was kept back fails.
   * @throws {NotSupportedError} If too many writes would be sent again.
   */
  async run(steps: readonly Step[]): Promise<void> {
    await this.schema.pin();
    this.#careful = false;
    let rounds = 0;
    for (let rest = waiting(steps); rest.length > 0; rest = waiting(rest)) {
      const [first] = rest;
      if (first !== undefined && !isOnlyDdl(first.prepared)) await this.#lookBehind();
      const kept = rest.findIndex((step) => !this.#keepsBack(step));
      if (kept !== 0) {
        const end = together(kept < 0 ? rest : rest.slice(0, kept));
        for (const step of rest.slice(0, end)) await this.#keepBack(step);
        continue;
      }
      const next = rest.findIndex((step) => this.#keepsBack(step));
      const tried = next < 0 ? rest : rest.slice(0, next);
      const settled = await this.#round(tried.slice(0, together(tried)));
      if (settled === 0 && ++rounds > MOST_ROUNDS) throw restless();
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
    if (this.#journal.writes.some(({ lazy }) => lazy !== undefined)) await this.#round([]);
  }

  /** Reads the version of the scope, if there is one and it was not read yet. */
  async ensureVersion(): Promise<void> {
    if (this.#options.scope === undefined || this.version !== undefined) return;
    // Without the writes it is a read, and no entry of the Raft log.
    await this.schema.pin();
    await this.#round([], { writes: [], whole: true });
  }

  #keepsBack({ writes, prepared: { analysis } }: Step): boolean {
    return this.#options.lazy && writes && !analysis.returning;
  }

  /** A read that asks is not guarded: its caller has said that it may be anything. */
  #refuseCounters(before: readonly Prepared[], prepared: Prepared): void {
    if (!prepared.analysis.stores) return;
    const factsOf = () => this.schema.current;
    refuseStrayCounters([...before, prepared], { factsOf, entered: true }, before.length);
  }

  async #keepBack(step: Step): Promise<void> {
    let prepared: Prepared;
    try {
      if (step.prepared.analysis.kind === "ddl") await this.schema.ready();
      prepared = step.by(this.schema.current);
      // It may be another program's table, made a moment ago.
      if (this.#journal.untold && namesUnknown([prepared], this.schema.current)) {
        await this.schema.remake();
        prepared = step.by(this.schema.current);
      }
      this.#refuseCounters(this.#journal.writes.map(({ prepared }) => prepared), prepared);
    } catch (error) {
      return step.fail(error);
    }
    // Given up while the schema was asked for.
    if (step.done) return;
    this.#journal.add({
      kind: "write",
      prepared,
      observed: undefined,
      rowid: undefined,
      inserted: undefined,
      scopes: [],
      since: this.schema.since,
      lazy: (facts) => step.by(facts),
      fragile: false,
      index: step.index,
    });
    step.succeed({ ...emptyResult(), rowsAffected: -1 });
  }

  /** @throws {DatabaseError} If a statement in front of what comes fails; where they are kept back, the commit tells. */
  async #lookBehind(): Promise<void> {
    if (await this.schema.lookBehind() || this.#options.lazy) return;
    // It tells which of them fails.
    await this.#round([]);
    throw schemaConflict();
  }

  /**
   * One request; answers how many of the statements, from the first on, are settled.
   *
   * @param resent The writes in front of them.
   */
  async #round(steps: readonly Step[], resent = this.#resentFor(steps)): Promise<number> {
    const { writes } = resent;
    const plans = this.#plan(steps);
    if (steps.length > 0 && plans.every(([, plan]) => plan === undefined)) return steps.length;
    this.resent.add(writes);
    const { commits: { knowledge } } = this.#shared;
    const { scope } = this.#options;
    const asksVersion = scope !== undefined && this.version === undefined;
    const tries = writes.length > 0 || steps.some((step) => step.writes && !step.done);
    const asks = steps.length === 0 || this.#careful || !this.schema.isFresh(tries) ||
      plans.some(([, plan]) => plan?.asks);
    const before = [
      ...(asks ? [knowledge.question] : []),
      ...(asksVersion ? [readVersion(scope)] : []),
      ...writes.flatMap(statementsOf),
    ];
    const statements = [...before, ...plans.flatMap(([, plan]) => plan?.statements ?? [])];
    const reply = await this.#send(statements, tries, asks);
    const answer = new AnswerReader(reply);
    const sighting = asks ? answer.sighting(knowledge) : undefined;
    if (asksVersion) await this.#learnVersion(answer, scope);
    const stands = sighting === undefined ||
      await this.schema.take(sighting, this.#options.readOnly);
    if (stands === "again") return 0;
    if (!stands) throw schemaConflict();
    // An error may come of what was left out, or of a schema that was not asked for.
    const certain = resent.whole && asks;
    if (!this.#takeWrites(writes, answer, certain)) return 0;
    const settled = await this.#settle(plans, reply, before.length, certain);
    if (settled > 0) this.answers++;
    const end = new AnswerReader(reply, statements.length);
    if (tries && settled === steps.length && !end.ended && end.take() === undefined) {
      throw new InternalError("The server kept a transaction that ends in a failing statement");
    }
    return settled;
  }

  /** @returns Whether those that were sent again succeeded; if not, all are sent once more. */
  #takeWrites(writes: readonly WriteOp[], answer: AnswerReader, certain: boolean): boolean {
    try {
      takeWrites(writes, answer);
      return true;
    } catch (error) {
      if (certain) throw error;
      this.#careful = true;
      return false;
    }
  }

  /**
   * Settles statements by the answer to their plans.
   *
   * @param at Where that begins.
   * @param certain Whether an error is that of the statement in any case.
   * @returns How many, from the first on, are settled.
   */
  async #settle(
    plans: readonly Planned[],
    reply: Reply,
    at: number,
    certain: boolean,
  ): Promise<number> {
    let settled = 0;
    for (const [i, [step, plan]] of plans.entries()) {
      const place = new AnswerReader(reply, at);
      at += plan?.statements.length ?? 0;
      if (place.ended && plan !== undefined) break;
      // Behind one that has to be sent again nothing counts, but how it has to be sent is learned of all.
      if (settled < i) {
        plan?.learn(place);
        continue;
      }
      if (plan !== undefined && step.done) {
        // Given up meanwhile. What is behind a write has seen what that did, and is sent again without it.
        if (!step.writes) settled++;
        continue;
      }
      const ops = plan === undefined ? [] : plan.settle(place, this.schema.since);
      if (step.error !== undefined && !step.done) {
        if (!certain) {
          step.error = undefined;
          this.#careful = true;
          break;
        }
        // It may be about what another client has written behind a read, or about a rowid that is that client's by now.
        const judges = step.writes && this.#journal.ops.length > 0;
        if (judges && await this.recheck.judge() === undefined) throw readConflict();
        step.fail(step.error);
      }
      for (const op of ops ?? []) this.#journal.add(op);
      if (ops !== undefined && step.done) settled++;
    }
    return settled;
  }

  #resentFor(steps: readonly Step[]): ResentWrites {
    // Those alone are to be seen.
    const all = this.#careful || steps.length === 0;
    return all ? allWrites(this.#journal) : neededWrites(this.#journal, steps, this.schema.current);
  }

  /** A step that cannot be planned has failed, and none is needed. */
  #plan(steps: readonly Step[]): Planned[] {
    const before = this.#journal.writes.map(({ prepared }) => prepared);
    const context = {
      facts: this.schema.current,
      shapes: this.#shared.shapes,
      checked: this.#options.checked,
      // The answer may tell more about the server, but it has to be read as the request was made.
      mayGoOn: !this.#shared.dispatcher.capabilities.returningAborts,
    };
    return steps.map((step) => {
      try {
        if (step.done) return [step, undefined];
        const plan = planOf(step, context);
        this.#refuseCounters(before, step.prepared);
        before.push(step.prepared);
        return [step, plan];
      } catch (error) {
        step.fail(error);
        return [step, undefined];
      }
    });
  }

  async #send(statements: readonly Prepared[], tries: boolean, asks: boolean): Promise<Reply> {
    const { dispatcher } = this.#shared;
    const { settings, deadline } = this.#call;
    const batch = { statements, transaction: true, settings, deadline, exact: true };
    this.tried ||= tries;
    return await (tries ? dryRun(dispatcher, batch) : dispatcher.read({ ...batch, aware: asks }));
  }

  async #learnVersion(answer: AnswerReader, scope: string): Promise<void> {
    const version = answer.number(readVersion(scope));
    if (version === undefined) {
      const { settings, deadline } = this.#call;
      const statements = [versionTable()];
      await this.#shared.dispatcher.commit({ statements, transaction: false, settings, deadline });
    }
    this.version = version ?? 0;
  }
}

/**
 * Plans one step.
 *
 * @throws {NotSupportedError} If nobody can check what it answers, or write out what it leaves to the schema.
 */
function planOf(step: Step, context: PlanContext): StepPlan {
  const prepared = step.by(context.facts);
  if (step.writes) return new WritePlan(step, prepared, context);
  return step.guarded && prepared.analysis.kind === "read"
    ? new ReadPlan(step, prepared, context)
    : new UncheckedReadPlan(step, prepared);
}

/** Those that are neither done nor given up. */
function waiting(steps: readonly Step[]): readonly Step[] {
  return steps.filter((step) => !step.done);
}

/** How many steps may go together: what comes behind DDL is made by the schema that it leaves. */
function together(steps: readonly Step[]): number {
  const ddl = steps.findIndex((step, i) => {
    const next = steps[i + 1];
    return next !== undefined && isDdl(step.prepared) && !isOnlyDdl(next.prepared);
  });
  return ddl < 0 ? steps.length : ddl + 1;
}

/** @throws {TransactionConflictError|DatabaseError} If one that was sent again fails. */
function takeWrites(writes: readonly WriteOp[], answer: AnswerReader): void {
  for (const write of writes) {
    const error = takeWrite(write, answer);
    if (error === undefined) continue;
    if (write.lazy === undefined) throw tableConflict(write, error);
    const sql = write.prepared.analysis.source;
    throw statementError(error, { sql, statementIndex: write.index });
  }
}

function restless(): OperationalError {
  return new OperationalError("The schema changed again and again while the statement was run", {
    retryable: true,
  });
}
