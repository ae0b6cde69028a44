import {
  DatabaseError,
  InterfaceError,
  NotSupportedError,
  OutcomeUnknownError,
  TransactionConflictError,
} from "../errors.ts";
import type { Backend } from "../client/backend.ts";
import type { BatchOptions, ExecuteOptions } from "../client/executor.ts";
import { resolveSettings } from "../client/options.ts";
import { emptyResult } from "../client/results.ts";
import { changes, notAQuery } from "../client/route.ts";
import type { LockHandle } from "../locks/lock.ts";
import { statementOf } from "../sql/form.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row } from "../sql/value.ts";
import type { Deadline } from "../transport/deadline.ts";
import { admit, admitGuarded } from "./admit.ts";
import { Journal } from "./journal.ts";
import { type CommitId, mint } from "./commit_log.ts";
import { commitReads, commitWrites, type Run, type RunEnding, settle } from "./commit_run.ts";
import type { Call } from "./internal.ts";
import { Lifetime } from "./lifetime.ts";
import type { ResolvedTransactionOptions } from "./options.ts";
import { Queue } from "./queue.ts";
import { Step } from "./step.ts";
import type { Savepoint, Transaction, TransactionQueryOptions } from "./transaction.ts";
import { type Shared, Trial } from "./trial.ts";

/** What a transaction is made of. */
export interface TransactionContext {
  readonly backend: Backend;
  readonly shared: Shared;
  readonly options: ResolvedTransactionOptions;
  /** The end of everything, reruns included. */
  readonly deadline: Deadline;
  readonly handle: LockHandle | undefined;
  /** Ids of earlier runs that are not settled. */
  readonly earlier: readonly CommitId[];
  /** Called once when the transaction has ended. */
  readonly onEnd?: (() => Promise<unknown>) | undefined;
}

/** The {@linkcode Transaction}: takes statements in order of issue, in as few requests as possible. */
export class DefaultTransaction implements Transaction {
  readonly #context: TransactionContext;
  readonly #call: Call;
  readonly #journal = new Journal();
  readonly #trial: Trial;
  readonly #lifetime: Lifetime;
  readonly #queue = new Queue((steps, whole) => this.#run(steps, whole));
  readonly #open = new Set<Step>();
  #issued = 0;
  #id: CommitId | undefined;
  #state: Transaction["state"] = "active";
  #ending = false;
  #sent = false;
  /** Why this transaction cannot be committed any more. */
  #failure: { readonly error: unknown } | undefined;

