import {
  AuthenticationError,
  ConnectionError,
  InterfaceError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  RqliteError,
  TimeoutError,
} from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { Deadline } from "../transport/deadline.ts";
import type { Dispatcher, Reply } from "../client/dispatch.ts";
import {
  type CommitId,
  creation,
  creationScript,
  fence,
  head,
  mint,
  parseMinted,
  type Proof,
  proofOf,
  pruning,
  readBase,
  touchStart,
} from "./commit_log.ts";
import { type Call, own, ownSettings } from "./internal.ts";

/** How old a base may be when an id is made under it, in milliseconds: an old one only expires sooner. */
const FRESH = 10_000;

/** The part of the time that remains which a commit may use; the rest is for the fence. */
const COMMIT_SHARE = 0.75;

/** One commit in so many prunes, at random. */
const PRUNE_EVERY = 256;

/** What is to be committed. */
export interface Commit {
  readonly id: CommitId;
  /** Ids of earlier runs that were refused and not settled. */
  readonly earlier: readonly CommitId[];
  /** What follows the ids. */
  readonly statements: readonly Prepared[];
}

/** How a commit ended; anything worse is thrown. */
export type Ending =
  /** The results begin at `first` of the reply. */
  | { readonly is: "committed"; readonly reply: Reply }
  /** That id took effect by a copy whose results are lost. */
  | { readonly is: "done"; readonly id: string }
  /** Fenced off by somebody who asked for the outcome. */
  | { readonly is: "fenced" }
  /** A statement refused it; the id is *not settled*. `entry` counts from the first statement behind the ids. */
  | { readonly is: "refused"; readonly entry: number; readonly text: string };

/** What became of ids that were fenced. */
export type Settled =
  | { readonly is: "fenced" }
  | { readonly is: "done"; readonly id: string }
  | { readonly is: "expired"; readonly id: string };

/** Sends commits and settles their ids; one for each client. */
export class Commits {
  readonly #dispatcher: Dispatcher;
  #base: { readonly value: number; readonly at: number } | undefined;

  /** Sends nothing. */
  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** The base that is known, however old; a stale one is safe. */
  get knownBase(): number | undefined {
    return this.#base?.value;
  }

  /** Whether a base is known and fresh. */
  get fresh(): boolean {
    return this.#base !== undefined && performance.now() - this.#base.at < FRESH;
  }

  /** Takes a value that the sequence had. */
  learn(base: number): void {
    this.#base = { value: base, at: performance.now() };
  }

