import { keep } from "../client/caller.ts";
import { InterfaceError, OutcomeUnknownError, TransactionConflictError } from "../errors.ts";
import type { BatchOptions, CallOptions, ExecuteOptions } from "../client/executor.ts";
import { asCells, firstOf, valueOf } from "../client/first.ts";
import { resolveSettings, type Settings } from "../client/options.ts";
import { emptyResult } from "../client/readings.ts";
import { checkQuery } from "../client/route.ts";
import { readOptions } from "../options.ts";
import { copyStatement, statementList, statementOf } from "../sql/form.ts";
import type { SqlFragment, Statement } from "../sql/statement.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import type { TransactionContext } from "./context.ts";
import { readConflict } from "./conflicts.ts";
import { Journal } from "./journal.ts";
import { type CommitId, mint } from "../commit/log.ts";
import { commitReads, commitWrites, type Run, type RunEnding, settle } from "./commit_run.ts";
import type { Call } from "../commit/own.ts";
import type { Deadline } from "../transport/deadline.ts";
import { Lifetime } from "./lifetime.ts";
import { isGuarded, prepareStep } from "./prepare_step.ts";
import { HeededPromise } from "./heeded_promise.ts";
import { TransactionHandle, type Whole } from "./nested.ts";
import { abandonment, limit } from "./limits.ts";
import { TX_BATCH, TX_EXECUTE, TX_QUERY, TX_VALUE } from "./statement_options.ts";
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
  /** Why this transaction cannot be committed any more. */
  #failure: { readonly error: unknown } | undefined;

  /** Sends nothing. */
  constructor(context: TransactionContext) {
    this.#context = context;
    const { options, shared, deadline, hold } = context;
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
    const base = this.#context.shared.commits.grounds.knownBase;
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
    return this.#issueOne(() => this.#read(sql, params, options));
  }

  /** See {@linkcode Transaction.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: TransactionQueryOptions,
  ): Promise<R | undefined> {
    // Rows have the type that the caller named with R.
    const answer = ([result]: Result[]) => firstOf(result!) as R | undefined;
    return this.#issueMade(() => {
      const [step, limits] = this.#read(sql, params, options);
      return { steps: [step], whole: false, limits };
    }, answer);
  }

  /** See {@linkcode Transaction.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<TransactionQueryOptions, "rows">,
  ): Promise<T | undefined> {
    return this.#issueMade(() => {
      const given = asCells(readOptions(options, TX_VALUE));
      const [step, limits] = this.#read(sql, params, given);
      return { steps: [step], whole: false, limits };
    }, ([result]) => valueOf<T>(result!));
  }

  /** See {@linkcode Transaction.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#issueOne(() => {
      const given = readOptions(options, TX_EXECUTE);
      return [this.#step(statementOf(sql, params), given), given];
    });
  }

  /** See {@linkcode Transaction.batch}. */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<Result[]> {
    return this.#issueMade(() => {
      const given = readOptions(options, TX_BATCH);
      const steps = statementList(statements).map((statement, i) =>
        this.#step(statement, given, true, i)
      );
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
    try {
      const ending = await this.#finish();
      if (ending.is === "refused") await this.#report(ending.error, ending.unsettled);
    } finally {
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
  async rollback(): Promise<void> {
    if (!this.open) return;
    this.#ending = true;
    this.#end("rolledback");
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

  async #finish(): Promise<RunEnding> {
    this.#checkActive();
    const pending = [...this.#open];
    this.#ending = true;
    let ending: RunEnding | undefined;
    try {
      await this.#queue.act(async () => {
        const failed = pending.find(({ error }) => error !== undefined) ??
          this.#failed.find(({ told }) => !told.heeded);
        if (failed !== undefined) throw keep(failed.error);
        ending = await this.#commit();
      });
    } catch (error) {
      // The loss of the lock says nothing of a commit that was sent: its answer does.
      const doubtful = this.#sent &&
        (error instanceof OutcomeUnknownError || this.#context.deadline.signal?.aborted);
      this.#end(doubtful ? "unknown" : "rolledback");
      if (!(error instanceof TransactionConflictError)) throw error;
      return { is: "refused", error, unsettled: [] };
    }
    this.#end(ending!.is === "refused" ? "rolledback" : "committed");
    return ending!;
  }

  async #commit(): Promise<RunEnding> {
    this.#checkAlive();
    const { options, shared: { commits }, hold, earlier } = this.#context;
    const run: Run = {
      journal: this.#journal,
      trial: this.#trial,
      earlier,
      scope: options.scope,
      hold,
      checked: options.isolation === "serializable",
      checkedAtOnce: options.readOnly || options.checkLevel === options.settings.level,
    };
    if (this.#journal.writes.length === 0) return await commitReads(run, commits, this.#call);
    await this.#trial.ensureVersion();
    this.#id ??= await commits.mint(this.#call);
    hold?.check();
    this.#sent = true;
    return await commitWrites(run, this.#id, commits, this.#call);
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
    return new Step(prepare, settings, index ?? this.#issued++, isGuarded(this.#context, guard));
  }

  #read(
    sql: string | SqlFragment,
    params: Params | undefined,
    options: TransactionQueryOptions | undefined,
  ): readonly [Step, CallOptions] {
    const given = readOptions(options, TX_QUERY);
    const step = this.#step(statementOf(sql, params), given, given.guard);
    checkQuery(step.prepared.analysis);
    return [step, given];
  }

  #issueOne<R>(prepare: () => readonly [Step, CallOptions]): Promise<Result<R>> {
    try {
      const [step, limits] = prepare();
      this.#issue([step], false, step.result, limits);
      // Rows have the type that the caller named with R.
      return step.result as Promise<unknown> as Promise<Result<R>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Issues statements whose caller is told something else than the result of one. */
  #issueMade<T>(
    prepare: () => { steps: readonly Step[]; whole: boolean; limits: CallOptions },
    make: (results: Result[]) => T,
  ): Promise<T> {
    try {
      const { steps, whole, limits } = prepare();
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
    await this.#queue.act(action);
  }

  async #run(issued: readonly Step[], whole: boolean): Promise<void> {
    const steps = issued.filter((step) => !step.done);
    if (steps.length === 0) return;
    const { deadline } = this.#call;
    const abandoned = abandonment(steps);
    this.#trying.deadline = abandoned === undefined ? deadline : deadline.or(abandoned);
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

  #end(state: Transaction["state"]): void {
    this.#state = state;
    this.#lifetime.end();
    if (this.#context.ends) this.#context.turn()?.leave();
  }

  /** Ended from outside; no other run follows, so that the lock is free even while the function still runs. */
  async #expire(): Promise<void> {
    if (!this.open) return;
    await this.rollback();
    await this.#context.hold?.release(this.#context.deadline);
  }

  async #letGo(): Promise<void> {
    const { hold, ends, deadline } = this.#context;
    if (ends && this.#state !== "active") await hold?.release(deadline);
  }
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
