import { isSound, rehearse, SENTINEL } from "../calls/batch.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import { DatabaseError, OutcomeUnknownError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { pause as wait } from "../time/pause.ts";
import type { ChosenId, Commits, Minted } from "./commits.ts";
import {
  CHOSEN,
  type Committed,
  type Ending,
  fencedOff,
  LEFT_OPEN,
  notApplied,
  restless,
} from "./endings.ts";
import { hashOf } from "./hash.ts";
import { type CommitId, mint } from "./log_table.ts";
import { own } from "./own_statements.ts";
import { doubtFacts, prepareBy } from "./prepare_write.ts";
import { type CommitBody, isPlain, type Write } from "./write.ts";
import { lost, refusal, resultsIn, withoutResults } from "./write_results.ts";
import { entryOf, tableOf } from "./written_tables.ts";

/** The longest waits before a write is built anew because the schema has changed, in milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 500;

/** Sets `changes()` to 0: what follows shows by it whether it did anything. */
const RESET: Prepared = own("UPDATE _rqlite_commit SET state = state WHERE 0");

/** Fails where the statement before it failed or did nothing, so that no id is kept without its write. */
const DID_SOMETHING: Prepared = own(
  "SELECT CASE WHEN changes() > 0 THEN 1 ELSE json_extract('{}','_rqlite_nothing') END",
);

/** A write that is one commit with an id of its own. */
export class SingleCommit {
  readonly #dispatcher: Dispatcher;
  readonly #commits: Commits;
  readonly #write: Write;
  #chosen: ChosenId | undefined;

  /** Sends nothing. */
  constructor(dispatcher: Dispatcher, commits: Commits, write: Write) {
    this.#dispatcher = dispatcher;
    this.#commits = commits;
    this.#write = write;
  }

  /**
   * Sends the statements behind an id, until it is known what became of them; once, as it has one write.
   *
   * @param id Chosen by the caller.
   */
  async run(id: string | undefined): Promise<Result[]> {
    if (id !== undefined) await this.#choose(id);
    return this.#write.place(await this.#run());
  }

  async #run(): Promise<Result[]> {
    const { call } = this.#write;
    for (let round = 0;; round++) {
      const own = await this.#mint();
      const chosen = this.#chosen;
      // Of a range that is gone no id is entered any more.
      if (round > 0 && chosen?.id.minted === false) {
        this.#chosen = { ...chosen, id: { ...chosen.id, base: own.id.base } };
      }
      let body: CommitBody;
      try {
        body = await this.#body(own.facts);
      } catch (error) {
        // What the same call did before may be why it fails now.
        if (this.#chosen === undefined || !isOfStatement(error)) throw error;
        return await this.#conclude([this.#chosen.id], error);
      }
      const ending = await this.#send(body, own);
      if (ending.is === "committed") return this.#resultsIn(ending, body, own);
      const again = ending.is === "interfered" ||
        (ending.is === "refused" && await this.#isAnotherSchema(ending.text, own.facts));
      if (!again) return await this.#report(body, ending, own.id);
      const because = restless();
      // No copy of it may pass while another one is under way: the last id stands for all.
      const done = await this.#commits.settle({ ids: [own.id], because }, call);
      if (done !== undefined) return lost(this.#write);
      const pause = Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** round);
      if (call.deadline.remaining <= pause) throw because;
      await wait(pause, call.settings.signal);
    }
  }

  async #choose(id: string): Promise<void> {
    const { given, call } = this.#write;
    this.#chosen = { id: await this.#commits.identify(id, call), hash: await hashOf(given) };
  }

  /** An id, and statements that are ready by the schema of the same state. */
  async #mint(): Promise<Minted> {
    const { knowledge } = this.#commits;
    doubtFacts(this.#write, knowledge);
    const { base, facts } = await knowledge.ready(this.#write.call);
    const steps = prepareBy(this.#write, facts, knowledge);
    if (steps !== undefined) await steps;
    return { id: mint(base), facts };
  }

  /** What is sent behind the ids. */
  async #body(facts: Facts): Promise<CommitBody> {
    const { statements, batch, keepsRows } = this.#write;
    const dispatcher = this.#dispatcher;
    const { returningAborts } = dispatcher.capabilities;
    const returning = statements.some(({ analysis }) => analysis.returning);
    if (isPlain(statements, returningAborts)) return { statements, mixed: false, before: 0 };
    // What a trigger does in place of a write to a view, `changes()` does not tell.
    const tells = statements.every(({ analysis: { returning, table } }) =>
      !returning || tableOf(table, facts)?.kind === "table"
    );
    if (tells && returning && !keepsRows && isSound(statements, returningAborts)) {
      return { statements: [RESET, ...statements, DID_SOMETHING], mixed: true, before: 1 };
    }
    await rehearse(dispatcher, batch);
    return { statements: [...statements, SENTINEL], mixed: true, before: 0 };
  }

  async #send(body: CommitBody, own: Minted): Promise<Ending> {
    const { statements, call } = this.#write;
    const entry = entryOf(statements, own.facts, own.id);
    return await this.#commits.commit({ ...entry, ...body, chosen: this.#chosen }, call);
  }

  #resultsIn({ reply, mark }: Committed, { before }: CommitBody, own: Minted): Result[] {
    this.#write.mark = mark;
    return resultsIn({ ...reply, first: reply.first + before }, this.#write, own);
  }

  /** An error of the schema may come from facts that another program has made old. */
  async #isAnotherSchema(text: string, facts: Facts): Promise<boolean> {
    if (!/^no such (table|column)|has no column named|values for \d+ columns/.test(text)) {
      return false;
    }
    const { knowledge } = this.#commits;
    knowledge.forget();
    return (await knowledge.facts(this.#write.call)).version !== facts.version;
  }

  /** Reports what was not committed by this copy, once no copy can be any more. */
  async #report(
    body: CommitBody,
    ending: Exclude<Ending, { is: "committed" | "interfered" }>,
    own: CommitId,
  ): Promise<Result[]> {
    if (ending.is === "done") return lost(this.#write, ending.infinity);
    if (ending.is === "fenced") throw fencedOff("write");
    const because = ending.is === "refused"
      ? refusal(this.#write, body, ending)
      : CHOSEN[ending.is](ending.id);
    // What did nothing spends no id that was chosen.
    const chosen = because instanceof Error ? this.#chosen : undefined;
    const open = { own: [own], chosen: chosen === undefined ? [] : [chosen.id] };
    return await this.#conclude(LEFT_OPEN[ending.is].flatMap((whose) => open[whose]), because);
  }

  /**
   * Reports what led to the end, unless an id turns out to have taken effect: be it the chosen one, in another call.
   *
   * @param because An error, the result of what did nothing, or nothing where the same call was made before.
   */
  async #conclude(
    ids: readonly CommitId[],
    because: Error | Result | undefined,
  ): Promise<Result[]> {
    const chosen = this.#chosen;
    const done = await this.#commits.settle({ ids, chosen, because }, this.#write.call);
    if (done?.is === "done") return lost(this.#write);
    const error = done === undefined ? because : CHOSEN[done.is](done.id);
    if (error === undefined) return withoutResults(this.#write);
    if (!(error instanceof Error)) return [error];
    // What the server could not tell is certain now.
    throw error instanceof OutcomeUnknownError ? notApplied(error) : error;
  }
}

/** It says of a statement that it fails; others say of the network that it does. */
function isOfStatement(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.sql !== undefined;
}
