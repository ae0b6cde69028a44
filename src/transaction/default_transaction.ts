import { keep } from "../calls/caller.ts";
import { InterfaceError, OutcomeUnknownError, TransactionConflictError } from "../errors.ts";
import type { BatchOptions, CallOptions, ExecuteOptions } from "../calls/executor.ts";
import { asCells, firstOf, valueOf } from "../calls/first.ts";
import { resolveSettings, type Settings } from "../calls/options.ts";
import { emptyResult } from "../calls/readings.ts";
import type { Mark } from "../calls/marks.ts";
import { checkQuery } from "../calls/route.ts";
import { confirm, noteCommit, noteUnmarked } from "../calls/session_notes.ts";
import { readOptions } from "../options.ts";
import { copyStatement, statementList, statementOf } from "../sql/form.ts";
import type { SqlFragment, Statement } from "../sql/statement.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import type { TransactionContext } from "./context.ts";
import { readConflict } from "./conflicts.ts";
import { Journal } from "./journal.ts";
import { type CommitId, mint } from "../commit/log_table.ts";
import { commitReads, commitWrites, type Run, type RunEnding, settle } from "./commit_run.ts";
import { type Call, until } from "../calls/call.ts";
import { Deadline } from "../time/deadline.ts";
import { together } from "../time/meter.ts";
import { alsoEndedBy } from "../time/also_ended_by.ts";
import { Lifetime } from "./lifetime.ts";
import { isGuarded, prepareStep } from "./prepare_step.ts";
import { HeededPromise } from "./heeded_promise.ts";
import { TransactionHandle, type Whole } from "./nested.ts";
import { abandonment, limit } from "./limits.ts";
import { TX_BATCH, TX_EXECUTE, TX_QUERY, TX_VALUE } from "./statement_options.ts";
import type { Passage } from "./passage.ts";
import { Queue } from "./queue.ts";
import { isFinal, Step } from "./step.ts";
import type { Savepoint, Transaction, TransactionQueryOptions } from "./transaction.ts";
import { Trial } from "./trial.ts";

/** What is behind a {@linkcode Transaction}: takes statements in order of issue, in as few requests as possible. */
export class DefaultTransaction implements Whole {
  /** What the caller is given. */
  readonly handle: TransactionHandle = new TransactionHandle(this);
  readonly #context: TransactionContext;
  readonly #call: Call;
  /** The same for the statements that run, which may be given up before the transaction is. */
  readonly #trying: { readonly settings: Settings; deadline: Deadline };
  readonly #journal = new Journal();
  readonly #trial: Trial;
  readonly #lifetime: Lifetime;
  readonly #queue = new Queue((steps, whole) => this.#run(steps, whole));
  readonly #open = new Set<Step>();
  /** Statements that failed, and what told their caller. */
  readonly #failed: { readonly error: unknown; readonly told: HeededPromise<unknown> }[] = [];
  #issued = 0;
  #id: CommitId | undefined;
  #state: Transaction["state"] = "active";
  #ending = false;
  #sent = false;
  #admitted = false;
  /** That of its session when it began. */
  readonly #times: number;
  /** Why this transaction cannot be committed any more. */
  #failure: { readonly error: unknown } | undefined;

