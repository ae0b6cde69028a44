import {
  DataError,
  IntegrityError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../errors.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import { infinityIn } from "../calls/refusals.ts";
import type { Mark } from "../calls/logged_commits.ts";
import type { Prepared } from "../sql/prepare.ts";
import { Deadline } from "../time/deadline.ts";
import { Knowledge, missing, unusable } from "./knowledge.ts";
import {
  type CommitId,
  enter,
  type Entry,
  EVERYTHING,
  fence,
  hashOf,
  mint,
  parseMinted,
  type Proof,
  proofOf,
  pruning,
  readiness,
  touchStart,
} from "./log_table.ts";
import type { Call } from "../calls/call.ts";
import { ownSettings } from "./own_statements.ts";

/** The part of the time that remains which a commit may use; the rest is for the fence. */
const COMMIT_SHARE = 0.75;

/** One commit in so many prunes, at random. */
const PRUNE_EVERY = 256;

/** What is to be committed. */
export interface Commit {
  /** Its id and what it was judged by. */
  readonly entry: Entry;
  /** The id that the caller chose for it. */
  readonly chosen: ChosenId | undefined;
  /** Ids of earlier runs that are not settled. */
  readonly earlier: readonly CommitId[];
  /** What follows the ids. */
  readonly statements: readonly Prepared[];
  /** Its results hold rows of reads, or of RETURNING on a server that sends them elsewhere only. */
  readonly mixed: boolean;
}

/** An id that the caller chose, and what for. */
export interface ChosenId {
  readonly id: CommitId;
  /** Of the call as it was given. */
  readonly hash: string;
}

/** How a commit ended; anything worse is thrown. */
export type Ending =
  /** The results begin at `first` of the reply. The mark is missing where the node does not tell the place of the id. */
  | { readonly is: "committed"; readonly reply: Reply; readonly mark: Mark | undefined }
  /** That id took effect by a copy whose results are lost, be it as they hold Infinity. */
  | { readonly is: "done"; readonly id: string; readonly infinity?: DataError }
  /** Fenced off by somebody who asked for the outcome. */
  | { readonly is: "fenced" }
  /** Somebody wrote what it was judged by; no copy took effect, nor will one. */
  | { readonly is: "interfered" }
  /** The chosen id took effect in another call, the same one or, with "reused", one of something else. *Not settled*. */
  | { readonly is: "repeated" | "reused" | "spent" }
  /**
   * A statement refused it; the id is *not settled*. `entry` counts from the first statement behind the ids, and is
   * negative where not even they could be written.
   */
  | {
    readonly is: "refused";
    readonly entry: number;
    readonly text: string;
    readonly reply: Reply;
  };

/** What became of ids that were fenced. */
type Settled =
  | { readonly is: "fenced" }
  | { readonly is: "done"; readonly id: string }
  | { readonly is: "expired"; readonly id: string };

const known = new WeakMap<Dispatcher, Commits>();

/** Those of a client: transactions and single writes share them, whichever comes first. */
export function commitsOf(dispatcher: Dispatcher): Commits {
  let commits = known.get(dispatcher);
  if (commits === undefined) known.set(dispatcher, commits = new Commits(dispatcher));
  return commits;
}

/** Sends commits and settles their ids; one for each client. */
export class Commits {
  readonly #dispatcher: Dispatcher;
  /** What writes are built on. */
  readonly knowledge: Knowledge;

  /** Sends nothing. */
  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
    this.knowledge = new Knowledge(dispatcher);
  }

  /** Makes an id; a client that knows no fresh base asks for one. */
  async mint(call: Call): Promise<CommitId> {
    return mint((await this.knowledge.ready(call)).base);
  }

  /** The id in a text: under its own base if a client made it, else under a fresh one. */
  async identify(id: string, call: Call): Promise<CommitId> {
    return parseMinted(id) ??
      { id, base: (await this.knowledge.ready(call)).base, minted: false };
  }

  /**
   * Commits, and sends the identical batch again where its answer was lost; at last fences it off.
   *
   * @throws {OutcomeUnknownError} If not even the fence was answered, or the id is too old.
   * @throws {RqliteError} Whose `applied` is certain: nothing was, nor will be.
   */
  async commit(commit: Commit, call: Call): Promise<Ending> {
    const ids = idsOf(commit);
    const { deadline } = call;
    if (deadline.remaining === 0) throw new TimeoutError("Out of time before the commit was sent");
    const { remaining, signal, meter } = deadline;
    const limited = new Deadline(remaining * COMMIT_SHARE, signal, meter);
    let answered: { proof: Proof; reply: Reply };
    try {
      const ready = commit.mixed ? [readiness()] : [];
      const batch = [
        ...ready,
        ...heads(commit),
        ...commit.statements,
        ...prunings(commit.entry.id.base),
      ];
      answered = await this.#send(batch, ids, { ...call, deadline: limited }, commit.mixed);
    } catch (error) {
      return await this.#giveUp(error, commit, call);
    }
    const { proof } = answered;
    if (proof.is === "replaced" && proof.id !== commit.entry.id.id) {
      const earlier = commit.earlier.filter(({ id }) => id !== proof.id);
      // No copy of that batch can pass, so what is left of it may go under the same id.
      if (earlier.length < commit.earlier.length) {
        return await this.commit({ ...commit, earlier }, call);
      }
    }
    return this.#ending(commit, answered);
  }

  #ending(commit: Commit, { proof, reply }: { proof: Proof; reply: Reply }): Ending {
    const heads = idsOf(commit).length + (commit.mixed ? 1 : 0);
    const chosen = commit.chosen?.id.id;
    switch (proof.is) {
      case "committed":
        this.#learnFrom(commit, reply);
        return {
          is: "committed",
          reply: { ...reply, first: reply.first + heads },
          mark: markOf(commit, reply),
        };
      case "refused":
        return {
          is: "refused",
          entry: proof.entry - heads,
          text: proof.text,
          reply: { ...reply, first: reply.first + heads },
        };
      case "interfered":
        this.knowledge.forget();
        return proof;
      case "replaced":
        // What it was judged by is gone, and so is whatever an earlier copy did.
        return { is: "interfered" };
      case "reused":
        return { is: "reused" };
      case "done":
        return proof.id === chosen ? { is: "repeated" } : proof;
      case "fenced":
        return { is: proof.id === chosen ? "spent" : "fenced" };
      case "expired":
        // Rows were deleted by hand up to the base, or it is an old one.
        this.knowledge.lose();
        throw expired(proof.id);
      case "missing":
      case "outdated":
        throw missing();
      case "unusable":
        throw unusable(proof.text);
    }
  }

  /**
   * Makes sure that none of the ids takes effect any more: what is reported of them stays true.
   *
   * @param ids An error names the one that the caller chose, or else all of them: any may have taken effect.
   * @param error What led to it.
   * @param others Applied along with the fence.
   * @returns The id that did take effect, if one did.
   * @throws {OutcomeUnknownError} If nobody can tell.
   */
  async settle(
    ids: readonly CommitId[],
    error: unknown,
    call: Call,
    others: readonly Prepared[] = [],
  ): Promise<string | undefined> {
    let settled: Settled;
    try {
      settled = await this.#fence(ids, call, others);
    } catch (cause) {
      if (call.settings.signal?.aborted) throw cause;
      throw unknown(nameOf(ids), error ?? cause);
    }
    if (settled.is === "expired") throw expired(settled.id);
    return settled.is === "done" ? settled.id : undefined;
  }

  /** Whether an id that took effect in another call did so for the same statements and values. */
  async compare(
    { id, hash }: ChosenId,
    { settings, deadline }: Call,
  ): Promise<{ readonly is: "repeated" | "reused" }> {
    const read = hashOf(id);
    const reply = await this.#dispatcher.read({
      statements: [read],
      transaction: false,
      settings: { ...ownSettings(settings), level: "strong" },
      deadline,
    });
    const { rows } = reply.answer.result(reply.first, {
      analysis: read.analysis,
      rows: "array",
      integers: "number",
    });
    const stored = (rows[0] as unknown as readonly unknown[] | undefined)?.[0];
    return { is: stored === hash ? "repeated" : "reused" };
  }

  /** See `Client.outcome`. */
  async outcome(id: string, call: Call): Promise<"committed" | "not committed" | "unknown"> {
    const ids = mintedIn(id) ?? [await this.identify(id, call)];
    const { proof, reply } = await this.#send([...ids.map(fence), touchStart()], ids, call);
    if (proof.is === "replaced") {
      // It had a base of the range that is gone, and was perhaps entered long before that.
      if (!ids[0]!.minted) return await this.outcome(id, call);
      const others = ids.filter(({ id }) => id !== proof.id);
      return others.length === 0 ? "not committed" : await this.outcome(nameOf(others), call);
    }
    const settled = settledBy(proof);
    if (settled.is === "done") return "committed";
    if (settled.is === "expired") return "unknown";
    // The row of an id without its own base may have been pruned before it was fenced.
    const nothingPruned = rowsAffected(reply, ids.length) === 1;
    return ids[0]!.minted || nothingPruned ? "not committed" : "unknown";
  }

  async #fence(
    ids: readonly CommitId[],
    call: Call,
    others: readonly Prepared[],
  ): Promise<Settled> {
    const { proof, reply } = await this.#send([...ids.map(fence), ...others], ids, call);
    if (proof.is === "replaced") {
      const left = ids.filter(({ id }) => id !== proof.id);
      return left.length + others.length === 0
        ? { is: "fenced" }
        : await this.#fence(left, call, others);
    }
    // A fence stands on nothing, so its place says nothing of the schema.
    const place = reply.answer.length > 0 ? reply.answer.insertedAt(reply.first) : undefined;
    if (place !== undefined) this.knowledge.see(Number(place));
    return settledBy(proof);
  }

  /** Sends a batch that begins with ids; where the table is not right, makes it so, and sends the identical batch. */
  async #send(
    statements: readonly Prepared[],
    ids: readonly CommitId[],
    call: Call,
    mixed = false,
  ): Promise<{ proof: Proof; reply: Reply }> {
    const batch = {
      statements,
      transaction: true,
      settings: ownSettings(call.settings),
      deadline: call.deadline,
    };
    for (let repaired = false;; repaired = true) {
      const reply = await this.#dispatcher.commit(batch, mixed);
      const proof = proofOf(reply.answer, ids, mixed ? 1 : 0);
      if (proof.is === "expired") return { proof: await this.#expired(proof.id, ids, call), reply };
      if ((proof.is !== "missing" && proof.is !== "outdated") || repaired) return { proof, reply };
      await this.knowledge.repair(proof.is, call);
    }
  }

  /** What an id proves that is not in range: after a load that is more. */
  async #expired(id: string, ids: readonly CommitId[], call: Call): Promise<Proof> {
    const { base } = ids.find((one) => one.id === id)!;
    try {
      return { is: await this.knowledge.isOfBefore(base, call) ? "replaced" : "expired", id };
    } catch (error) {
      if (call.settings.signal?.aborted) throw error;
      return { is: "expired", id };
    }
  }

  /** There was no answer to use: fences the ids, so that what is reported stays true. */
  async #giveUp(error: unknown, commit: Commit, call: Call): Promise<Ending> {
    if (call.settings.signal?.aborted) throw error;
    // A COMMIT that fails, as by a deferred constraint, speaks about one copy; another may meet other rows.
    const failed = error instanceof IntegrityError || error instanceof ProgrammingError;
    const open = failed || error instanceof OutcomeUnknownError || error instanceof TimeoutError;
    // Any other error is certain: the attempts before it were, too.
    if (!open) throw error;
    const { entry, chosen, earlier } = commit;
    // A time-out is certain, too: only what an earlier run left behind has to be settled.
    if (error instanceof TimeoutError && earlier.length === 0) throw error;
    const done = await this.settle(
      [...earlier, entry.id, ...(chosen === undefined ? [] : [chosen.id])],
      error,
      call,
    );
    if (done !== undefined && done === chosen?.id.id) return await this.compare(chosen, call);
    const infinity = infinityIn(error);
    if (done !== undefined) return { is: "done", id: done, ...(infinity && { infinity }) };
    if (failed) throw error;
    if (infinity !== undefined) {
      const message =
        "The write was not applied, as a statement failed behind one whose rows are lost";
      throw new DataError(`${message}: ${infinity.message}`, { cause: error });
    }
    throw new OperationalError(
      "The write was not applied: its answer was lost, and no copy of it can take effect any more",
      { retryable: true, cause: error },
    );
  }

  /** The place of a commit is a base, and what it was built on held until then. */
  #learnFrom({ entry, chosen, mixed }: Commit, { answer, first }: Reply): void {
    const lastInsertId = answer.insertedAt(
      first + (mixed ? 1 : 0) + (chosen === undefined ? 0 : 1),
    );
    if (lastInsertId !== undefined) this.knowledge.learn(Number(lastInsertId));
    for (const name of entry.wrote) if (name === EVERYTHING) this.knowledge.forget();
  }
}

