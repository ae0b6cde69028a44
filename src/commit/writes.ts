import { isSound, rehearse, runAtomic, runLoose, SENTINEL, tornBatch } from "../client/batch.ts";
import type { Backend } from "../client/backend.ts";
import { BATCH, EXECUTE } from "../client/checks.ts";
import type { BatchOptions, ExecuteOptions } from "../client/executor.ts";
import { pause as wait } from "../client/pause.ts";
import { firstError, resultsOf } from "../client/results.ts";
import { changes } from "../client/route.ts";
import {
  AuthenticationError,
  DatabaseError,
  NotSupportedError,
  OutcomeUnknownError,
} from "../errors.ts";
import { readOptions } from "../options.ts";
import type { Facts } from "../schema/facts.ts";
import { NO_FACTS } from "../schema/one_row.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import type { ChosenId, Commits, Ending } from "./commits.ts";
import { refuseStrayCounters } from "./counters.ts";
import type { Ground } from "./ground.ts";
import { namesCommits, refuseHelperTables } from "./helper_tables.ts";
import { hashOf } from "./hash.ts";
import { type CommitId, mint } from "./log.ts";
import {
  CHOSEN,
  fencedOff,
  lost,
  notApplied,
  refusal,
  restless,
  withId,
  withoutResult,
} from "./outcomes.ts";
import { type Call, own } from "./own.ts";
import { Rowids, withoutStaleId } from "./rowids.ts";
import { type Form, Write } from "./write.ts";
import { isDdl, isOnlyDdl, namesUnknown, tableOf, targetsOf, writtenBy } from "./written.ts";

/** The longest waits before a write is built anew because the schema has changed, in milliseconds. */
const FIRST_PAUSE = 5;
const LONGEST_PAUSE = 500;

/** How long an account that may not make the table of commits is not asked again, in milliseconds. */
const DENIED = 10_000;

/** Sets `changes()` to 0: what follows shows by it whether it did anything. */
const RESET: Prepared = own("UPDATE _rqlite_commit SET state = state WHERE 0");

/** Fails where the statement before it failed or did nothing, so that no id is kept without its write. */
const DID_SOMETHING: Prepared = own(
  "SELECT CASE WHEN changes() > 0 THEN 1 ELSE json_extract('{}','_rqlite_nothing') END",
);

/** An id, and the ground that its commit stands on. */
interface Minted extends Ground {
  readonly id: CommitId;
}

/** Writes outside of transactions: each call is one commit with an id, sent again until it is known what became of it. */
export class Writes {
  readonly #backend: Backend;
  readonly #commits: Commits;
  readonly #exactlyOnce: boolean;
  readonly #rowids: Rowids;
  #deniedUntil = -Infinity;

  /** @param exactlyOnce What calls do that do not say. */
  constructor(backend: Backend, commits: Commits, exactlyOnce: boolean) {
    this.#backend = backend;
    this.#commits = commits;
    this.#exactlyOnce = exactlyOnce;
    this.#rowids = new Rowids(backend.dispatcher);
  }

  /** See `Executor.execute`. */
  async execute(statement: Statement, options: ExecuteOptions | undefined): Promise<Result> {
    return (await this.#run(
      new Write(this.#backend, [statement], readOptions(options, EXECUTE), false),
    ))[0]!;
  }

  /** See `Executor.batch`. */
  async batch(
    statements: readonly Statement[],
    options: BatchOptions | undefined,
  ): Promise<Result[]> {
    return await this.#run(new Write(this.#backend, statements, readOptions(options, BATCH), true));
  }

