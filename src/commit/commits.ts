import type { CallContext } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import { infinityIn } from "../calls/refusals.ts";
import type { LoggedCommit } from "../calls/logged_commits.ts";
import { TimeoutError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import { Deadline } from "../time/deadline.ts";
import {
  certainError,
  type Ending,
  endingBy,
  expired,
  failureOf,
  fenceEndingBy,
  leavesOpen,
  type TookEffect,
  unknownOutcome,
  type Whose,
} from "./endings.ts";
import { Knowledge } from "./knowledge.ts";
import {
  type CommitId,
  enter,
  type Entry,
  EVERYTHING,
  fence,
  mint,
  nameOf,
  parseMinted,
  parseName,
  pruning,
  readHash,
  readiness,
  touchStart,
} from "./log_table.ts";
import { ownBatch, rowsAt } from "./own_statements.ts";
import { type Proof, proofOf } from "./proof.ts";

/** The part of the time that remains which a commit may use; the rest is for the fence. */
const COMMIT_SHARE = 0.75;

/** One commit in so many prunes, at random. */
const PRUNE_EVERY = 256;

/** What is to be committed: what enters the log, and what follows it. */
export interface Commit extends Entry {
  /** The id that the caller chose for it. @default {undefined} */
  readonly chosen?: ChosenId | undefined;
  /** Ids of earlier runs that are not settled. @default {[]} */
  readonly earlier?: readonly CommitId[];
  /** What follows the ids. */
  readonly statements: readonly Prepared[];
  /** Its results hold rows of reads, or of RETURNING on a server that sends them elsewhere only. @default {false} */
  readonly mixed?: boolean;
}

/** An id that the caller chose, and what for. */
export interface ChosenId {
  /** It enters the log behind that of the commit. */
  readonly id: CommitId;
  /** Of the call as it was given. */
  readonly hash: string;
}

/** An id, and the schema that its commit is built by. */
export interface Minted {
  /** Its base is that of the same state. */
  readonly id: CommitId;
  /** About the schema. */
  readonly facts: Facts;
}

/** Ids of which a late copy may still take effect, and why somebody has to know. */
export interface Unsettled {
  /** Fenced off together. An error names the one that the caller chose, or else all of them: any may have taken effect. */
  readonly ids: readonly CommitId[];
  /** The chosen one, where it is to be told what took effect under it. @default {undefined} */
  readonly chosen?: ChosenId | undefined;
  /** What led to it: the cause of the error where nobody can tell. */
  readonly because: unknown;
  /** What is applied along with the fences. @default {undefined} */
  readonly along?: Along | undefined;
}

/** What a commit, or the fence of one, does besides, such as letting go of a lock. */
export interface Along {
  /** At the end of the batch. */
  readonly statements: readonly Prepared[];
  /** Called when they were applied, be it by a commit that turned out to have taken effect. */
  applied(): void;
}

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
  async mint(call: CallContext): Promise<CommitId> {
    return mint((await this.knowledge.ready(call)).base);
  }

  /** The id in a text: under its own base if a client made it, else under a fresh one. */
  async identify(id: string, call: CallContext): Promise<CommitId> {
    return parseMinted(id) ??
      { id, base: (await this.knowledge.ready(call)).base, minted: false };
  }

  /**
   * Commits, and sends the identical batch again where its answer was lost; at last fences it off.
   *
   * @throws {OutcomeUnknownError} If not even the fence was answered, or the id is too old.
   * @throws {RqliteError} Whose `applied` is certain: nothing was, nor will be.
   */
  async commit(commit: Commit, call: CallContext): Promise<Ending> {
    const { deadline } = call;
    if (deadline.remaining === 0) throw new TimeoutError("Out of time before the commit was sent");
    const { remaining, signal, meter } = deadline;
    const limited = new Deadline(remaining * COMMIT_SHARE, signal, meter);
    const { mixed = false, statements, id } = commit;
    let answered: Answered;
    try {
      const batch = [
        ...(mixed ? [readiness()] : []),
        ...heads(commit),
        ...statements,
        ...prunings(id.base),
      ];
      answered = await this.#send(batch, idsOf(commit), { ...call, deadline: limited }, mixed);
    } catch (error) {
      return await this.#giveUp(error, commit, call);
    }
    return await this.#endingOf(commit, answered, call);
  }

  /** How a commit ended whose batch was answered. */
  async #endingOf(commit: Commit, { proof, reply }: Answered, call: CallContext): Promise<Ending> {
    const entries = idEntries(commit);
    const results = { ...reply, first: reply.first + entries };
    if (proof.is === "refused") {
      const { is, entry, text } = proof;
      return { is, entry: entry - entries, text, reply: results };
    }
    const id = "id" in proof ? proof.id : commit.id.id;
    const ending = endingBy(proof, (id) => whoseIs(id, commit));
    switch (ending) {
      case "committed":
        this.#learnFrom(commit, reply);
        return { is: ending, reply: results, mark: markOf(commit, reply) };
      case "interfered":
        this.knowledge.forget();
        return { is: ending, id };
      case "done":
      case "fenced":
      case "repeated":
      case "reused":
      case "spent":
        return { is: ending, id };
      case "resend": {
        const earlier = commit.earlier?.filter((one) => one.id !== id) ?? [];
        return await this.commit({ ...commit, earlier }, call);
      }
      case "expired":
        this.knowledge.lose();
        throw expired(id);
      case "missing":
      case "unusable":
      case "unexpected":
        throw failureOf(ending, proof, "Cannot read the end of the commit");
    }
  }

  /** There was no answer to use: fences the ids, so that what is reported stays true. */
  async #giveUp(error: unknown, commit: Commit, call: CallContext): Promise<Ending> {
    if (call.settings.signal?.aborted) throw error;
    const { id, chosen, earlier = [] } = commit;
    if (!leavesOpen(error, earlier)) throw error;
    const ids = [...earlier, id, ...(chosen === undefined ? [] : [chosen.id])];
    const done = await this.settle({ ids, chosen, because: error }, call);
    if (done === undefined) throw certainError(error);
    return done.is === "done" ? { ...done, infinity: infinityIn(error) } : done;
  }

  /**
   * Makes sure that none of the ids takes effect any more: what is reported of them stays true.
   *
   * @returns The one that did take effect, if one did.
   * @throws {OutcomeUnknownError} If nobody can tell.
   */
  async settle(
    { ids, chosen, because, along }: Unsettled,
    call: CallContext,
  ): Promise<TookEffect | undefined> {
    let settled: Settled;
    try {
      settled = await this.#fence(ids, call, along?.statements ?? []);
    } catch (cause) {
      if (call.settings.signal?.aborted) throw cause;
      throw unknownOutcome(ids, because ?? cause);
    }
    const { is, id } = settled;
    if (is === "expired") throw expired(id);
    along?.applied();
    if (is === "fenced") return undefined;
    return id === chosen?.id.id ? await this.#compare(chosen, call) : { is, id };
  }

  /** Tells what became of an id, or of all in a name of several: they are fenced, so that what did not take effect never will. */
  async outcome(id: string, call: CallContext): Promise<"committed" | "not committed" | "unknown"> {
    const ids = parseName(id) ?? [await this.identify(id, call)];
    const { proof, reply } = await this.#send([...ids.map(fence), touchStart()], ids, call);
    const ending = fenceEndingBy(proof);
    const minted = ids.every((one) => one.minted);
    if (ending === "resend") {
      // It had a base of the range that is gone, and was perhaps entered long before that.
      if (!minted) return await this.outcome(id, call);
      const others = without(proof, ids);
      return others.length === 0 ? "not committed" : await this.outcome(nameOf(others), call);
    }
    if (ending === "done") return "committed";
    if (ending === "expired") return "unknown";
    // The row of an id without its own base may have been pruned before it was fenced.
    return minted || touchedStart(reply, ids.length) ? "not committed" : "unknown";
  }

  /** Whether an id that took effect in another call did so for the same statements and values. */
  async #compare({ id, hash }: ChosenId, call: CallContext): Promise<TookEffect> {
    const read = readHash(id);
    const reply = await this.#dispatcher.read(ownBatch([read], call, false, "strong"));
    const stored = rowsAt(reply, 0, read)?.[0]?.[0];
    return { is: stored === hash ? "repeated" : "reused", id: id.id };
  }

  async #fence(
    ids: readonly CommitId[],
    call: CallContext,
    others: readonly Prepared[],
  ): Promise<Settled> {
    const { proof, reply } = await this.#send([...ids.map(fence), ...others], ids, call);
    const is = fenceEndingBy(proof);
    if (is === "resend") {
      const left = without(proof, ids);
      return left.length + others.length === 0
        ? { is: "fenced", id: "" }
        : await this.#fence(left, call, others);
    }
    // A fence stands on nothing, so its place says nothing of the schema.
    const place = reply.answer.length > 0 ? reply.answer.insertedAt(reply.first) : undefined;
    if (place !== undefined) this.knowledge.see(Number(place));
    return { is, id: "id" in proof ? proof.id : "" };
  }

  /** Sends a batch that begins with ids; where the table is not right, makes it so, and sends the identical batch. */
  async #send(
    statements: readonly Prepared[],
    ids: readonly CommitId[],
    call: CallContext,
    mixed = false,
  ): Promise<Answered> {
    const batch = ownBatch(statements, call, true);
    for (let repaired = false;; repaired = true) {
      const reply = await this.#dispatcher.commit(batch, mixed);
      const proof = proofOf(reply.answer, ids, mixed ? 1 : 0);
      if (proof.is === "expired") return { proof: await this.#expired(proof.id, ids, call), reply };
      if ((proof.is !== "missing" && proof.is !== "outdated") || repaired) return { proof, reply };
      await this.knowledge.repair(proof.is, call);
    }
  }

  /** What an id proves that is not in range: after a load that is more. */
  async #expired(id: string, ids: readonly CommitId[], call: CallContext): Promise<Proof> {
    const base = ids.find((one) => one.id === id)?.base ?? 0;
    try {
      return { is: await this.knowledge.isOfBefore(base, call) ? "replaced" : "expired", id };
    } catch (error) {
      if (call.settings.signal?.aborted) throw error;
      return { is: "expired", id };
    }
  }

  /** The place of a commit is a base, and what it was built on held until then. */
  #learnFrom({ wrote = [], chosen, mixed }: Commit, { answer, first }: Reply): void {
    const lastInsertId = answer.insertedAt(
      first + (mixed ? 1 : 0) + (chosen === undefined ? 0 : 1),
    );
    if (lastInsertId !== undefined) this.knowledge.learn(Number(lastInsertId));
    for (const name of wrote) if (name === EVERYTHING) this.knowledge.forget();
  }
}