function markOf({ entry, mixed }: Commit, { answer, first }: Reply): Mark | undefined {
  const n = answer.insertedAt(first + (mixed ? 1 : 0));
  return n === undefined ? undefined : { n: Number(n), id: entry.id.id };
}

function idsOf({ entry, chosen, earlier }: Commit): CommitId[] {
  return [entry.id, ...(chosen === undefined ? [] : [chosen.id]), ...earlier];
}

/** What an error calls them. */
function nameOf(ids: readonly CommitId[]): string {
  return ids.find(({ minted }) => !minted)?.id ?? ids.map(({ id }) => id).join();
}

/** The ids in such a name; `undefined` for one that the caller chose. */
function mintedIn(name: string): readonly CommitId[] | undefined {
  const ids = name.split(",").map(parseMinted);
  return ids.includes(undefined) ? undefined : ids.map((id) => id!);
}

function heads({ entry, chosen, earlier }: Commit): Prepared[] {
  // The chosen id is entered behind the commit's own, whose row must not interfere: it is judged by nothing.
  const second = chosen === undefined
    ? []
    : [enter({ ...chosen, wrote: [], since: undefined, scopes: [], tables: [] })];
  return [enter(entry), ...second, ...earlier.map(fence)];
}

function prunings(base: number): Prepared[] {
  return Math.random() < 1 / PRUNE_EVERY ? pruning(base) : [];
}

const TOUCH = touchStart().analysis;

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
    case "outdated":
      throw missing();
    case "refused":
      throw new OperationalError(`Cannot fence the commit: ${proof.text}`);
    case "unusable":
      throw unusable(proof.text);
    case "interfered":
    case "replaced":
    case "reused":
      throw new OperationalError(`Cannot fence the commit: it was ${proof.is}`);
  }
}

/** The error where a node could not write the ids, whatever the reason. */
export function notEntered(text: string): OperationalError {
  return new OperationalError(`The write was not applied, as its id could not be written: ${text}`);
}

/** The error of a commit about which nothing is known. */
function unknown(id: string, cause: unknown): OutcomeUnknownError {
  return new OutcomeUnknownError(
    `Cannot tell whether the write was applied: ask outcome(${JSON.stringify(id)}) later`,
    { id, cause },
  );
}

/** The error of a commit about which nothing will ever be known. */
function expired(id: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    "Cannot tell whether the write was applied, and never will, as the row of its id may have been pruned: " +
      "look at the data before repeating it",
    { id },
  );
}