  /** Sends nothing. */
  constructor(context: TransactionContext) {
    this.#context = context;
    const { options, shared, deadline, hold } = context;
    this.#times = options.settings.session?.times ?? 0;
    this.#call = { settings: { ...options.settings, signal: deadline.signal }, deadline };
    this.#trying = { ...this.#call };
    this.#trial = new Trial(shared, this.#journal, this.#trying, {
      scope: options.scope,
      checked: options.isolation === "serializable",
      lazy: options.mode === "lazy",
      readOnly: options.readOnly,
      checkLevel: options.checkLevel,
    });
    const renewal = options.perStatement ? options.settings.timeout : undefined;
    this.#lifetime = new Lifetime(deadline, renewal, hold?.signal, () => void this.#expire());
  }

  /** See {@linkcode Transaction.id}. */
  get id(): string {
    if (this.#id !== undefined) return this.#id.id;
    const base = this.#context.shared.commits.knowledge.knownBase;
    if (base === undefined) {
      throw new InterfaceError("Cannot make an id before the first request: run a statement first");
    }
    this.#id = mint(base);
    return this.#id.id;
  }

  /** See {@linkcode Transaction.signal}. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** Throws why the transaction was ended from outside, if it was. */
  throwIfAborted(): void {
    this.#lifetime.throwIfAborted();
  }

  /** See {@linkcode Transaction.state}. */
  get state(): Transaction["state"] {
    return this.#state;
  }

  /** See {@linkcode Transaction.fencingToken}. */
  get fencingToken(): bigint | undefined {
    const { version } = this.#trial;
    return version === undefined ? undefined : BigInt(version) + 1n;
  }

  /** The conflict that a statement met, whether or not the caller saw it. */
  get conflict(): TransactionConflictError | undefined {
    const error = this.#failure?.error;
    return error instanceof TransactionConflictError ? error : undefined;
  }

  /** See {@linkcode Transaction.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<Result<R>> {
    return this.#issueOne(
      "query",
      (form = statementOf(sql, params)) => this.#read(form, options),
    );
  }

  /** See {@linkcode Transaction.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<R | undefined> {
    // Rows have the type that the caller named with R.
    const answer = ([result]: Result[]) => firstOf(result!) as R | undefined;
    return this.#issueMade("first", ([form = statementOf(sql, params)] = []) => {
      const [step, limits] = this.#read(form, options);
      return { steps: [step], whole: false, limits };
    }, answer);
  }

  /** See {@linkcode Transaction.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<TransactionQueryOptions, "rows">,
  ): Promise<T | undefined> {
    return this.#issueMade("value", ([form = statementOf(sql, params)] = []) => {
      const given = asCells(readOptions(options, TX_VALUE));
      const [step, limits] = this.#read(form, given);
      return { steps: [step], whole: false, limits };
    }, ([result]) => valueOf<T>(result!));
  }

  /** See {@linkcode Transaction.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#issueOne("execute", (form = statementOf(sql, params)) => {
      const given = readOptions(options, TX_EXECUTE);
      return [this.#step(form, given), given];
    });
  }

  /** See {@linkcode Transaction.batch}. */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<Result[]> {
    return this.#issueMade("batch", (forms = statementList(statements)) => {
      const given = readOptions(options, TX_BATCH);
      const steps = forms.map((statement, i) => this.#step(statement, given, true, i));
      return { steps, whole: given.atomic ?? true, limits: given };
    }, (results) => results);
  }

  /** See {@linkcode Transaction.savepoint}. */
  async savepoint(name?: string): Promise<Savepoint> {
    let made = "";
    await this.#act(() => {
      made = this.#journal.save(name);
    });
    return { name: made };
  }

  /** See {@linkcode Transaction.rollbackTo}. */
  async rollbackTo(savepoint: Savepoint | string): Promise<void> {
    await this.#act(() => this.#journal.rollbackTo(nameOf(savepoint)));
  }

  /** See {@linkcode Transaction.release}. */
  async release(savepoint: Savepoint | string): Promise<void> {
    await this.#act(async () => {
      this.#journal.need(nameOf(savepoint));
      await this.#trial.check();
      this.#journal.release(nameOf(savepoint));
    });
  }

  /** See {@linkcode Whole.open}. */
  get open(): boolean {
    return this.#state === "active" && !this.#ending;
  }

  /** See {@linkcode Whole.failures}. */
  get failures(): number {
    return this.#failed.length;
  }

  /** See {@linkcode Whole.undo}. */
  async undo(savepoint: string, failures: number): Promise<void> {
    await this.#act(() => {
      this.#journal.rollbackTo(savepoint);
      this.#journal.release(savepoint);
      this.#failed.length = failures;
    });
  }

  /** See {@linkcode Whole.condemn}. */
  condemn(error: Error): void {
    this.#failure ??= { error };
  }

  /** See {@linkcode Transaction.commit}. */
  async commit(): Promise<void> {
    let error: unknown;
    try {
      const ending = await this.#finish();
      if (ending.is === "refused") await this.#report(ending.error, ending.unsettled);
    } catch (thrown) {
      throw error = thrown;
    } finally {
      if (this.#state !== "active") this.#context.over?.(error);
      await this.#letGo();
    }
  }

  /** A refusal is reported only when no other copy can pass any more; if one did, the transaction is committed. */
  async #report(error: Error, unsettled: readonly CommitId[]): Promise<void> {
    if (unsettled.length === 0) throw error;
    const { hold, shared: { commits } } = this.#context;
    try {
      if (await settle(unsettled, error, hold, commits, this.#call) === undefined) throw error;
      this.#state = "committed";
    } catch (failure) {
      if (failure !== error) this.#state = "unknown";
      throw failure;
    }
  }

  /** See {@linkcode Transaction.rollback}. */
  rollback(): Promise<void> {
    return this.#rollback(undefined);
  }

  async #rollback(error: unknown): Promise<void> {
    if (!this.open) return;
    this.#ending = true;
    this.#end("rolledback");
    this.#context.over?.(error);
    await this.#letGo();
  }

  /**
   * The conflict, where the function has thrown and what it was told does not hold in one state: it may have thrown by a
   * mixture that there never was. `undefined` also where nobody can tell.
   */
  async mixture(): Promise<TransactionConflictError | undefined> {
    const { isolation } = this.#context.options;
    // One answer is of one state.
    if (!this.open || isolation !== "serializable" || this.#trial.answers < 2) return undefined;
    this.handle.close();
    try {
      return await this.#queue.act(async () => {
        this.#checkAlive();
        return await this.#trial.toldHolds() ? undefined : readConflict();
      });
    } catch {
      return undefined;
    }
  }

  /** Commits when the function has ended, but leaves it to the caller what to do about a refusal. */
  finish(): Promise<RunEnding> {
    this.handle.close();
    return this.#finish();
  }

  #finish(): Promise<RunEnding> {
    const { passage } = this.#context;
    return passage === undefined ? this.#close(this.#call) : this.#closeThrough(passage);
  }

  /** Commits behind the interceptors, and behind all that they have not let through yet. */
  async #closeThrough(passage: Passage): Promise<RunEnding> {
    this.#checkActive();
    this.#ending = true;
    const { deadline } = this.#call;
    let closing: Promise<RunEnding> | undefined;
    const close = ({ signal, meter }: Deadline): Promise<RunEnding> => {
      if (this.#state !== "active") this.#checkActive();
      const counted = deadline.by(signal, together([deadline.meter, meter]));
      return this.#close(until(counted, this.#call), true);
    };
    try {
      await passage.idle();
      const made = { operation: "commit", deadline, ends: true };
      await passage.carry(made, async (_, counted) => {
        // It is done once: whoever calls for it again is told what became of it.
        const ending = await (closing ??= close(counted));
        if (ending.is === "refused") throw ending.error;
      });
    } catch (error) {
      // An interceptor may have given up what is under way.
      const ending = await closing?.catch(() => undefined);
      if (this.#state === "active") this.#end("rolledback");
      if (ending?.is !== "refused") throw error;
      // Whoever throws something else than the conflict does not want it to be tried again.
      return { ...ending, error: error as Error };
    }
    return await closing!;
  }

  /** @param begun It takes no more statements. */
  async #close(call: Call, begun = false): Promise<RunEnding> {
    if (!begun) this.#checkActive();
    const pending = [...this.#open];
    this.#ending = true;
    let ending: RunEnding | undefined;
    try {
      await this.#queue.act(async () => {
        const failed = pending.find(({ error }) => error !== undefined) ??
          this.#failed.find(({ told }) => !told.heeded);
        if (failed !== undefined) throw keep(failed.error);
        ending = await this.#commit(call);
      });
    } catch (error) {
      // The loss of the lock says nothing of a commit that was sent: its answer does.
      const doubtful = this.#sent &&
        (error instanceof OutcomeUnknownError || this.#context.deadline.signal?.aborted);
      this.#end(doubtful ? "unknown" : "rolledback");
      if (!(error instanceof TransactionConflictError)) throw error;
      return { is: "refused", error, unsettled: [] };
    }
    this.#end(
      ending!.is === "refused" ? "rolledback" : "committed",
      "mark" in ending! ? ending.mark : undefined,
    );
    return ending!;
  }

  async #commit(call: Call): Promise<RunEnding> {
    this.#checkAlive();
    const { options, shared: { commits, dispatcher }, hold, earlier } = this.#context;
    const run: Run = {
      journal: this.#journal,
      trial: this.#trial,
      earlier,
      scope: options.scope,
      hold,
      checked: options.isolation === "serializable",
      checkedAtOnce: options.readOnly || options.checkLevel === options.settings.level,
    };
    if (this.#journal.writes.length === 0) return await commitReads(run, commits, call);
    await this.#trial.ensureVersion();
    this.#id ??= await commits.mint(call);
    hold?.check();
    if (options.settings.session?.given) await confirm(dispatcher, this.#call);
    this.#sent = true;
    return await commitWrites(run, this.#id, commits, call);
  }

  #step(
    statement: Statement,
    options: BatchOptions,
    guard = true,
    index?: number,
  ): Step {
    this.#checkActive(options.timeout);
    const settings = resolveSettings(this.#call.settings, options);
    settings.signal?.throwIfAborted();
    const now = new Date();
    // It may be made again for an answer that tells more, and callers may use an array again at once.
    const copy = copyStatement(statement);
    const prepare = (facts: Facts | undefined): Prepared =>
      prepareStep(copy, this.#context, { guard, index, now, facts });
    return new Step(
      copy,
      prepare,
      settings,
      index ?? this.#issued++,
      isGuarded(this.#context, guard),
    );
  }

  #read(
    form: Statement,
    options: TransactionQueryOptions | undefined,
  ): readonly [Step, CallOptions] {
    const given = readOptions(options, TX_QUERY);
    const step = this.#step(form, given, given.guard);
    checkQuery(step.prepared.analysis);
    return [step, given];
  }

  #issueOne<R>(
    operation: string,
    prepare: (form?: Statement) => readonly [Step, CallOptions],
  ): Promise<Result<R>> {
    try {
      const [step, limits] = prepare();
      let { result } = step;
      if (this.#context.passage === undefined) this.#issue([step], false, result, limits);
      else {
        const first = { steps: [step], whole: false, limits };
        const again = ([form]: readonly Statement[]) => ({ ...first, steps: [prepare(form)[0]] });
        result = this.#pass(operation, first, again, ([result]) => result!);
      }
      // Rows have the type that the caller named with R.
      return result as Promise<unknown> as Promise<Result<R>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Issues statements whose caller is told something else than the result of one. */
  #issueMade<T>(
    operation: string,
    prepare: (forms?: readonly Statement[]) => Issue,
    make: (results: Result[]) => T,
  ): Promise<T> {
    try {
      const issue = prepare();
      if (this.#context.passage !== undefined) return this.#pass(operation, issue, prepare, make);
      const { steps, whole, limits } = issue;
      const told = new HeededPromise<T>((resolve, reject) =>
        Promise.all(steps.map((step) => step.result)).then(make).then(resolve, reject)
      );
      told.whenSettled(() => {});
      this.#issue(steps, whole, told, limits);
      return told;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /**
   * Issues statements behind the interceptors; their caller is told what comes back from those.
   *
   * @param first Checked already; issued where it is passed on as it was.
   * @param again Makes what else is passed on, and what is once more.
   */
  #pass<T>(
    operation: string,
    first: Issue,
    again: (forms: readonly Statement[]) => Issue,
    make: (results: Result[]) => T,
  ): HeededPromise<T> {
    const { passage, deadline: whole } = this.#context;
    const forms = first.steps.map(({ form }) => form);
    const { timeout } = first.limits;
    const own = timeout === undefined
      ? whole
      : new Deadline(Math.min(timeout, whole.remaining), whole.signal, whole.meter);
    const deadline = alsoEndedBy(own, first.limits.signal);
    const settings = first.steps[0]?.settings;
    const made = { operation, forms, single: operation !== "batch", settings, deadline };
    let unused: Issue | undefined = first;
    const send = (given: readonly Statement[], end: Deadline): Promise<Result[]> => {
      if (this.#state !== "active") this.#checkActive();
      const issue = given === forms && unused !== undefined
        ? unused
        : this.#inTime(() => again(given));
      unused = undefined;
      const { steps } = issue;
      for (const step of steps) step.meter = end.meter;
      const limits: CallOptions = {
        ...(timeout !== undefined && { timeout: end.remaining }),
        signal: end.signal === deadline.signal ? issue.limits.signal : end.signal,
      };
      this.#issue(steps, issue.whole, told, limits);
      return Promise.all(steps.map((step) => step.result));
    };
    let answer!: Promise<Result[]>;
    let begin!: () => void;
    const told = new HeededPromise<T>((resolve, reject) => {
      begin = () => {
        answer = passage!.answer(made, send);
        answer.then(make).then(resolve, (error: unknown) => {
          this.#failed.push({ error, told });
          reject(error);
        });
      };
    });
    told.whenSettled(() => {});
    begin();
    return told;
  }

  /** Makes what was called for before the transaction began to end. */
  #inTime<T>(make: () => T): T {
    const ending = this.#ending;
    this.#ending = false;
    try {
      return make();
    } finally {
      this.#ending = ending;
    }
  }

  /** Puts statements into the queue; the commit waits for them. */
  #issue(
    steps: readonly Step[],
    whole: boolean,
    told: HeededPromise<unknown>,
    limits: CallOptions,
  ): void {
    for (const step of steps) {
      if (step.prepared.analysis.kind === "empty") step.succeed(emptyResult());
      this.#open.add(step);
      step.result.whenSettled(() => {
        this.#open.delete(step);
        if (step.error !== undefined) this.#failed.push({ error: step.error, told });
      });
    }
    const sent = steps.filter((step) => !step.done);
    if (sent.length === 0) return;
    limit(sent, limits);
    this.#queue.issue(sent, whole);
  }

  async #act(action: () => void | Promise<void>): Promise<void> {
    this.#checkActive();
    const act = () => this.#queue.act(action);
    const { passage } = this.#context;
    await (passage === undefined ? act() : passage.act(act));
  }

  async #run(issued: readonly Step[], whole: boolean): Promise<void> {
    const steps = issued.filter((step) => !step.done);
    if (steps.length === 0) return;
    const { deadline } = this.#call;
    const abandoned = abandonment(steps);
    const meter = this.#context.passage &&
      together([deadline.meter, ...steps.map(({ meter }) => meter)]);
    this.#trying.deadline = abandoned ?? meter ? alsoEndedBy(deadline, abandoned, meter) : deadline;
    try {
      this.#checkAlive();
      if (!this.#admitted) await this.#context.admit?.(steps[0]!.prepared);
      this.#admitted = true;
      await (whole ? this.#trial.runAll(steps) : this.#trial.run(steps));
    } catch (cause) {
      const error = this.#trial.repeats.explained(cause);
      if (isFinal(error)) this.#failure ??= { error };
      for (const step of steps) step.fail(error);
    } finally {
      this.#trying.deadline = deadline;
    }
  }

  /** @param timeout Of the statement that begins, in milliseconds. */
  #checkActive(timeout = 0): void {
    this.#lifetime.renew(timeout, this.#open.size === 0);
    this.#context.turn()?.trust();
    if (this.open) return;
    const state = this.#state === "active" ? "being committed" : STATES[this.#state];
    throw new InterfaceError(
      `The transaction is ${state}: await what uses it before it ends, or begin() another one`,
    );
  }

  #checkAlive(): void {
    this.#lifetime.throwIfAborted();
    this.#context.hold?.check();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** @param mark Of the commit that it ended by. */
  #end(state: Transaction["state"], mark?: Mark): void {
    this.#state = state;
    this.#lifetime.end();
    const { options: { settings: { session } }, earlier } = this.#context;
    if (session !== undefined) {
      if (mark !== undefined) noteCommit(session, mark, this.#times);
      // What was read in front of any write, the session knows already.
      else if (this.#trial.tried || this.#sent || earlier.length > 0) noteUnmarked(session);
    }
    if (this.#context.ends) this.#context.turn()?.leave();
  }

  /** Ended from outside; no other run follows, so that the lock is free even while the function still runs. */
  async #expire(): Promise<void> {
    if (!this.open) return;
    await this.#rollback(this.#lifetime.reason);
    await this.#context.hold?.release(this.#context.deadline);
  }

  async #letGo(): Promise<void> {
    const { hold, ends, deadline } = this.#context;
    if (ends && this.#state !== "active") await hold?.release(deadline);
  }
}

/** Statements that are issued together. */
interface Issue {
  readonly steps: readonly Step[];
  /** They are one unit. */
  readonly whole: boolean;
  readonly limits: CallOptions;
}

const STATES = {
  active: "active",
  committed: "committed",
  rolledback: "rolled back",
  unknown: "over, and its outcome unknown",
};

function nameOf(savepoint: Savepoint | string): string {
  return typeof savepoint === "string" ? savepoint : savepoint.name;
}
