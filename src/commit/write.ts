import type { Backend } from "../calls/backend.ts";
import type { PlacedBatch } from "../calls/batch.ts";
import type { BatchOptions } from "../calls/executor.ts";
import type { Mark } from "../calls/logged_commits.ts";
import { prepareFor } from "../calls/prepare.ts";
import { emptyResult } from "../calls/read_results.ts";
import { changes } from "../calls/read_only.ts";
import { completeInsert } from "../schema/complete_insert.ts";
import type { Facts } from "../schema/facts.ts";
import { changesOneRow } from "../schema/one_row.ts";
import { readsOthers, refuseVolatileViews } from "../schema/refuse_volatile.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import type { Prepared } from "../sql/prepare.ts";
import { sitesOf } from "../sql/sites.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import type { WriteCall } from "./write_call.ts";
import type { Call } from "../calls/call.ts";
import { type Step, stepsOf } from "./steps.ts";
import { isDdl, markedFor, nameIn, tableOf } from "./written_tables.ts";

/** What is sent for a write, behind the ids. */
export interface Form {
  readonly statements: readonly Prepared[];
  /** By `/db/request`. */
  readonly mixed: boolean;
  /** How many statements of ours are in front. */
  readonly before: number;
}

const NOTHING = { statements: [], facts: [] };

/** One call: its statements as they were given, and as they are sent. */
export class Write {
  readonly forms: readonly Statement[];
  readonly options: BatchOptions;
  readonly call: Call;
  /** The commit that it took effect by, where that is known. */
  mark: Mark | undefined;
  /** It goes without an id. */
  plain = false;
  readonly #backend: Backend;
  readonly #placed: boolean;
  readonly #now: Date;
  #facts: readonly (Facts | undefined)[] = [];
  #factsOf: (Facts | undefined)[] = [];
  #all: readonly Prepared[] = [];
  #places: readonly number[] = [];
  #sent: {
    readonly statements: readonly Prepared[];
    readonly facts: readonly (Facts | undefined)[];
  } = NOTHING;

  /** Prepares nothing yet. */
  constructor(backend: Backend, { forms, options, call, operation, now }: WriteCall) {
    this.#backend = backend;
    this.forms = forms;
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
    if (this.#all.length > 0 && known.every((one, i) => one === this.#facts[i])) return;
    const starts = later.length === 0 ? [] : this.steps.map(({ from }) => this.#places[from]!);
    this.#facts = known;
    this.#factsOf = [];
    let step = 0;
    let changed = false;
    this.#all = this.forms.map((form, i) => {
      while (step < starts.length && starts[step]! <= i) step++;
      const by = changed && step === 0 ? undefined : known[step];
      const made = this.#made(form, i, this.#factsOf[i] = by);
      changed ||= isDdl(made);
      return made;
    });
    this.#places = [...this.#all.keys()].filter((i) => this.#all[i]!.analysis.kind !== "empty");
    this.#sent = {
      statements: this.#places.map((i) => this.#all[i]!),
      facts: this.#places.map((i) => this.#factsOf[i]),
    };
  }

  #made(form: Statement, i: number, facts: Facts | undefined): Prepared {
    const prepared = prepareFor(this.#backend, form, {
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
    return this.#placed ? this.#places : undefined;
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
    return this.#all.some(({ analysis }) => {
      const { verb, table, text } = analysis;
      if (sitesOf(analysis).some(({ rows }) => rows === "changed")) return true;
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
    return this.#places.some((i) => {
      const { returning, table } = this.#all[i]!.analysis;
      const facts = this.#factsOf[i];
      return returning && (facts === undefined || tableOf(table, facts)?.keepsRows !== false);
    });
  }

  /** The results of {@linkcode statements} where the caller expects them. */
  place(results: Result[]): Result[] {
    if (this.#places.length === this.#all.length) return results;
    const all = this.#all.map(emptyResult);
    for (const [i, place] of this.#places.entries()) all[place] = results[i]!;
    return all;
  }
}
