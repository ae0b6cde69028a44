import type { Backend } from "../calls/backend.ts";
import { isSound, type PlacedBatch } from "../calls/batch.ts";
import type { CallContext } from "../calls/call_context.ts";
import type { BatchOptions } from "../calls/executor.ts";
import type { LoggedCommit } from "../calls/logged_commits.ts";
import { prepareFor } from "../calls/prepare.ts";
import { emptyResult } from "../calls/read_results.ts";
import { changes } from "../sql/analyse.ts";
import { namesIn, viewOf } from "../schema/node_state.ts";
import { completeInsert } from "../schema/complete_insert.ts";
import type { Facts } from "../schema/facts.ts";
import { changesOneRow } from "../schema/one_row.ts";
import { readsOthers, refuseVolatileViews } from "../schema/refuse_volatile.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import type { Prepared } from "../sql/prepare.ts";
import { volatileValuesOf } from "../sql/volatile_values.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import type { WriteCall } from "./write_call.ts";
import { isDdl, markedFor, nameIn, tableOf } from "./written_tables.ts";

/** What is sent for a write, behind the ids. */
export interface CommitBody {
  /** Those of the write, and ours in front of them and behind. */
  readonly statements: readonly Prepared[];
  /** By `/db/request`. */
  readonly mixed: boolean;
  /** How many statements of ours are in front. */
  readonly before: number;
}

/** Statements between which the schema stays what it is for what they write. */
export interface Step {
  /** The position of the first of them. */
  readonly from: number;
  /** Up to the next step. */
  readonly statements: readonly Prepared[];
}

/** The statements of a call that have content, as they are sent. */
interface Sent {
  readonly statements: Prepared[];
  /** What each of them was made by. */
  readonly facts: (Facts | undefined)[];
  /** Where they stand in the caller's list. */
  readonly places: number[];
}

/** One call: its statements as they were given, and as they are sent. */
export class Write {
  /** The statements as the caller gave them. */
  readonly given: readonly Statement[];
  /** What the caller asked for besides. */
  readonly options: BatchOptions;
  /** What its requests are run with. */
  readonly call: CallContext;
  /** The commit that it took effect by, where that is known. */
  mark: LoggedCommit | undefined;
  /** It goes without an id. */
  plain = false;
  readonly #backend: Backend;
  readonly #placed: boolean;
  readonly #now: Date;
  /** What the statements are made by: the schema of now, and behind each of the steps. */
  #known: readonly (Facts | undefined)[] = [];
  #sent: Sent = { statements: [], facts: [], places: [] };

  /** Prepares nothing yet. */
  constructor(backend: Backend, { forms, options, call, operation, now }: WriteCall) {
    this.#backend = backend;
    this.given = forms;
    this.options = options;
    this.call = call;
    this.#placed = operation !== "execute";
    this.#now = now;
  }

  /**
   * Makes the statements ready to send, by what is known of the schema: at first only those in front of what changes it.
   *
   * @param later What it will be from one of the {@linkcode steps} on.
   */
  prepare(facts: Facts | undefined, later: readonly Facts[] = []): void {
    const known = [facts, ...later];
    if (this.#known.length > 0 && known.every((one, i) => one === this.#known[i])) return;
    const { places } = this.#sent;
    const starts = later.length === 0 ? [] : this.steps.map(({ from }) => places[from] ?? Infinity);
    this.#known = known;
    const sent: Sent = { statements: [], facts: [], places: [] };
    let step = 0;
    let changed = false;
    for (const [i, statement] of this.given.entries()) {
      while ((starts[step] ?? Infinity) <= i) step++;
      const by = changed && step === 0 ? undefined : known[step];
      const made = this.#made(statement, i, by);
      changed ||= isDdl(made);
      if (made.analysis.kind === "empty") continue;
      sent.statements.push(made);
      sent.facts.push(by);
      sent.places.push(i);
    }
    this.#sent = sent;
  }

  #made(statement: Statement, i: number, facts: Facts | undefined): Prepared {
    const prepared = prepareFor(this.#backend, statement, {
      now: this.#now,
      // What is not known yet is asked for before anything is sent.
      oneRow: (sql: string) => facts === undefined || changesOneRow(sql, facts),
      ...(this.#placed && { statementIndex: i }),
      ...(facts !== undefined && { complete: (sql: string) => completeInsert(sql, facts) }),
    });
    if (facts === undefined) return prepared;
    refuseVolatileViews(prepared.analysis, facts);
    return markedFor(prepared, facts);
  }