/** An answer to a batch that begins with ids. */
interface Answered {
  readonly proof: Proof;
  readonly reply: Reply;
}

/** What became of ids that were fenced together, and of which of them if not of all. */
interface Settled {
  readonly is: "fenced" | "done" | "expired";
  readonly id: string;
}

function markOf({ id, mixed }: Commit, { answer, first }: Reply): LoggedCommit | undefined {
  const n = answer.insertedAt(first + (mixed ? 1 : 0));
  return n === undefined ? undefined : { n: Number(n), id: id.id };
}

/** The ids in the order in which the batch has them. */
function idsOf({ id, chosen, earlier = [] }: Commit): CommitId[] {
  return [id, ...(chosen === undefined ? [] : [chosen.id]), ...earlier];
}

/** How many entries of a batch are in front of its statements. */
function idEntries(commit: Commit): number {
  return idsOf(commit).length + (commit.mixed ? 1 : 0);
}

function whoseIs(of: string, { id, chosen }: Commit): Whose {
  if (of === chosen?.id.id) return "chosen";
  return of === id.id ? "own" : "earlier";
}

function without(proof: Proof, ids: readonly CommitId[]): CommitId[] {
  return "id" in proof ? ids.filter(({ id }) => id !== proof.id) : [...ids];
}

function heads(commit: Commit): Prepared[] {
  const { chosen, earlier = [] } = commit;
  // The chosen id is entered behind the commit's own, whose row must not interfere: it is judged by nothing.
  const second = chosen === undefined ? [] : [enter(chosen)];
  return [enter(commit), ...second, ...earlier.map(fence)];
}

function prunings(base: number): Prepared[] {
  return Math.random() < 1 / PRUNE_EVERY ? pruning(base) : [];
}

const { analysis: TOUCH } = touchStart();

/** Whether nothing was ever pruned. */
function touchedStart({ answer, first }: Reply, i: number): boolean {
  const spec = { analysis: TOUCH, rows: "array", integers: "number" } as const;
  return answer.result(first + i, spec).rowsAffected === 1;
}
