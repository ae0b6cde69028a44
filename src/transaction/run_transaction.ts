import { InterfaceError, InternalError, TransactionConflictError } from "../errors.ts";
import { Backend } from "../calls/backend.ts";
import type { Host } from "../calls/host.ts";
import { until } from "../calls/call_context.ts";
import { ofCaller } from "../calls/error_stacks.ts";
import type { Executor } from "../calls/executor.ts";
import type { Interceptors } from "../calls/interceptors.ts";
import { Deadline } from "../time/deadline.ts";
import { commitsOf } from "../commit/commits.ts";
import type { CommitId } from "../commit/log_table.ts";
import type { TransactionContext } from "./context.ts";
import { lastConflict } from "./conflicts.ts";
import { DefaultTransaction } from "./default_transaction.ts";
import { HeldLock } from "./held_lock.ts";
import type { ResolvedTransactionOptions } from "./options.ts";
import { InterceptedCalls } from "./intercepted_calls.ts";
import type { Transaction } from "./transaction.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Shared } from "./speculation.ts";
import type { Queue, Turn } from "../locks/queue.ts";
import { ReadShapes } from "./check.ts";
import { beginningOf, Collisions, makeTurns, takeTurn } from "./turns.ts";
import { pauseBeforeRetry } from "./with_retry.ts";

/** The longest waits before another run, by the number of runs so far, in milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 500;

/** What runs transactions; one for each client. */
export interface Runner {
  /** What the user calls. */
  readonly client: Executor;
  /** Of the client. */
  readonly backend: Backend;
  /** What its transactions share. */
  readonly shared: Shared;
  /** Of the transactions that take turns. */
  readonly turns: Queue;
  /** What transactions have collided by, and still may. */
  readonly collisions: Collisions;
}

/**
 * Makes the one of a client.
 *
 * @param client What the user calls.
 */
export function makeRunner(client: Executor, host: Host): Runner {
  const backend = host.backendBy(Backend);
  const { dispatcher } = backend;
  const shared = { dispatcher, commits: commitsOf(dispatcher), shapes: new ReadShapes() };
  return { client, backend, shared, turns: makeTurns(), collisions: new Collisions() };
}

/** Takes the lock, if there is one, then its turn, if it takes one, and begins. */
export async function beginTransaction(
  runner: Runner,
  options: ResolvedTransactionOptions,
  deadline: Deadline,
): Promise<Transaction> {
  const { backend } = runner;
  if (!backend.intercepted) return await begin(runner, options, deadline);
  return await backend.through(
    deadline,
    (layers) => beginThrough(layers, runner, options, deadline),
  );
}

/** The same within interceptors, which see it end. */
function beginThrough(
  layers: Interceptors,
  runner: Runner,
  options: ResolvedTransactionOptions,
  deadline: Deadline,
): Promise<Transaction> {
  const transaction = layers.nameTransaction();
  // It may be left open, and no timer may hold the program until then.
  const open = new Deadline(Infinity, deadline.signal, deadline.meter);
  const made = { operation: "transaction", transaction, deadline: open, ends: true };
  return new Promise((resolve, reject) => {
    let begun = false;
    let refused = false;
    layers.carry(made, async (_, { signal, meter }) => {
      if (begun) {
        throw new InterfaceError("Cannot begin a transaction twice: its caller is given one");
      }
      begun = true;
      await new Promise<void>((end, fail) => {
        const over = (error: unknown) => error === undefined ? end() : fail(error);
        const intercepted = new InterceptedCalls(layers, transaction);
        begin(runner, options, deadline.by(signal, meter), { intercepted, over }).then(
          // What an interceptor has given up meanwhile, nobody else would end.
          (tx) => refused ? tx.rollback() : resolve(tx),
          (error) => {
            begun = false;
            fail(error);
          },
        );
      });
      // Whoever has begun it is told of its end by what ends it.
    }).catch((error) => {
      refused = true;
      reject(error);
    });
  });
}