  /** What each of the statements was made by. */
  get facts(): readonly (Facts | undefined)[] {
    return this.#sent.facts;
  }

  /** What is sent: those with content. */
  get statements(): readonly Prepared[] {
    return this.#sent.statements;
  }

  /** Whether one of them changes anything. */
  get changes(): boolean {
    return this.statements.some(({ analysis }) => changes(analysis));
  }

  /** Where they stand in the caller's list, for errors. */
  get positions(): readonly number[] | undefined {
    return this.#placed ? this.#sent.places : undefined;
  }

  /** The steps in which the schema changes, as far as a statement behind that may leave something to it. */
  get steps(): readonly Step[] {
    const { statements } = this;
    if (statements.length < 2) return [];
    const last = statements.findLastIndex(({ analysis }) => analysis.stores);
    const ddl = statements.slice(0, Math.max(0, last)).findLastIndex(isDdl);
    return stepsOf(statements.slice(0, ddl + 1));
  }

  /**
   * Whether a statement leaves something to the schema: it may where it inserts into a table of the user's, where chance is
   * for the rows that it changes, or where it reads something else, such as a view.
   */
  get needsFacts(): boolean {
    return this.statements.some(({ analysis }) => {
      const { verb, table, text } = analysis;
      if (volatileValuesOf(analysis).some(({ rows }) => rows === "changed")) return true;
      const replaces = verb === "UPDATE" && /\bor\s+replace\b/i.test(text);
      const inserts = verb === "INSERT" || verb === "REPLACE" || replaces;
      return (inserts && !isOwnTable(nameIn(table) ?? "")) || readsOthers(analysis);
    });
  }

  /** The statements as one request. */
  get batch(): PlacedBatch {
    const { statements, call, positions } = this;
    // ON CONFLICT FAIL of the schema keeps rows where there is no transaction to undo.
    const undoes = statements.length > 1 || statements[0]?.analysis.kind === "write";
    const transaction = (this.options.atomic ?? true) && undoes;
    return { statements, positions, transaction, keepsRows: this.keepsRows, ...call };
  }

  /** Whether a statement with RETURNING may fail and keep rows, as far as is known. */
  get keepsRows(): boolean {
    return this.statements.some(({ analysis: { returning, table } }, i) => {
      const facts = this.facts[i];
      return returning && (facts === undefined || tableOf(table, facts)?.keepsRows !== false);
    });
  }

  /** The results of {@linkcode statements} where the caller expects them. */
  place(results: Result[]): Result[] {
    const { places } = this.#sent;
    if (places.length === this.given.length) return results;
    const all = this.given.map(emptyResult);
    for (const [i, result] of results.entries()) all[places[i] ?? i] = result;
    return all;
  }
}

/**
 * Cuts a list in front of each statement that drops or alters what one before it has written, or may have read. What is
 * made does not change what was there, so the schema behind a step is right for every write in it.
 *
 * @param statements Up to the last one that changes the schema.
 */
function stepsOf(statements: readonly Prepared[]): Step[] {
  const starts: number[] = statements.length === 0 ? [] : [0];
  let writes: Prepared[] = [];
  for (const [i, statement] of statements.entries()) {
    if (statement.analysis.stores) writes.push(statement);
    else if (takesAway(statement, writes)) {
      starts.push(i);
      writes = [];
    }
  }
  return starts.map((from, k) => ({ from, statements: statements.slice(from, starts[k + 1]) }));
}

function takesAway(statement: Prepared, writes: readonly Prepared[]): boolean {
  const { verb, text } = statement.analysis;
  if (!isDdl(statement) || verb === "CREATE" || writes.length === 0) return false;
  const view = viewOf(text);
  const names = view && namesIn(view);
  return writes.some(({ analysis }) =>
    names?.has((nameIn(analysis.table) ?? "").toLowerCase()) !== false || readsOthers(analysis)
  );
}

/** Whether `/db/execute` does all that statements say, behind an id and among others. */
export function isPlain(statements: readonly Prepared[], returningAborts: boolean): boolean {
  return isSound(statements, returningAborts) &&
    (returningAborts || !statements.some(({ analysis }) => analysis.returning));
}
