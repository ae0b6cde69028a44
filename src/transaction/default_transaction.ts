import { InterfaceError, OutcomeUnknownError, TransactionConflictError } from "../errors.ts";
import { type CallContext, until } from "../calls/call_context.ts";
import type { LoggedCommit } from "../calls/logged_commits.ts";
import { confirm, noteCommit, noteUnlogged } from "../calls/session.ts";
import { type CommitId, mint } from "../commit/log_table.ts";
import type { Deadline } from "../time/deadline.ts";
import { together } from "../time/meter.ts";
import { commitReads, commitWrites, type Run, type RunEnding } from "./commit_run.ts";
import { readConflict } from "./conflicts.ts";
import type { TransactionContext } from "./context.ts";
import { type Core, TransactionHandle } from "./handle.ts";
import { Lifetime } from "./lifetime.ts";
import type { InterceptedCalls } from "./intercepted_calls.ts";
import { type Event, Status } from "./states.ts";
import { Statements } from "./statements.ts";
import type { Transaction } from "./transaction.ts";

/** One run of a transaction: its statements, and how it ends. Callers use it by its handles. */
export class DefaultTransaction implements Core {
  /** What the caller is given. */
  readonly handle: TransactionHandle;
  /** What is issued in it. */
  readonly statements: Statements;
  readonly #context: TransactionContext;
  readonly #call: CallContext;
  readonly #status = new Status();
  readonly #lifetime: Lifetime;
  #id: CommitId | undefined;
  /** That of its session when it began. */
  readonly #times: number;