  /** Sends nothing. */
  constructor(context: TransactionContext) {
    this.#context = context;
    const { options, shared, deadline, handle } = context;
    this.#call = { settings: { ...options.settings, signal: deadline.signal }, deadline };
    this.#trial = new Trial(shared, this.#journal, this.#call, {
      scope: options.scope,
      checked: options.isolation === "serializable",
      lazy: options.mode === "lazy",
      checkLevel: options.checkLevel,
    });
    this.#lifetime = new Lifetime(deadline, handle?.signal, () => void this.rollback());
  }

  /** See {@linkcode Transaction.id}. */
  get id(): string {
    if (this.#id !== undefined) return this.#id.id;
    const base = this.#context.shared.commits.knownBase;
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
    return this.#issueOne(() => {
      const step = this.#step(statementOf(sql, params), options, options?.guard ?? true);
      const { analysis } = step.prepared;
      if (changes(analysis) && analysis.kind !== "unknown") throw notAQuery(analysis);
      return step;
    });
  }

  /** See {@linkcode Transaction.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    return this.#issueOne(() => {
      if (options?.id !== undefined) {
        throw new TypeError("Cannot use `id` inside a transaction: its commit has one, see tx.id");
      }
      return this.#step(statementOf(sql, params), options);
    });
  }

  /** See {@linkcode Transaction.batch}. */
  batch(statements: readonly Statement[], options?: BatchOptions): Promise<Result[]> {
    try {
      const steps = statements.map((statement, i) => this.#step(statement, options, true, i));
      this.#issue(steps, options?.atomic ?? true);
      const results = Promise.all(steps.map((step) => step.result));
      results.catch(() => {});
      return results;
    } catch (error) {
      return Promise.reject(error);
    }
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
      this.#journal.release(nameOf(savepoint));
      await this.#trial.check();
    });
  }

  /** See {@linkcode Transaction.transaction}. */
  async transaction<T>(fn: (tx: Transaction) => Promise<T>): Promise<T> {
    const mark = await this.savepoint();
    let result: T;
    try {
      result = await fn(this);
    } catch (error) {
      if (this.#state === "active") await this.#undo(mark.name);
      throw error;
    }
    if (this.#state === "active") await this.release(mark);
    return result;
  }

  /** See {@linkcode Transaction.commit}. */
  async commit(): Promise<void> {
    const ending = await this.finish();
    if (ending.is !== "refused") return;
    const { error, unsettled } = ending;
    if (unsettled === undefined) throw error;
    const { commits } = this.#context.shared;
    try {
      if (await settle([unsettled], error, commits, this.#call) === undefined) throw error;
      this.#state = "committed";
    } catch (failure) {
      if (failure !== error) this.#state = "unknown";
      throw failure;
    }
  }

  /** See {@linkcode Transaction.rollback}. */
  async rollback(): Promise<void> {
    if (this.#state !== "active" || this.#ending) return;
    this.#ending = true;
    await this.#end("rolledback");
  }

  /** Rolls back what was not committed. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.rollback();
  }

  /** Commits, but leaves it to the caller what to do about a refusal. */
  async finish(): Promise<RunEnding> {
    this.#checkActive();
    const pending = [...this.#open];
    this.#ending = true;
    let ending: RunEnding | undefined;
    try {
      await this.#queue.act(async () => {
        const failed = pending.find(({ error }) => error !== undefined);
        if (failed !== undefined) throw failed.error;
        ending = await this.#commit();
      });
    } catch (error) {
      const doubtful = this.#sent &&
        (error instanceof OutcomeUnknownError || this.#lifetime.aborted);
      await this.#end(doubtful ? "unknown" : "rolledback");
      if (!(error instanceof TransactionConflictError)) throw error;
      return { is: "refused", error, unsettled: undefined };
    }
    await this.#end(ending!.is === "refused" ? "rolledback" : "committed");
    return ending!;
  }

  async #commit(): Promise<RunEnding> {
    this.#checkAlive();
    const { options, shared: { commits }, handle, earlier } = this.#context;
    const run: Run = {
      journal: this.#journal,
      trial: this.#trial,
      earlier,
      scope: options.scope,
      checked: options.isolation === "serializable",
      readOnly: options.readOnly,
    };
    if (this.#journal.writes.length === 0) return await commitReads(run, commits, this.#call);
    await this.#trial.ensureVersion();
    this.#id ??= await commits.mint(this.#call);
    handle?.throwIfLost();
    this.#sent = true;
    return await commitWrites(run, this.#id, commits, this.#call);
  }

  /** Forgets what was done since a savepoint, and the savepoint. */
  async #undo(name: string): Promise<void> {
    await this.#act(() => {
      this.#journal.rollbackTo(name);
      this.#journal.release(name);
    });
  }

  #step(
    statement: Statement,
    options: BatchOptions | undefined,
    guard = true,
    index?: number,
  ): Step {
    this.#checkActive();
    const { backend, options: { isolation, readOnly } } = this.#context;
    const settings = resolveSettings(this.#call.settings, options);
    settings.signal?.throwIfAborted();
    const guarded = guard && isolation === "serializable";
    const prepared = backend.prepare(statement, {
      freezeReads: guarded,
      ...(index !== undefined && { statementIndex: index }),
    });
    admit(prepared);
    if (readOnly && changes(prepared.analysis)) throw notReadOnly(prepared);
    const checked = guarded && prepared.analysis.kind === "read";
    if (checked) admitGuarded(prepared);
    return new Step(prepared, settings, index ?? this.#issued++, checked);
  }

  #issueOne<R>(prepare: () => Step): Promise<Result<R>> {
    try {
      const step = prepare();
      this.#issue([step], false);
      // Rows have the type that the caller named with R.
      return step.result as Promise<Result<R>>;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** Puts statements into the queue; the commit waits for them. */
  #issue(steps: readonly Step[], whole: boolean): void {
    for (const step of steps) {
      if (step.prepared.analysis.kind === "empty") step.succeed(emptyResult());
      this.#open.add(step);
      const close = (): void => void this.#open.delete(step);
      step.result.then(close, close);
    }
    const sent = steps.filter((step) => !step.done);
    if (sent.length > 0) this.#queue.issue(sent, whole);
  }

  async #act(action: () => void | Promise<void>): Promise<void> {
    this.#checkActive();
    await this.#queue.act(action);
  }

  async #run(steps: readonly Step[], whole: boolean): Promise<void> {
    try {
      this.#checkAlive();
      await (whole ? this.#trial.runAll(steps) : this.#trial.run(steps));
    } catch (error) {
      if (isFinal(error)) this.#failure ??= { error };
      for (const step of steps) step.fail(error);
    }
  }

  #checkActive(): void {
    this.#lifetime.throwIfAborted();
    if (this.#state === "active" && !this.#ending) return;
    const state = this.#state === "active" ? "being committed" : STATES[this.#state];
    throw new InterfaceError(`The transaction is ${state}: begin() makes another one`);
  }

  #checkAlive(): void {
    this.#lifetime.throwIfAborted();
    this.#context.handle?.throwIfLost();
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  async #end(state: Transaction["state"]): Promise<void> {
    this.#state = state;
    this.#lifetime.end();
    await this.#context.onEnd?.();
  }
}

const STATES = {
  active: "active",
  committed: "committed",
  rolledback: "rolled back",
  unknown: "over, and its outcome unknown",
};

/** A conflict, or a write that was kept back and failed: what the transaction holds cannot be committed any more. */
function isFinal(error: unknown): boolean {
  return error instanceof TransactionConflictError ||
    (error instanceof DatabaseError && error.statementIndex !== undefined);
}

function notReadOnly({ analysis }: Prepared): NotSupportedError {
  return new NotSupportedError(
    `Cannot run ${analysis.verb} as the transaction is \`readOnly\``,
    { sql: analysis.source },
  );
}

function nameOf(savepoint: Savepoint | string): string {
  return typeof savepoint === "string" ? savepoint : savepoint.name;
}
