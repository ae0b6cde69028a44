import { isSound, rehearse, SENTINEL, tornBatch } from "../calls/batch.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import { pause as wait } from "../time/pause.ts";
import { firstError, readResults } from "../calls/read_results.ts";
import { DatabaseError, OutcomeUnknownError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import type { ChosenId, Commits, Ending } from "./commits.ts";
import type { Basis } from "./knowledge.ts";
import { hashOf } from "./hash.ts";
import { type CommitId, type Entry, mint } from "./log_table.ts";
import {
  CHOSEN,
  fencedOff,
  lost,
  notApplied,
  refusal,
  restless,
  withId,
  withoutResult,
} from "./endings.ts";
import type { Call } from "../calls/call.ts";
import { own } from "./own_statements.ts";
import { doubtFacts, prepareBy } from "./prepare_write.ts";
import { withoutStaleId } from "./rowids.ts";
import type { Form, Write } from "./write.ts";
import { isOnlyDdl, tableOf, targetsOf, writtenBy } from "./written_tables.ts";

/** The longest waits before a write is built anew because the schema has changed, in milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 500;

/** Sets `changes()` to 0: what follows shows by it whether it did anything. */
const RESET: Prepared = own("UPDATE _rqlite_commit SET state = state WHERE 0");

/** Fails where the statement before it failed or did nothing, so that no id is kept without its write. */
const DID_SOMETHING: Prepared = own(
  "SELECT CASE WHEN changes() > 0 THEN 1 ELSE json_extract('{}','_rqlite_nothing') END",
);

/** An id, and the ground that its commit stands on. */
export interface Minted extends Basis {
  readonly id: CommitId;
}

/** Writes that are one commit with an id each. */
export class CommittedWrites {
  readonly #dispatcher: Dispatcher;
  readonly #commits: Commits;

  /** Sends nothing. */
  constructor(dispatcher: Dispatcher, commits: Commits) {
    this.#dispatcher = dispatcher;
    this.#commits = commits;
  }

  /**
   * Sends the statements behind an id, until it is known what became of them.
   *
   * @param id Chosen by the caller.
   */
  async commit(write: Write, id: string | undefined): Promise<Result[]> {
    const { call } = write;
    let chosen = id === undefined ? undefined : await this.#chosen(id, write);
    for (let round = 0;; round++) {
      const own = await this.#mint(write);
      // Of a range that is gone no id is entered any more.
      if (round > 0 && chosen?.id.minted === false) {
        chosen = { ...chosen, id: { ...chosen.id, base: own.base } };
      }
      let form: Form;
      try {
        form = await this.#form(write, own.facts);
      } catch (error) {
        // What the same call did before may be why it fails now.
        if (chosen === undefined || !isOfStatement(error)) throw error;
        return write.place(await this.#conclude(write, [chosen.id], error, chosen));
      }
      const ending = await this.#send(write, form, own, chosen);
      if (ending.is === "committed") {
        const { reply, mark } = ending;
        write.mark = mark;
        return write.place(
          resultsIn({ ...reply, first: reply.first + form.before }, write, own),
        );
      }
      const again = ending.is === "interfered" ||
        (ending.is === "refused" && await this.#isAnotherSchema(ending.text, own.facts, call));
      if (!again) return write.place(await this.#report(write, form, ending, own.id, chosen));
      const error = restless();
      // No copy of it may pass while another one is under way: the last id stands for all.
      if (await this.#commits.settle([own.id], error, call) !== undefined) {
        return write.place(lost(write));
      }
      const pause = Math.random() * Math.min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** round);
      if (call.deadline.remaining <= pause) throw error;
      await wait(pause, call.settings.signal);
    }
  }

  /** An id, and the ground that its commit stands on. */
  async #mint(write: Write): Promise<Minted> {
    doubtFacts(write, this.#commits.knowledge);
    const { base, facts } = await this.#commits.knowledge.ready(write.call);
    const steps = prepareBy(write, facts, this.#commits.knowledge);
    if (steps !== undefined) await steps;
    return { id: mint(base), base, facts };
  }

  async #send(
    { statements, call }: Write,
    form: Form,
    { id, base, facts }: Minted,
    chosen: ChosenId | undefined,
  ): Promise<Ending> {
    const entry = entryOf(statements, { id, base, facts });
    return await this.#commits.commit({ entry, chosen, earlier: [], ...form }, call);
  }

  async #chosen(id: string, { forms, call }: Write): Promise<ChosenId> {
    return { id: await this.#commits.identify(id, call), hash: await hashOf(forms) };
  }

  /** What is sent behind the ids. */
  async #form({ statements, batch, keepsRows }: Write, facts: Facts): Promise<Form> {
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

  /** An error of the schema may come from facts that another program has made old. */
  async #isAnotherSchema(text: string, facts: Facts, call: Call): Promise<boolean> {
    if (!/^no such (table|column)|has no column named|values for \d+ columns/.test(text)) {
      return false;
    }
    this.#commits.knowledge.forget();
    return (await this.#commits.knowledge.facts(call)).version !== facts.version;
  }

  /** Reports what was not committed by this copy, once no copy can be any more. */
  async #report(
    write: Write,
    form: Form,
    ending: Exclude<Ending, { is: "committed" | "interfered" }>,
    own: CommitId,
    chosen: ChosenId | undefined,
  ): Promise<Result[]> {
    if (ending.is === "done") return lost(write, ending.infinity);
    if (ending.is === "fenced") throw fencedOff("write");
    const error = ending.is === "refused"
      ? refusal(write, form, ending)
      : CHOSEN[ending.is](chosen!);
    // An error spends the id that was chosen; what another call did with it stays.
    const spends = ending.is === "refused" && error instanceof Error && chosen !== undefined;
    return await this.#conclude(write, spends ? [own, chosen.id] : [own], error, chosen);
  }

  /** Reports an error of a statement, unless the id that was chosen turns out to have taken effect in another call. */
  async #conclude(
    write: Write,
    ids: readonly CommitId[],
    error: Error | Result | undefined,
    chosen: ChosenId | undefined,
  ): Promise<Result[]> {
    const done = await this.#commits.settle(ids, error, write.call);
    if (done !== undefined && done === chosen?.id.id) {
      const { is } = await this.#commits.compare(chosen, write.call);
      const reused = CHOSEN[is](chosen);
      if (reused !== undefined) throw reused;
      return write.statements.map(withoutResult);
    }
    if (done !== undefined) return lost(write);
    if (error === undefined) return write.statements.map(withoutResult);
    if (!(error instanceof Error)) return [error];
    // What the server could not tell is certain now.
    throw error instanceof OutcomeUnknownError ? notApplied(error) : error;
  }
}

/** Whether `/db/execute` does all that the statements say, behind an id and among others. */
export function isPlain(statements: readonly Prepared[], returningAborts: boolean): boolean {
  return isSound(statements, returningAborts) &&
    (returningAborts || !statements.some(({ analysis }) => analysis.returning));
}

/** What enters the log in front of statements. */
export function entryOf(all: readonly Prepared[], { id, base, facts }: Minted): Entry {
  // Of many with one text, each is about the same tables.
  const statements = [...new Map(all.map((one) => [one.analysis, one])).values()];
  return {
    id,
    hash: undefined,
    wrote: writtenBy(statements, facts),
    // What is nothing but DDL was made by no facts.
    since: statements.every(isOnlyDdl) ? undefined : base,
    scopes: [],
    tables: targetsOf(statements, facts),
  };
}

/** The results of a write in a reply that begins with them. */
export function resultsIn(reply: Reply, write: Write, { id: { id }, facts }: Minted): Result[] {
  const { statements, positions, call } = write;
  // Only in a list with reads, where a statement that does not compile any more stops nothing.
  if (firstError(reply, statements) >= 0) throw tornBatch(reply, statements, positions, id);
  let results: Result[];
  try {
    results = readResults(reply, statements, call.settings, -1, { positions });
  } catch (error) {
    throw error instanceof OutcomeUnknownError ? withId(error, id) : error;
  }
  const by = write.facts;
  return results.map((result, i) => withoutStaleId(result, statements[i]!, by[i] ?? facts));
}

/** It says of a statement that it fails; others say of the network that it does. */
function isOfStatement(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.sql !== undefined;
}