  async #run(write: Write): Promise<Result[]> {
    const { options } = write;
    const { grounds } = this.#commits;
    const { id, exactlyOnce, atomic = true } = checked(options);
    write.prepare(grounds.knownFacts);
    const { statements } = write;
    if (!statements.some(({ analysis }) => changes(analysis))) {
      // Nobody could tell later what became of it.
      if (id !== undefined) {
        throw new TypeError("Cannot use `id` as nothing is written: leave it out");
      }
      refuseCounters(write, false);
      return statements.length === 0 ? write.place([]) : await this.#plainly(write);
    }
    if (id !== undefined) { for (const statement of statements) refuseHelperTables(statement); }
    const outside = atomic ? statements.find(isOutside) : undefined;
    if (outside !== undefined && (id !== undefined || exactlyOnce === true)) {
      throw notWithId(outside);
    }
    if (!atomic || statements.length < 2) refuseLonely(statements);
    refuseCounters(write, true);
    if (
      atomic && outside === undefined && (id !== undefined || (exactlyOnce ?? this.#exactlyOnce))
    ) {
      const explicit = id !== undefined || exactlyOnce === true;
      if (explicit || await this.#mayCommit(write.call)) return await this.#commit(write, id);
    }
    await this.#complete(write);
    refuseCounters(write, false);
    return await this.#plainly(write);
  }

  /** Whether the account may do what commits need; not without an answer. */
  async #mayCommit(call: Call): Promise<boolean> {
    if (performance.now() < this.#deniedUntil) return false;
    try {
      await this.#commits.grounds.ready(call);
      return true;
    } catch (error) {
      if (!isDenial(error)) throw error;
      this.#deniedUntil = performance.now() + DENIED;
      return false;
    }
  }

  /** Makes the statements ready by the schema, as far as the account may read that. */
  async #complete(write: Write): Promise<void> {
    if (!write.needsFacts) return;
    this.#doubt(write);
    const facts = await this.#factsFor(write.call);
    if (facts === undefined) write.prepare(NO_FACTS, write.steps.map(() => NO_FACTS));
    else await this.#prepare(write, facts);
  }

  async #factsFor(call: Call): Promise<Facts | undefined> {
    if (performance.now() < this.#deniedUntil) return undefined;
    try {
      return await this.#commits.grounds.facts(call);
    } catch (error) {
      if (!isDenial(error)) throw error;
      this.#deniedUntil = performance.now() + DENIED;
      return undefined;
    }
  }

  /** In one request that nobody repeats. */
  async #plainly(write: Write): Promise<Result[]> {
    const atomic = write.options.atomic ?? true;
    const { dispatcher } = this.#backend;
    const schema = write.statements.some(({ analysis }) => analysis.kind === "ddl");
    try {
      const results = await (atomic ? runAtomic : runLoose)(dispatcher, write.batch);
      return write.place(await this.#withoutStaleIds(results, write));
    } finally {
      if (schema) this.#commits.grounds.forget();
    }
  }

  async #withoutStaleIds(results: readonly Result[], write: Write): Promise<Result[]> {
    const { statements, facts, call } = write;
    const checked: Result[] = [];
    for (const [i, result] of results.entries()) {
      checked.push(await this.#rowids.checked(result, statements[i]!, facts[i], call));
    }
    return checked;
  }

  async #commit(write: Write, id: string | undefined): Promise<Result[]> {
    const { call } = write;
    const chosen = id === undefined ? undefined : await this.#chosen(id, write);
    for (let round = 0;; round++) {
      const own = await this.#mint(write);
      let form: Form;
      try {
        form = await this.#form(write, own.facts);
      } catch (error) {
        // What the same call did before may be why it fails now.
        if (chosen === undefined || !isOfStatement(error)) throw error;
        return write.place(await this.#conclude(write, [chosen.id], error, chosen));
      }
      const ending = await this.#send(write, form, own, chosen);
      if (ending.is === "committed") return write.place(this.#results(write, form, ending, own));
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
    this.#doubt(write);
    const { base, facts } = await this.#commits.grounds.ready(write.call);
    await this.#prepare(write, facts);
    return { id: mint(base), base, facts };
  }

  /** Makes the statements ready by the schema, also by what they change of it themselves. */
  async #prepare(write: Write, facts: Facts): Promise<void> {
    write.prepare(facts);
    const { steps } = write;
    if (steps.length > 0) {
      const later = await this.#behind(steps.map(({ statements }) => statements), write);
      // Where that fails, the list will, too.
      write.prepare(facts, later ?? steps.map(() => facts));
    }
    refuseCounters(write, true);
  }

  /** The schema behind each step: rows seldom matter to it, and may be many. */
  async #behind(
    steps: readonly (readonly Prepared[])[],
    { call, options }: Write,
  ): Promise<readonly Facts[] | undefined> {
    const { grounds } = this.#commits;
    let ddl = steps.map((step) => step.filter(isDdl));
    let behind = await grounds.behind(ddl, call);
    if ("failed" in behind && steps.some((step, i) => ddl[i]!.length < step.length)) {
      const whole = await grounds.behind(steps, call);
      if ("facts" in whole) behind = whole;
    }
    while ("failed" in behind) {
      const { failed } = behind;
      // Where each statement stands for itself, the others go on without it.
      if (options?.atomic !== false || !isDdl(failed)) return undefined;
      ddl = ddl.map((step) => step.filter((statement) => statement !== failed));
      behind = await grounds.behind(ddl, call);
    }
    return behind.facts;
  }

  async #send(
    { statements, call }: Write,
    form: Form,
    { id, base, facts }: Minted,
    chosen: ChosenId | undefined,
  ): Promise<Ending> {
    const entry = {
      id,
      hash: undefined,
      wrote: writtenBy(statements, facts),
      // What is nothing but DDL was made by no facts.
      since: statements.every(isOnlyDdl) ? undefined : base,
      scopes: [],
      tables: targetsOf(statements, facts),
    };
    const commit = { entry, chosen, earlier: [], ...form };
    return await this.#commits.commit(commit, call);
  }

