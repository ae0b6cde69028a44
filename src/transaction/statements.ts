import { InternalError } from "../errors.ts";
import { keep } from "../calls/error_stacks.ts";
import type { BatchOptions, CallOptions } from "../calls/executor.ts";
import type { CallContext } from "../calls/call_context.ts";
import { resolveSettings, type Settings } from "../calls/settings.ts";
import { emptyResult } from "../calls/read_results.ts";
import { checkQuery } from "../calls/read_only.ts";
import type { Facts } from "../schema/facts.ts";
import { copyStatement, type Statement } from "../sql/statement.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { alsoEndedBy } from "../time/also_ended_by.ts";
import { Deadline } from "../time/deadline.ts";
import { together } from "../time/meter.ts";
import type { TransactionContext } from "./context.ts";
import { TrackedPromise } from "./tracked_promise.ts";
import { Journal } from "./journal.ts";
import type { Lifetime } from "./lifetime.ts";
import { abandonment, isFinal, limit, Step } from "./step.ts";
import type { InterceptedCalls } from "./intercepted_calls.ts";
import { isGuarded, prepareStep } from "./prepare_step.ts";
import { Queue } from "./statement_queue.ts";
import type { Event, Status } from "./states.ts";
import type { Savepoint } from "./transaction.ts";
import { Speculation } from "./speculation.ts";

/** How statements are issued: by the method that was called, with its options. */
export interface Issue {
  /** The name of the method. */
  readonly operation: "query" | "first" | "value" | "execute" | "batch";
  /** Checked already. */
  readonly options: BatchOptions & { readonly guard?: boolean | undefined };
}

/** The statements of a transaction, whoever issued them: they run in order of issue, in as few requests as possible. */
export class Statements {
  /** What succeeded so far, and is part of the commit. */
  readonly journal: Journal = new Journal();
  /** What runs them. */
  readonly speculation: Speculation;
  readonly #context: TransactionContext;
  readonly #status: Status;
  readonly #lifetime: Lifetime;
  readonly #call: CallContext;
  /** The same for the statements that run, which may be given up before the transaction is. */
  readonly #trying: { readonly settings: Settings; deadline: Deadline };
  readonly #queue = new Queue((steps, whole) => this.#run(steps, whole));
  readonly #open = new Set<Step>();
  /** Statements that failed, and what told their caller. */
  readonly #failed: { readonly error: unknown; readonly told: TrackedPromise<unknown> }[] = [];
  #issued = 0;
  /** Whether statements are made now that were called for before the transaction began to end. */
  #event: Event = "statement";
  #admitted = false;

