import type { CallContext } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import { isOfOne, Lane, type Passenger, type Waiting } from "../calls/lane.ts";
import { OperationalError, OutcomeUnknownError, RqliteError, TimeoutError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { copyOf } from "../transport/failures.ts";
import type { Commits, Minted } from "./commits.ts";
import { type Ending, notEntered, restless } from "./endings.ts";
import { type CommitId, enter, mint } from "./log_table.ts";
import { doubtFacts, prepareBy } from "./prepare_write.ts";
import { isPlain, type Write } from "./write.ts";
import { lost, resultsIn } from "./write_results.ts";
import { entryOf } from "./written_tables.ts";

/** So often a group is sent again because of a statement or of the schema; then each of the rest goes by itself. */
const MOST_RUNS = 32;

/** A call that may share a commit. */
export interface Sharing extends Waiting {
  /** Its statements. */
  readonly write: Write;
  /** Asked to be exactly-once, so that it must not go without an id. */
  readonly explicit: boolean;
}

/** One that waits for how it ends. */
export type Member = Passenger<Sharing, Result[]>;

/** What a group is made of. */
export interface GroupOptions {
  /** Knows what the server can do. */
  readonly dispatcher: Dispatcher;
  /** Sends the commit. */
  readonly commits: Commits;
  /** What its requests are run with, and the end of all of them. */
  readonly call: CallContext;
  /** Runs one by itself; never rejects. */
  readonly alone: (member: Member) => Promise<void>;
  /** Told of each write among those of which nobody got an answer, as it cannot be sent. */
  readonly suspect: (write: Write) => void;
}

/**
 * Several writes as one commit with one id, so that they are exactly-once as a group. Where a statement fails, nothing of
 * the group was applied, and once its id is fenced off nothing will be: the others go again under another id. The one
 * that failed goes behind them by itself, as what it met may have been another's row that was never kept: only what it
 * meets there is reported. Each id is settled before the next one is made, so that a write that stays unknown has one id.
 */
export class GroupCommit {
  readonly #options: GroupOptions;
  /** Those that go by themselves, behind the others. */
  readonly #apart: Set<Member> = new Set();

  /** Sends nothing. */
  constructor(options: GroupOptions) {
    this.#options = options;
  }

  /** Runs the members, and ends them all; those that go by themselves nobody has to wait for. */
  async run(members: readonly Member[]): Promise<void> {
    let waiting: readonly (readonly Member[])[] = [members];
    for (let run = 0; run < MOST_RUNS; run++) {
      const [next, ...rest] = waiting;
      if (next === undefined) break;
      waiting = [...await this.#run(next.filter(({ gone }) => !gone)), ...rest];
    }
    for (const member of [...waiting.flat(), ...this.#apart]) void this.#options.alone(member);
  }

  /** Commits the members; answers those that have to go again, in groups. */
  async #run(members: readonly Member[]): Promise<(readonly Member[])[]> {
    const { commits, call } = this.#options;
    let id: CommitId | undefined;
    let sent: readonly Member[] = [];
    try {
      for (const { call: { write } } of members) doubtFacts(write, commits.knowledge);
      const { base, facts } = await commits.knowledge.ready(call);
      const own = { id: id = mint(base), facts };
      const group = await this.#ready(members, own);
      if (group.length === 0) return [];
      const { statements, starts } = listOf(group, own.id);
      const entry = entryOf(group.flatMap(({ call: { write } }) => write.statements), facts, id);
      sent = group;
      const ending = await commits.commit({ ...entry, statements }, call);
      if (ending.is === "committed") {
        const { reply: { answer, first }, mark } = ending;
        for (const [i, member] of group.entries()) {
          member.call.write.mark = mark;
          const reply = { answer, first: first + (starts[i] ?? 0) };
          end(member, (write) => resultsIn(reply, write, own));
        }
        return [];
      }
      const applied = ending.is === "done" ||
        await commits.settle({ ids: [id], because: refusalOf(ending) }, call) !== undefined;
      if (!applied) return this.#next(group, starts, ending);
      const infinity = ending.is === "done" ? ending.infinity : undefined;
      for (const member of group) {
        if (infinity !== undefined) this.#options.suspect(member.call.write);
        end(member, (write) => lost(write, infinity));
      }
    } catch (error) {
      // Which of them made the request fail it does not say.
      if (isOfOne(error) && sent.length > 1) return halvesOf(sent);
      // Those that go behind the others had no part in it.
      const hit = members.filter((member) => !this.#apart.has(member));
      await Promise.all(hit.map((member) => this.#failed(member, error, id)));
    }
    return [];
  }

  /** Those that go again, where nothing was applied, nor will be. */
  #next(
    group: readonly Member[],
    starts: readonly number[],
    ending: Exclude<Ending, { is: "committed" | "done" }>,
  ): (readonly Member[])[] {
    if (ending.is === "interfered") return [group];
    if (ending.is !== "refused") {
      // Somebody has asked for the outcome of the group's id.
      for (const member of group) this.#apart.add(member);
      return [];
    }
    if (ending.entry < 0) throw notEntered(ending.text);
    const at = starts.findLastIndex((start) => start <= ending.entry);
    const failed = group[at];
    if (failed !== undefined) this.#apart.add(failed);
    // Those in front have passed, and most likely will again; of those behind nothing is known.
    return [group.slice(0, at), group.slice(at + 1)].filter(({ length }) => length > 0);
  }

  /** Those that are ready to be sent with others; what an error keeps from it has ended. */
  async #ready(members: readonly Member[], { facts }: Minted): Promise<Member[]> {
    const { commits, dispatcher } = this.#options;
    const ready: Member[] = [];
    for (const member of members) {
      const { write } = member.call;
      try {
        const steps = prepareBy(write, facts, commits.knowledge);
        if (steps !== undefined) await steps;
      } catch (error) {
        member.reject(error);
        continue;
      }
      const plain = isPlain(write.statements, dispatcher.capabilities.returningAborts);
      if (plain) ready.push(member);
      else this.#apart.add(member);
    }
    return ready;
  }

  /** An error of the request is that of each, but where one may have caused it, and for who has the time to find out. */
  async #failed(member: Member, error: unknown, id: CommitId | undefined): Promise<void> {
    const { gone, call, reject } = member;
    if (gone) return;
    const unknown = error instanceof OutcomeUnknownError;
    const hasTime = (unknown || isOfTime(error)) && Lane.takes(call);
    if (!isOfOne(error) && !hasTime) {
      return reject(error instanceof RqliteError ? copyOf(error) : error);
    }
    try {
      const { commits } = this.#options;
      const done = unknown && id !== undefined
        ? await commits.settle({ ids: [id], because: error }, call.write.call)
        : undefined;
      if (done === undefined) this.#apart.add(member);
      else end(member, (write) => lost(write));
    } catch (error) {
      reject(error);
    }
  }
}

/** Whether it ended as time was up, which was the time of one of them. */
function isOfTime(error: unknown): boolean {
  return error instanceof TimeoutError || (error instanceof RqliteError && isOfTime(error.cause));
}

function halvesOf(group: readonly Member[]): (readonly Member[])[] {
  const half = group.length >> 1;
  return [group.slice(0, half), group.slice(half)];
}

/** The statements of all, and where those of each begin. */
function listOf(
  group: readonly Member[],
  { base }: CommitId,
): { readonly statements: readonly Prepared[]; readonly starts: readonly number[] } {
  const statements: Prepared[] = [];
  const starts = group.map(({ call: { write } }) => {
    if (statements.length > 0 && write.statements[0]?.analysis.upsert) {
      // Whether an upsert has inserted, its rowid tells by not being the one in front, which so has to be nobody's.
      statements.push(enter({ id: mint(base) }));
    }
    return statements.push(...write.statements) - write.statements.length;
  });
  return { statements, starts };
}

/** Why a group has to be fenced off. */
function refusalOf(ending: Ending): unknown {
  return ending.is === "refused" ? new OperationalError(ending.text) : restless();
}

/** Ends a member with the results that are its own. */
function end(member: Member, results: (write: Write) => Result[]): void {
  const { write } = member.call;
  try {
    member.resolve(write.place(results(write)));
  } catch (error) {
    member.reject(error);
  }
}