  /** Sends nothing. */
  constructor(context: TransactionContext) {
    this.#context = context;
    const { options, deadline, hold } = context;
    this.#times = options.settings.session?.times ?? 0;
    this.#call = { settings: { ...options.settings, signal: deadline.signal }, deadline };
    const renewal = options.perStatement ? options.settings.timeout : undefined;
    this.#lifetime = new Lifetime(deadline, renewal, hold?.signal, () => void this.#expire());
    this.statements = new Statements(context, this.#status, this.#lifetime, this.#call);
    this.handle = new TransactionHandle(this);
  }

  /** The id of its commit, made when it is first asked for. @throws {InterfaceError} If no node has answered yet. */
  get id(): string {
    if (this.#id !== undefined) return this.#id.id;
    const base = this.#context.shared.commits.knowledge.knownBase;
    if (base === undefined) {
      throw new InterfaceError("Cannot make an id before the first request: run a statement first");
    }
    this.#id = mint(base);
    return this.#id.id;
  }

  /** Fires when it is ended from outside. */
  get signal(): AbortSignal {
    return this.#lifetime.signal;
  }

  /** Throws why the transaction was ended from outside, if it was. */
  throwIfAborted(): void {
    this.#lifetime.throwIfAborted();
  }

  /** How callers see its state. */
  get state(): Transaction["state"] {
    return this.#status.shown;
  }

  /** Whether it takes statements. */
  get open(): boolean {
    return this.#status.open;
  }

  /** The version that its commit will carry, once it is known. */
  get fencingToken(): bigint | undefined {
    const { version } = this.statements.speculation;
    return version === undefined ? undefined : BigInt(version) + 1n;
  }

  /** The conflict that a statement met, whether or not the caller saw it. */
  get conflict(): TransactionConflictError | undefined {
    return this.#status.conflict;
  }

  /** From now on it cannot be committed; the first reason stays. */
  doom(error: Error): void {
    this.#status.doom(error);
  }

  /**
   * Commits, and lets go of the lock.
   *
   * @throws {TransactionConflictError} If something does not hold any more, and no copy of the commit can pass either.
   * @throws {OutcomeUnknownError} If nobody can tell.
   */
  async commit(): Promise<void> {
    let error: unknown;
    try {
      const ending = await this.#commit();
      if (ending.is === "refused") await this.#report(ending.error, ending.unsettled);
    } catch (thrown) {
      throw error = thrown;
    } finally {
      if (this.#status.over) this.#context.over?.(error);
      await this.#letGo();
    }
  }

  /** A refusal is reported only when no other copy can pass any more; if one did, the transaction is committed. */
  async #report(error: Error, unsettled: readonly CommitId[]): Promise<void> {
    if (unsettled.length === 0) throw error;
    const { hold, shared: { commits } } = this.#context;
    try {
      const open = { ids: unsettled, because: error, along: hold };
      if (await commits.settle(open, this.#call) === undefined) throw error;
      this.#status.move("succeed");
    } catch (failure) {
      if (failure !== error) this.#status.move("lose");
      throw failure;
    }
  }

  /** Forgets everything, and lets go of the lock; does nothing where it is ending or over. */
  rollback(): Promise<void> {
    return this.#rollback(undefined);
  }

  async #rollback(error: unknown): Promise<void> {
    if (!this.#end("rollback")) return;
    this.#context.over?.(error);
    await this.#letGo();
  }

  /**
   * The conflict, where the function has thrown and what it was told does not hold in one state: it may have thrown by a
   * mixture that there never was. `undefined` also where nobody can tell.
   */
  async mixture(): Promise<TransactionConflictError | undefined> {
    const { isolation } = this.#context.options;
    const { speculation } = this.statements;
    // One answer is of one state.
    if (!this.open || isolation !== "serializable" || speculation.answers < 2) return undefined;
    this.handle.close();
    try {
      return await this.statements.after(async () => {
        this.statements.checkAlive();
        return await speculation.recheck.toldHolds() ? undefined : readConflict();
      });
    } catch {
      return undefined;
    }
  }

  /** Commits when the function has ended, but leaves it to the caller what to do about a refusal. */
  finish(): Promise<RunEnding> {
    this.handle.close();
    return this.#commit();
  }

  async #commit(): Promise<RunEnding> {
    this.statements.check("commit");
    this.#status.move("commit");
    const { intercepted } = this.#context;
    return await (intercepted === undefined
      ? this.#close(this.#call)
      : this.#closeThrough(intercepted));
  }

  /** Commits behind the interceptors, and behind all that they have not let through yet. */
  async #closeThrough(intercepted: InterceptedCalls): Promise<RunEnding> {
    const { deadline } = this.#call;
    let closing: Promise<RunEnding> | undefined;
    const close = ({ signal, meter }: Deadline): Promise<RunEnding> => {
      if (this.#status.over) this.statements.check("commit");
      const counted = deadline.by(signal, together([deadline.meter, meter]));
      return this.#close(until(counted, this.#call));
    };
    try {
      await intercepted.idle();
      const made = { operation: "commit", deadline, ends: true };
      return await intercepted.carry(made, async (_, counted) => {
        // It is done once: whoever calls for it again is told what became of it.
        const ending = await (closing ??= close(counted));
        if (ending.is === "refused") throw ending.error;
        return ending;
      });
    } catch (error) {
      // An interceptor may have given up what is under way.
      const ending = await closing?.catch(() => undefined);
      if (!this.#status.over) this.#end("refuse");
      if (ending?.is !== "refused") throw error;
      // Whoever throws something else than the conflict does not want it to be tried again.
      return { ...ending, error: error as Error };
    }
  }

  async #close(call: CallContext): Promise<RunEnding> {
    let ending: RunEnding;
    try {
      ending = await this.statements.complete(() => this.#send(call));
    } catch (error) {
      // The loss of the lock says nothing of a commit that was sent: its answer does.
      const lost = error instanceof OutcomeUnknownError ||
        this.#context.deadline.signal?.aborted;
      this.#end(lost ? "lose" : "refuse");
      if (!(error instanceof TransactionConflictError)) throw error;
      return { is: "refused", error, unsettled: [] };
    }
    if (ending.is === "refused") this.#end("refuse");
    else this.#end("succeed", "mark" in ending ? ending.mark : undefined);
    return ending;
  }

  async #send(call: CallContext): Promise<RunEnding> {
    this.statements.checkAlive();
    this.#status.move("done");
    const { options, shared: { commits, dispatcher }, hold, earlier } = this.#context;
    const { journal, speculation } = this.statements;
    const run: Run = {
      journal,
      speculation,
      earlier,
      scope: options.scope,
      hold,
      checked: options.isolation === "serializable",
      checkedAtOnce: options.readOnly || options.checkLevel === options.settings.level,
    };
    if (journal.writes.length === 0) return await commitReads(run, commits, call);
    await speculation.ensureVersion();
    this.#id ??= await commits.mint(call);
    hold?.check();
    if (options.settings.session?.given) await confirm(dispatcher, this.#call);
    this.#status.move("send");
    return await commitWrites(run, this.#id, commits, call);
  }

  /**
   * Takes the event that it ends by.
   *
   * @param mark Of the commit.
   * @returns Whether it ends by it.
   */
  #end(event: Event, mark?: LoggedCommit): boolean {
    const { sent } = this.#status;
    if (!this.#status.move(event)) return false;
    this.#lifetime.end();
    const { options: { settings: { session } }, earlier } = this.#context;
    if (session !== undefined) {
      if (mark !== undefined) noteCommit(session, mark, this.#times);
      // What was read in front of any write, the session knows already.
      else if (this.statements.speculation.tried || sent || earlier.length > 0) {
        noteUnlogged(session);
      }
    }
    if (this.#context.ends) this.#context.turn()?.leave();
    return true;
  }

  /** Ended from outside; no other run follows, so that the lock is free even while the function still runs. */
  async #expire(): Promise<void> {
    if (!this.open) return;
    await this.#rollback(this.#lifetime.reason);
    await this.#context.hold?.release(this.#context.deadline);
  }

  async #letGo(): Promise<void> {
    const { hold, ends, deadline } = this.#context;
    if (ends && this.#status.over) await hold?.release(deadline);
  }
}