  /** Makes an id; a client that knows no fresh base asks for one. */
  async mint(call: Call): Promise<CommitId> {
    return mint(await this.#freshBase(call));
  }

  /** The id in a text: under its own base if a client made it, else under a fresh one. */
  async identify(id: string, call: Call): Promise<CommitId> {
    return parseMinted(id) ?? { id, base: await this.#freshBase(call), minted: false };
  }

  /**
   * Commits, and sends the identical batch again where its answer was lost; at last fences it off.
   *
   * @throws {OutcomeUnknownError} If not even the fence was answered, or the id is too old.
   * @throws {RqliteError} Whose `applied` is certain: nothing was, nor will be.
   */
  async commit(commit: Commit, call: Call): Promise<Ending> {
    const ids = [commit.id, ...commit.earlier];
    const statements = [...head(commit.id, commit.earlier), ...commit.statements];
    if (Math.random() < 1 / PRUNE_EVERY) statements.push(pruning(commit.id.base));
    const { deadline } = call;
    if (deadline.remaining === 0) throw new TimeoutError("Out of time before the commit was sent");
    const limited = new Deadline(deadline.remaining * COMMIT_SHARE, deadline.signal);
    let answered: { proof: Proof; reply: Reply };
    try {
      answered = await this.#send(statements, ids, { ...call, deadline: limited });
    } catch (error) {
      return await this.#giveUp(error, ids, call);
    }
    const { proof, reply } = answered;
    switch (proof.is) {
      case "committed":
        this.#learnFrom(reply);
        return { is: "committed", reply: { ...reply, first: reply.first + ids.length } };
      case "refused":
        return { ...proof, entry: proof.entry - ids.length };
      case "expired":
        throw expired(proof.id);
      case "missing":
        throw missing();
      case "done":
        return proof;
      case "fenced":
        return { is: "fenced" };
    }
  }

  /**
   * Makes sure that none of the ids takes effect from now on.
   *
   * @param others Applied along with the fence.
   * @returns The one that did already, or that nobody can tell about any more, if there is one.
   */
  async fence(
    ids: readonly CommitId[],
    call: Call,
    others: readonly Prepared[] = [],
  ): Promise<Settled> {
    const { proof } = await this.#send([...ids.map(fence), ...others], ids, call);
    return settledBy(proof);
  }

  /** See `Client.outcome`. */
  async outcome(id: string, call: Call): Promise<"committed" | "not committed" | "unknown"> {
    const known = await this.identify(id, call);
    const { proof, reply } = await this.#send([fence(known), touchStart()], [known], call);
    const settled = settledBy(proof);
    if (settled.is === "done") return "committed";
    if (settled.is === "expired") return "unknown";
    // The row of an id without its own base may have been pruned before it was fenced.
    const nothingPruned = rowsAffected(reply, 1) === 1;
    return known.minted || nothingPruned ? "not committed" : "unknown";
  }

  async #freshBase(call: Call): Promise<number> {
    if (!this.fresh) {
      let base = await this.#readBase(call);
      if (base === undefined) {
        await this.#create(call);
        base = await this.#readBase(call, "strong");
      }
      if (base === undefined) throw missing();
      this.learn(base);
    }
    return this.#base!.value;
  }

  async #readBase(call: Call, level: "weak" | "strong" = "weak"): Promise<number | undefined> {
    const reply = await this.#dispatcher.read({
      statements: [readBase()],
      transaction: false,
      settings: { ...ownSettings(call.settings), level },
      deadline: call.deadline,
    });
    return baseIn(reply, 0);
  }

  async #create({ settings, deadline }: Call): Promise<void> {
    const statements = creation(Date.now());
    let text: string | undefined;
    try {
      const reply = await this.#dispatcher.commit({
        statements,
        transaction: true,
        settings: ownSettings(settings),
        deadline,
      });
      text = reply.answer.errorAt(reply.answer.length - 1);
    } catch (error) {
      if (error instanceof AuthenticationError || error instanceof NotSupportedError) {
        throw new AuthenticationError(advice(error.message), { cause: error });
      }
      if (!(error instanceof OutcomeUnknownError)) throw error;
      throw new OperationalError(
        "The write was not applied, as the table that commits need could not be made in time",
        { retryable: true, cause: error },
      );
    }
    if (text !== undefined) throw new NotSupportedError(advice(text));
  }

  /** Sends a batch that begins with ids; makes the table where it is missing, then sends the identical batch. */
  async #send(
    statements: readonly Prepared[],
    ids: readonly CommitId[],
    call: Call,
  ): Promise<{ proof: Proof; reply: Reply }> {
    const batch = {
      statements,
      transaction: true,
      settings: ownSettings(call.settings),
      deadline: call.deadline,
    };
    for (let created = false;; created = true) {
      const reply = await this.#dispatcher.commit(batch);
      const proof = proofOf(reply.answer, ids);
      if (proof.is !== "missing" || created) return { proof, reply };
      this.#base = undefined;
      await this.#create(call);
    }
  }

  /** There was no answer to use: fences the ids, so that what is reported stays true. */
  async #giveUp(error: unknown, ids: readonly CommitId[], call: Call): Promise<Ending> {
    if (call.settings.signal?.aborted || neverSent(error)) throw error;
    const { id } = ids[0]!;
    let settled: Settled;
    try {
      settled = await this.fence(ids, call);
    } catch {
      throw unknown(id, error);
    }
    if (settled.is === "done") return settled;
    if (settled.is === "expired") throw expired(settled.id);
    if (!(error instanceof OutcomeUnknownError || error instanceof TimeoutError)) throw error;
    throw new OperationalError(
      "The write was not applied: its answer was lost, and no copy of it can take effect any more",
      { retryable: true, cause: error },
    );
  }

  #learnFrom({ answer, first }: Reply): void {
    const { lastInsertId } = answer.result(first, {
      analysis: ENTRY,
      rows: "array",
      integers: "number",
    });
    if (lastInsertId !== undefined) this.learn(Number(lastInsertId));
  }
}

const ENTRY = own("INSERT INTO _rqlite_commit DEFAULT VALUES").analysis;
const TOUCH = touchStart().analysis;
const BASE = readBase().analysis;

/** The value of the sequence in a result; `undefined` if there is no table yet. */
export function baseIn({ answer, first }: Reply, i: number): number | undefined {
  if (answer.errorAt(first + i) !== undefined) return undefined;
  const { rows } = answer.result(first + i, { analysis: BASE, rows: "array", integers: "number" });
  const row = rows[0] as unknown as readonly unknown[] | undefined;
  return row === undefined ? undefined : Number(row[0]);
}

function rowsAffected({ answer, first }: Reply, i: number): number {
  return answer.result(first + i, { analysis: TOUCH, rows: "array", integers: "number" })
    .rowsAffected;
}

function settledBy(proof: Proof): Settled {
  switch (proof.is) {
    case "committed":
    case "fenced":
      return { is: "fenced" };
    case "done":
    case "expired":
      return proof;
    case "missing":
      throw missing();
    case "refused":
      throw new OperationalError(`Cannot fence the commit: ${proof.text}`);
  }
}

/** Errors that say for certain that no copy was made. */
function neverSent(error: unknown): boolean {
  return !(error instanceof RqliteError) || error instanceof ConnectionError ||
    error instanceof AuthenticationError || error instanceof InterfaceError ||
    error instanceof ProgrammingError;
}

/** The error of a commit about which nothing is known. */
export function unknown(id: string, cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Cannot tell whether the write was applied: ask outcome(${JSON.stringify(id)}) later`,
    { id, cause },
  );
}

/** The error of a commit about which nothing will ever be known. */
export function expired(id: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    "Cannot tell whether the write was applied, and never will, as the row of its id may have been pruned: " +
      "look at the data before repeating it",
    { id },
  );
}

function missing(): OperationalError {
  return new OperationalError(
    "The table _rqlite_commit is missing although it was just made: did somebody drop it?",
  );
}

function advice(reason: string): string {
  return `Cannot create the table that commits need (${reason}). ` +
    `Let an account that may do so run:\n${creationScript(Date.now())}`;
}