  /** Sends nothing. @param call Of the transaction. */
  constructor(context: TransactionContext, status: Status, lifetime: Lifetime, call: CallContext) {
    this.#context = context;
    this.#status = status;
    this.#lifetime = lifetime;
    this.#call = call;
    this.#trying = { ...call };
    const { options, shared } = context;
    this.speculation = new Speculation(shared, this.journal, this.#trying, {
      scope: options.scope,
      checked: options.isolation === "serializable",
      lazy: options.mode === "lazy",
      readOnly: options.readOnly,
      checkLevel: options.checkLevel,
    });
  }

  /** How many failed so far. */
  get failures(): number {
    return this.#failed.length;
  }

  /**
   * Issues one statement, behind the interceptors if there are any; its caller is told its result.
   *
   * @throws {InterfaceError} If the transaction takes no more.
   */
  issue(issue: Issue, form: Statement): Promise<Result> {
    const { intercepted } = this.#context;
    if (intercepted !== undefined) return this.#pass(intercepted, issue, [form], only);
    const step = this.#step(issue, form);
    this.#enqueue([step], false, step.result, issue.options);
    return step.result;
  }

  /**
   * Issues statements whose caller is told something else than the result of one.
   *
   * @throws {InterfaceError} If the transaction takes no more.
   */
  issueAll<T>(
    issue: Issue,
    forms: readonly Statement[],
    make: (results: Result[]) => T,
  ): Promise<T> {
    const { intercepted } = this.#context;
    if (intercepted !== undefined) return this.#pass(intercepted, issue, forms, make);
    const steps = this.#prepare(issue, forms);
    const told = new TrackedPromise<T>((resolve, reject) =>
      Promise.all(steps.map((step) => step.result)).then(make).then(resolve, reject)
    );
    told.whenSettled(() => {});
    this.#enqueue(steps, isUnit(issue), told, issue.options);
    return told;
  }

  /** Sets a savepoint. @param name Made if it is left out. */
  async savepoint(name?: string): Promise<Savepoint> {
    let made = "";
    await this.#act(() => {
      made = this.journal.save(name);
    });
    return { name: made };
  }

  /** Forgets what was done since a savepoint, which stays. @throws {ProgrammingError} If there is none of that name. */
  async rollbackTo(savepoint: Savepoint | string): Promise<void> {
    await this.#act(() => this.journal.rollbackTo(nameOf(savepoint)));
  }

  /**
   * Forgets a savepoint, when it is known that what was kept back succeeds.
   *
   * @throws {ProgrammingError} If there is none of that name.
   * @throws {DatabaseError} If something that was kept back fails.
   */
  async release(savepoint: Savepoint | string): Promise<void> {
    await this.#act(async () => {
      this.journal.need(nameOf(savepoint));
      await this.speculation.check();
      this.journal.release(nameOf(savepoint));
    });
  }

  /**
   * Forgets what a nested transaction did.
   *
   * @param savepoint The one that it began with, which goes, too.
   * @param failures How many {@linkcode failures} there were then.
   */
  async undo(savepoint: string, failures: number): Promise<void> {
    await this.#act(() => {
      this.journal.rollbackTo(savepoint);
      this.journal.release(savepoint);
      this.#failed.length = failures;
    });
  }

  /**
   * Does something when everything issued so far is done.
   *
   * @throws What a statement failed by, if nobody looked at that or it had not been told yet when this was called.
   */
  async complete<T>(action: () => Promise<T>): Promise<T> {
    const pending = [...this.#open];
    return await this.#queue.act(async () => {
      const failed = pending.find(({ error }) => error !== undefined) ??
        this.#failed.find(({ told }) => !told.handled);
      if (failed !== undefined) throw keep(failed.error);
      return await action();
    });
  }

  /** Does something behind what was issued so far, whatever became of that. */
  after<T>(action: () => Promise<T>): Promise<T> {
    return this.#queue.act(action);
  }

  /**
   * Throws why an event cannot happen, if so; a statement begins the time anew where each has its own.
   *
   * @param timeout Of the statement, in milliseconds.
   */
  check(event: Event, timeout = 0): void {
    this.#lifetime.renew(timeout, this.#open.size === 0);
    this.#context.turn()?.trust();
    this.#status.check(event);
  }

  /** Throws why the transaction cannot go on, if so: it was ended from outside, its lock is lost, or it is doomed. */
  checkAlive(): void {
    this.#lifetime.throwIfAborted();
    this.#context.hold?.check();
    this.#status.throwIfDoomed();
  }

  #prepare(issue: Issue, forms: readonly Statement[]): Step[] {
    return forms.map((form, i) => this.#step(issue, form, i));
  }

  /** @param place Of the statement in a batch. */
  #step({ operation, options }: Issue, form: Statement, place = 0): Step {
    this.check(this.#event, options.timeout);
    const settings = resolveSettings(this.#call.settings, options);
    settings.signal?.throwIfAborted();
    const { guard = true } = options;
    const index = operation === "batch" ? place : undefined;
    const now = new Date();
    // It may be made again for an answer that tells more, and callers may use an array again at once.
    const copy = copyStatement(form);
    const prepare = (facts: Facts | undefined): Prepared =>
      prepareStep(copy, this.#context, { guard, index, now, facts });
    const guarded = isGuarded(this.#context, guard);
    const step = new Step(copy, prepare, settings, index ?? this.#issued++, guarded);
    if (operation !== "batch" && operation !== "execute") checkQuery(step.prepared.analysis);
    return step;
  }

  /**
   * Issues statements behind the interceptors; their caller is told what comes back from those. They are made at once, and
   * issued where they are passed on as they were; what else is passed on, and what is once more, is made then.
   */
  #pass<T>(
    intercepted: InterceptedCalls,
    issue: Issue,
    forms: readonly Statement[],
    make: (results: Result[]) => T,
  ): TrackedPromise<T> {
    const { operation, options: { timeout, signal } } = issue;
    let unused: Step[] | undefined = this.#prepare(issue, forms);
    const own = unused.map(({ form }) => form);
    const single = operation !== "batch";
    const deadline = this.#limited(issue.options);
    const made = { operation, forms: own, single, settings: unused[0]?.settings, deadline };
    const send = (given: readonly Statement[], end: Deadline): Promise<Result[]> => {
      if (this.#status.over) this.check("pass on");
      const steps = given === own && unused !== undefined ? unused : this.#passOn(issue, given);
      unused = undefined;
      for (const step of steps) step.meter = end.meter;
      const limits: CallOptions = {
        ...(timeout !== undefined && { timeout: end.remaining }),
        signal: end.signal === deadline.signal ? signal : end.signal,
      };
      this.#enqueue(steps, isUnit(issue), told, limits);
      return Promise.all(steps.map((step) => step.result));
    };
    let begin!: () => void;
    const told = new TrackedPromise<T>((resolve, reject) => {
      begin = () => {
        intercepted.answer(made, send).then(make).then(resolve, (error: unknown) => {
          this.#failed.push({ error, told });
          reject(error);
        });
      };
    });
    told.whenSettled(() => {});
    // An interceptor may pass it on at once, so not before there is a promise.
    begin();
    return told;
  }

  /** The deadline of the transaction, or an earlier one of a statement's own. */
  #limited({ timeout, signal }: CallOptions): Deadline {
    const { deadline: whole } = this.#context;
    const own = timeout === undefined
      ? whole
      : new Deadline(Math.min(timeout, whole.remaining), whole.signal, whole.meter);
    return alsoEndedBy(own, signal);
  }

  /** Makes what was called for before the transaction began to end. */
  #passOn(issue: Issue, forms: readonly Statement[]): Step[] {
    const event = this.#event;
    this.#event = "pass on";
    try {
      return this.#prepare(issue, forms);
    } finally {
      this.#event = event;
    }
  }

  /** Puts statements into the queue; the commit waits for them. @param whole They are one unit. */
  #enqueue(
    steps: readonly Step[],
    whole: boolean,
    told: TrackedPromise<unknown>,
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
    this.check("statement");
    const act = () => this.#queue.act(action);
    const { intercepted } = this.#context;
    await (intercepted === undefined ? act() : intercepted.act(act));
  }

  async #run(issued: readonly Step[], whole: boolean): Promise<void> {
    const steps = issued.filter((step) => !step.done);
    const [first] = steps;
    if (first === undefined) return;
    const { deadline } = this.#call;
    const abandoned = abandonment(steps);
    const meter = this.#context.intercepted &&
      together([deadline.meter, ...steps.map(({ meter }) => meter)]);
    this.#trying.deadline = abandoned ?? meter ? alsoEndedBy(deadline, abandoned, meter) : deadline;
    try {
      this.checkAlive();
      if (!this.#admitted) await this.#context.admit?.(first.prepared);
      this.#admitted = true;
      await (whole ? this.speculation.runAll(steps) : this.speculation.run(steps));
    } catch (cause) {
      const error = this.speculation.resent.explained(cause);
      if (isFinal(error)) this.#status.doom(error);
      for (const step of steps) step.fail(error);
    } finally {
      this.#trying.deadline = deadline;
    }
  }
}

/** Whether its statements succeed or fail together, apart from what is issued at the same time. */
function isUnit({ operation, options: { atomic = true } }: Issue): boolean {
  return operation === "batch" && atomic;
}

function only([result]: readonly Result[]): Result {
  if (result === undefined) throw new InternalError("The statement was answered without a result");
  return result;
}

function nameOf(savepoint: Savepoint | string): string {
  return typeof savepoint === "string" ? savepoint : savepoint.name;
}