  /** A table that is not known may be another program's, made a moment ago. */
  #doubt({ statements }: Write): void {
    const { grounds } = this.#commits;
    const { knownFacts } = grounds;
    if (knownFacts !== undefined && namesUnknown(statements, knownFacts)) grounds.forget();
  }

  async #chosen(id: string, { forms, call }: Write): Promise<ChosenId> {
    return { id: await this.#commits.identify(id, call), hash: await hashOf(forms) };
  }

  /** What is sent behind the ids. */
  async #form({ statements, batch, keepsRows }: Write, facts: Facts): Promise<Form> {
    const { dispatcher } = this.#backend;
    const { returningAborts } = dispatcher.capabilities;
    // What a trigger does in place of a write to a view, `changes()` does not tell.
    const tells = returningAborts ||
      statements.every(({ analysis: { returning, table } }) =>
        !returning || tableOf(table, facts)?.kind === "table"
      );
    if (tells && (returningAborts || !keepsRows) && isSound(statements, returningAborts)) {
      const alone = statements.some(({ analysis }) => analysis.returning) && !returningAborts;
      return alone
        ? { statements: [RESET, ...statements, DID_SOMETHING], mixed: true, before: 1 }
        : { statements, mixed: false, before: 0 };
    }
    await rehearse(dispatcher, batch);
    return { statements: [...statements, SENTINEL], mixed: true, before: 0 };
  }

  #results(
    write: Write,
    { before }: Form,
    { reply }: Ending & { is: "committed" },
    { id: { id }, facts }: Minted,
  ): Result[] {
    const { statements, positions, call } = write;
    const own = { ...reply, first: reply.first + before };
    // Only in a list with reads, where a statement that does not compile any more stops nothing.
    if (firstError(own, statements) >= 0) throw tornBatch(own, statements, positions, id);
    let results: Result[];
    try {
      results = resultsOf(own, statements, call.settings, { positions });
    } catch (error) {
      throw error instanceof OutcomeUnknownError ? withId(error, id) : error;
    }
    const by = write.facts;
    return results.map((result, i) => withoutStaleId(result, statements[i]!, by[i] ?? facts));
  }

  /** An error of the schema may come from facts that another program has made old. */
  async #isAnotherSchema(text: string, facts: Facts, call: Call): Promise<boolean> {
    if (!/^no such (table|column)|has no column named|values for \d+ columns/.test(text)) {
      return false;
    }
    this.#commits.grounds.forget();
    return (await this.#commits.grounds.facts(call)).version !== facts.version;
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

/** It says of a statement that it fails; others say of the network that it does. */
function isOfStatement(error: unknown): error is DatabaseError {
  return error instanceof DatabaseError && error.sql !== undefined;
}

function checked({ id, exactlyOnce, atomic = true }: BatchOptions): BatchOptions {
  if (id !== undefined && exactlyOnce === false) {
    throw new TypeError(
      "Cannot use `id` with `exactlyOnce: false`: an id is what makes it exactly-once",
    );
  }
  if (!atomic && (id !== undefined || exactlyOnce === true)) {
    throw new TypeError(
      "Cannot make a batch exactly-once with `atomic: false`, as each statement stands for itself: leave one of them out",
    );
  }
  return { id, exactlyOnce, atomic };
}

/** What cannot be in a transaction, or writes where commits do. */
function isOutside(statement: Prepared): boolean {
  const { verb, pragma } = statement.analysis;
  return verb === "VACUUM" || pragma?.place === "alone" || namesCommits(statement);
}

/** @param entered An id is entered in front of the statements. */
function refuseCounters({ statements, facts, options }: Write, entered: boolean): void {
  const atomic = options?.atomic ?? true;
  const factsOf = (i: number) => facts[i];
  refuseStrayCounters(statements, { factsOf, entered: atomic && entered, apart: !atomic });
}

/** @throws {NotSupportedError} For what ends with the transaction around it, where there is none. */
function refuseLonely(statements: readonly Prepared[]): void {
  const lonely = statements.find(({ analysis }) => analysis.pragma?.place === "unit");
  if (lonely === undefined) return;
  const { source, pragma } = lonely.analysis;
  throw new NotSupportedError(
    `Cannot send PRAGMA ${
      pragma!.name
    } by itself as it holds until the next commit, be it another client's: ` +
      "put it into the batch or transaction that it is for",
    { sql: source },
  );
}

function notWithId({ analysis }: Prepared): NotSupportedError {
  return new NotSupportedError(
    `Cannot run ${analysis.verb} exactly once as it cannot be part of a transaction`,
    { sql: analysis.source },
  );
}

function isDenial(error: unknown): boolean {
  return error instanceof AuthenticationError || error instanceof NotSupportedError;
}
