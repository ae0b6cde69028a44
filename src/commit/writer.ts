import { runAtomic, runLoose } from "../calls/batch.ts";
import { Backend } from "../calls/backend.ts";
import type { Host } from "../calls/host.ts";
import { changes } from "../sql/analyse.ts";
import { confirm, noteCommit, noteUnlogged } from "../calls/session.ts";
import type { SessionState } from "../calls/session_state.ts";
import {
  AuthenticationError,
  DataError,
  NotSupportedError,
  OutcomeUnknownError,
  RqliteError,
} from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { NO_FACTS } from "../schema/facts.ts";
import type { Result } from "../sql/value.ts";
import type { WriteCall } from "./write_call.ts";
import { type Commits, commitsOf } from "./commits.ts";
import { type CallContext, until } from "../calls/call_context.ts";
import { doubtFacts, prepareBy } from "./prepare_write.ts";
import { Rowids } from "./rowids.ts";
import { SingleCommit } from "./single_commit.ts";
import { WriteLane } from "./write_lane.ts";
import { Write } from "./write.ts";
import {
  checked,
  isOutside,
  notWithId,
  refuseCounters,
  refuseLonely,
  refuseOwnTables,
} from "./refusals.ts";

/** How long an account that may not make the log of commits is not asked again, in milliseconds. */
const DENIED = 10_000;

/** Writes outside of transactions: each call is one commit with an id, sent again until it is known what became of it. */
export class Writer {
  readonly #backend: Backend;
  readonly #commits: Commits;
  readonly #exactlyOnce: boolean;
  readonly #rowids: Rowids;
  readonly #lane: WriteLane;
  #deniedUntil = -Infinity;