/** @param seen What interceptors see of it. */
async function begin(
  runner: Runner,
  options: ResolvedTransactionOptions,
  deadline: Deadline,
  seen?: Pick<TransactionContext, "intercepted" | "over">,
): Promise<Transaction> {
  const { backend, shared } = runner;
  const hold = await acquire(runner, options, deadline);
  try {
    const turn = options.turns ? await takeTurn(runner.turns, deadline, hold) : undefined;
    const own = { deadline, hold, turn: () => turn, earlier: [], ends: true, ...seen };
    return new DefaultTransaction({ backend, shared, options, ...own }).handle;
  } catch (error) {
    await hold?.release(deadline);
    throw error;
  }
}

/**
 * Runs a function as one transaction, again where it conflicts.
 *
 * The result of a run whose commit was refused is kept until its id is settled: a late copy may have taken effect.
 */
export async function runTransaction<T>(
  runner: Runner,
  options: ResolvedTransactionOptions,
  deadline: Deadline,
  fn: (tx: Transaction) => Promise<T>,
): Promise<T> {
  const { backend } = runner;
  if (!backend.intercepted) return await runAll(runner, options, deadline, fn);
  return await backend.through(deadline, (layers) => {
    const transaction = layers.nameTransaction();
    const made = { operation: "transaction", transaction, deadline, ends: true };
    const intercepted = () => new InterceptedCalls(layers, transaction);
    return layers.carry(made, (_, counted) => runAll(runner, options, counted, fn, intercepted));
  });
}

/** @param intercepted Makes the way of one run through the interceptors, if there are any. */
async function runAll<T>(
  runner: Runner,
  options: ResolvedTransactionOptions,
  deadline: Deadline,
  fn: (tx: Transaction) => Promise<T>,
  intercepted?: () => InterceptedCalls,
): Promise<T> {
  const hold = await acquire(runner, options, deadline);
  try {
    return await new Runs(runner, options, deadline, hold, fn, intercepted).all();
  } finally {
    await hold?.release(deadline);
  }
}

/** All runs of one function. */
class Runs<T> {
  readonly #runner: Runner;
  readonly #options: ResolvedTransactionOptions;
  readonly #deadline: Deadline;
  readonly #hold: HeldLock | undefined;
  readonly #fn: (tx: Transaction) => Promise<T>;
  readonly #intercepted: (() => InterceptedCalls) | undefined;
  /** Runs whose commit was refused, and what they would have answered: a late copy may have taken effect. */
  readonly #unsettled: { readonly id: CommitId; readonly result: T }[] = [];
  #count = 0;
  #turn: Turn | undefined;
  #beginning: string | undefined;
  /** What it has collided with others by, if it has. */
  #collided: string | undefined;

  constructor(
    runner: Runner,
    options: ResolvedTransactionOptions,
    deadline: Deadline,
    hold: HeldLock | undefined,
    fn: (tx: Transaction) => Promise<T>,
    intercepted: (() => InterceptedCalls) | undefined,
  ) {
    this.#runner = runner;
    this.#options = options;
    this.#deadline = deadline;
    this.#hold = hold;
    this.#fn = fn;
    this.#intercepted = intercepted;
  }

  async all(): Promise<T> {
    try {
      if (this.#options.turns) await this.#takeTurn();
      for (;;) {
        const run = await this.#once();
        if ("result" in run) return run.result;
        if (this.#count > this.#options.retries) {
          return await this.#giveUp(lastConflict(run.error, this.#count));
        }
        try {
          // Those that collided take turns, so that each gets through at last.
          await this.#queue();
          // Behind others of this client there is nobody left to collide with, unless in other processes.
          if (this.#count > 1) {
            const longest = Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** this.#count);
            await pauseBeforeRetry(Math.random() * longest, this.#deadline);
          }
          this.#hold?.check();
        } catch (error) {
          return await this.#giveUp(error);
        }
      }
    } finally {
      this.#turn?.leave();
      if (this.#collided !== undefined) this.#runner.collisions.leave(this.#collided);
    }
  }

  async #takeTurn(): Promise<void> {
    this.#turn ??= await takeTurn(this.#runner.turns, this.#deadline, this.#hold);
  }

  /** Takes its turn; from here on those that begin alike do, too, instead of colliding with it. */
  async #queue(): Promise<void> {
    // Without a statement it is the conflict of another transaction.
    if (this.#collided === undefined && this.#beginning !== undefined) {
      this.#collided = this.#beginning;
      this.#runner.collisions.enter(this.#collided);
    }
    await this.#takeTurn();
  }

  async #admit(first: Prepared): Promise<void> {
    this.#beginning ??= beginningOf(first);
    const late = this.#turn === undefined && this.#runner.collisions.has(this.#beginning);
    if (late) await this.#queue();
  }