  /** Sends nothing. */
  constructor(host: Host) {
    this.#backend = host.backendBy(Backend);
    const { dispatcher } = this.#backend;
    this.#commits = commitsOf(dispatcher);
    this.#exactlyOnce = host.options.exactlyOnce;
    this.#rowids = new Rowids(dispatcher);
    this.#lane = new WriteLane({
      dispatcher,
      commits: this.#commits,
      mayCommit: (call) => this.#mayCommit(call),
      alone: ({ write, explicit }) => this.#once(write, explicit),
    });
  }

  /** Tells what became of an id; what did not take effect never will. */
  async outcome(
    id: string,
    call: CallContext,
  ): Promise<"committed" | "not committed" | "unknown"> {
    const { deadline } = call;
    if (!this.#backend.intercepted) return await this.#commits.outcome(id, call);
    const made = { operation: "outcome", deadline };
    return await this.#backend.through(
      deadline,
      (layers) =>
        layers.carry(made, (_, deadline) => this.#commits.outcome(id, until(deadline, call))),
    );
  }

  /** Does what `execute` or `batch` was asked for; one result for each statement. */
  run(asked: WriteCall): Promise<Result[]> {
    return this.#backend.intercepted ? this.#runThrough(asked) : this.#run(asked);
  }

  async #runThrough(asked: WriteCall): Promise<Result[]> {
    const { operation, forms, call, call: { settings, deadline } } = asked;
    const made = { operation, forms, single: operation === "execute", settings, deadline };
    return await this.#backend.through(
      deadline,
      (layers) =>
        layers.answer(
          made,
          (forms, deadline) => this.#run({ ...asked, forms, call: until(deadline, call) }),
        ),
    );
  }

  async #run(asked: WriteCall): Promise<Result[]> {
    const write = new Write(this.#backend, asked);
    const { session } = asked.call.settings;
    return await (session === undefined ? this.#send(write) : this.#sendIn(session, write));
  }

  async #sendIn(session: SessionState, write: Write): Promise<Result[]> {
    const { times } = session;
    let refused = false;
    try {
      return await this.#send(write);
    } catch (error) {
      // Of a commit; what goes without an id may have been refused by a copy of its own.
      refused = !write.plain && error instanceof RqliteError &&
        !(error instanceof OutcomeUnknownError || error instanceof DataError);
      throw error;
    } finally {
      if (write.mark !== undefined) noteCommit(session, write.mark, times);
      else if (write.changes && !refused) noteUnlogged(session);
    }
  }

  async #send(write: Write): Promise<Result[]> {
    const { options } = write;
    const { knowledge } = this.#commits;
    const { id, exactlyOnce, atomic = true } = checked(options);
    write.prepare(knowledge.knownFacts);
    const { statements } = write;
    if (!write.changes) {
      // Nobody could tell later what became of it.
      if (id !== undefined) {
        throw new TypeError("Cannot use `id` as nothing is written: leave it out");
      }
      refuseCounters(write, false);
      return statements.length === 0 ? write.place([]) : await this.#plainly(write);
    }
    if (id !== undefined) { for (const statement of statements) refuseOwnTables(statement); }
    const outside = atomic ? statements.find(isOutside) : undefined;
    if (outside !== undefined && (id !== undefined || exactlyOnce === true)) {
      throw notWithId(outside);
    }
    if (!atomic || statements.length < 2) refuseLonely(statements);
    refuseCounters(write, true);
    if (write.call.settings.session?.given) await confirm(this.#backend.dispatcher, write.call);
    if (
      atomic && outside === undefined && (id !== undefined || (exactlyOnce ?? this.#exactlyOnce))
    ) {
      if (id !== undefined) return await this.#commit(write, id);
      const explicit = exactlyOnce === true;
      return this.#lane.takes(write)
        ? await this.#lane.run(write, explicit)
        : await this.#once(write, explicit);
    }
    return await this.#asItIs(write);
  }

  /**
   * What is sent for statements that go into the queue of a node.
   *
   * @throws {NotSupportedError} If one of them is no write, or would keep the node from all that is behind it.
   */
  async queued(asked: WriteCall): Promise<readonly Prepared[]> {
    const write = new Write(this.#backend, asked);
    write.prepare(this.#commits.knowledge.knownFacts);
    await this.#complete(write);
    const { statements } = write;
    if (statements.length === 0) throw new TypeError("Cannot queue nothing: give a statement");
    for (const statement of statements) {
      refuseOwnTables(statement);
      if (!changes(statement.analysis) || isOutside(statement)) {
        const { verb, source } = statement.analysis;
        throw new NotSupportedError(`Cannot queue ${verb} as only writes of rows and DDL can be`, {
          sql: source,
        });
      }
    }
    refuseLonely(statements);
    refuseCounters(write, false);
    return statements;
  }

  /** In a commit of its own, or without one where the account may not and nobody asked for it. */
  async #once(write: Write, explicit: boolean): Promise<Result[]> {
    return explicit || await this.#mayCommit(write.call)
      ? await this.#commit(write, undefined)
      : await this.#asItIs(write);
  }

  /** In a commit of its own. @param id Chosen by the caller. */
  #commit(write: Write, id: string | undefined): Promise<Result[]> {
    return new SingleCommit(this.#backend.dispatcher, this.#commits, write).run(id);
  }

  async #asItIs(write: Write): Promise<Result[]> {
    await this.#complete(write);
    refuseCounters(write, false);
    return await this.#plainly(write);
  }

  /** Whether the account may do what commits need; not without an answer. */
  async #mayCommit(call: CallContext): Promise<boolean> {
    return await this.#unlessDenied(() => this.#commits.knowledge.ready(call)) !== undefined;
  }

  /** What only an account is told that may do what commits need; `undefined` for others. */
  async #unlessDenied<T>(ask: () => Promise<T>): Promise<T | undefined> {
    if (performance.now() < this.#deniedUntil) return undefined;
    try {
      return await ask();
    } catch (error) {
      if (!isDenial(error)) throw error;
      this.#deniedUntil = performance.now() + DENIED;
      return undefined;
    }
  }

  /** Makes the statements ready by the schema, as far as the account may read that. */
  async #complete(write: Write): Promise<void> {
    if (!write.needsFacts) return;
    const { knowledge } = this.#commits;
    doubtFacts(write, knowledge);
    const facts = await this.#unlessDenied(() => knowledge.facts(write.call));
    if (facts === undefined) write.prepare(NO_FACTS, write.steps.map(() => NO_FACTS));
    else await prepareBy(write, facts, knowledge);
  }

  /** In one request that nobody repeats. */
  async #plainly(write: Write): Promise<Result[]> {
    const atomic = write.options.atomic ?? true;
    const { dispatcher } = this.#backend;
    write.plain = true;
    const schema = write.statements.some(({ analysis }) => analysis.kind === "ddl");
    try {
      const results = await (atomic ? runAtomic : runLoose)(dispatcher, write.batch);
      return write.place(await this.#withoutStaleIds(results, write));
    } finally {
      if (schema) this.#commits.knowledge.forget();
    }
  }

  async #withoutStaleIds(results: readonly Result[], write: Write): Promise<Result[]> {
    const { statements, facts, call } = write;
    const checked: Result[] = [];
    for (const [i, statement] of statements.entries()) {
      const result = results[i];
      if (result === undefined) continue;
      checked.push(await this.#rowids.checked(result, statement, facts[i], call));
    }
    return checked;
  }
}

function isDenial(error: unknown): boolean {
  return error instanceof AuthenticationError || error instanceof NotSupportedError;
}