  async #once(): Promise<{ readonly result: T } | { readonly error: unknown }> {
    const { backend, shared } = this.#runner;
    this.#count++;
    const tx = new DefaultTransaction({
      backend,
      shared,
      options: this.#options,
      deadline: this.#deadline,
      hold: this.#hold,
      turn: () => this.#turn,
      admit: (first) => this.#admit(first),
      earlier: this.#unsettled.map(({ id }) => id),
      ends: false,
      intercepted: this.#intercepted?.(),
    });
    let result: T;
    try {
      result = await ofCaller(() => this.#fn(tx.handle));
      if (tx.state === "rolledback") tx.throwIfAborted();
      // The function ended its transaction itself.
      if (tx.state !== "active") return await this.#settle() ?? { result };
    } catch (error) {
      const conflict = tx.conflict ?? (isConflict(error) ? error : await tx.mixture());
      await tx.rollback();
      if (tx.state === "unknown") throw error;
      if (conflict !== undefined) return { error: conflict };
      return { result: await this.#giveUp(error) };
    }
    return await this.#finish(tx, result);
  }

  async #finish(
    tx: DefaultTransaction,
    result: T,
  ): Promise<{ readonly result: T } | { readonly error: unknown }> {
    const ending = await tx.finish().catch((error: unknown) => ({ is: "failed" as const, error }));
    switch (ending.is) {
      case "committed":
        return { result };
      case "done earlier":
        return this.#earlier(ending.id);
      case "failed":
        if (tx.state === "unknown") throw ending.error;
        return { result: await this.#giveUp(ending.error) };
      case "refused":
        for (const id of ending.unsettled) this.#unsettled.push({ id, result });
        if (isConflict(ending.error)) return { error: ending.error };
        return { result: await this.#giveUp(ending.error) };
    }
  }

  /** Reports an error, once it is certain that no earlier run takes effect; if one did, that is the result. */
  async #giveUp(error: unknown): Promise<T> {
    const done = this.#deadline.signal?.aborted ? undefined : await this.#settle(error);
    if (done === undefined) throw error;
    return done.result;
  }

  /** The earlier run that took effect after all, if one did. @param because What led to it, if an error did. */
  async #settle(because?: unknown): Promise<{ readonly result: T } | undefined> {
    if (this.#unsettled.length === 0) return undefined;
    const ids = this.#unsettled.map(({ id }) => id);
    const call = until(this.#deadline, this.#options);
    const { commits } = this.#runner.shared;
    const done = await commits.settle({ ids, because, along: this.#hold }, call);
    return done && this.#earlier(done.id);
  }

  #earlier(id: string): { readonly result: T } {
    const run = this.#unsettled.find((run) => run.id.id === id);
    if (run === undefined) throw new InternalError(`No run has the id ${id}`);
    return run;
  }
}

function isConflict(error: unknown): boolean {
  return error instanceof TransactionConflictError;
}

async function acquire(
  { client }: Runner,
  { lock, lockTimeout }: ResolvedTransactionOptions,
  deadline: Deadline,
): Promise<HeldLock | undefined> {
  if (lock === undefined) return undefined;
  const { signal, remaining } = deadline;
  const timeout = Math.min(lockTimeout, remaining);
  const handle = await lock.acquire({ timeout, ...(signal !== undefined && { signal }) });
  return new HeldLock(handle, client);
}
