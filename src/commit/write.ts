import type { PlacedBatch } from "../client/batch.ts";
import type { Backend } from "../client/backend.ts";
import type { BatchOptions } from "../client/executor.ts";
import { emptyResult } from "../client/results.ts";
import { completeInsert } from "../schema/complete_insert.ts";
import type { Facts } from "../schema/facts.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import type { Prepared } from "../sql/prepare.ts";
import { copyStatement } from "../sql/form.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import { Deadline } from "../transport/deadline.ts";
import type { Call } from "./own.ts";
import { isDdl, markedFor, nameIn } from "./written.ts";

/** What is sent for a write, behind the ids. */
export interface Form {
  readonly statements: readonly Prepared[];
  /** By `/db/request`. */
  readonly mixed: boolean;
  /** How many statements of ours are in front. */
  readonly before: number;
}

/** One call: its statements as they were given, and as they are sent. */
export class Write {
  readonly forms: readonly Statement[];
  readonly options: BatchOptions | undefined;
  readonly call: Call;
  readonly #backend: Backend;
  readonly #placed: boolean;
  readonly #now = new Date();
  #facts: Facts | undefined;
  #all: readonly Prepared[] = [];
  #places: readonly number[] = [];

  /** @param placed Errors name the statement by its position. */
  constructor(
    backend: Backend,
    forms: readonly Statement[],
    options: BatchOptions | undefined,
    placed: boolean,
  ) {
    this.#backend = backend;
    // At once, as what follows waits for answers. Not by an iterator: a text is no list of statements.
    this.forms = forms.map((form) => copyStatement(form));
    this.options = options;
    this.#placed = placed;
    const settings = backend.settings(options);
    this.call = { settings, deadline: new Deadline(settings.timeout, settings.signal) };
  }

  /** Makes the statements ready to send, by what is known of the schema. */
  prepare(facts: Facts | undefined): void {
    if (this.#all.length > 0 && facts === this.#facts) return;
    this.#facts = facts;
    const complete = facts === undefined ? undefined : (sql: string) => completeInsert(sql, facts);
    this.#all = this.forms.map((form, i) => {
      const prepared = this.#backend.prepare(form, {
        now: this.#now,
        ...(this.#placed && { statementIndex: i }),
        ...(complete !== undefined && { complete }),
      });
      return facts === undefined ? prepared : markedFor(prepared, facts);
    });
    this.#places = [...this.#all.keys()].filter((i) => this.#all[i]!.analysis.kind !== "empty");
  }

  /** What the statements were made by. */
  get facts(): Facts | undefined {
    return this.#facts;
  }

  /** What is sent: those with content. */
  get statements(): readonly Prepared[] {
    return this.#places.map((i) => this.#all[i]!);
  }

  /** Where they stand in the caller's list, for errors. */
  get positions(): readonly number[] | undefined {
    return this.#placed ? this.#places : undefined;
  }

  /** The statements up to the last one that changes the schema, if one behind it may leave something to that. */
  get changesSchemaUpTo(): readonly Prepared[] {
    const { statements } = this;
    const last = statements.findLastIndex(({ analysis }) => analysis.kind === "write");
    const ddl = statements.slice(0, Math.max(0, last)).findLastIndex(isDdl);
    return statements.slice(0, ddl + 1);
  }

  /** Whether a statement leaves something to the schema: it may where it inserts into a table of the user's. */
  get leavesDefaults(): boolean {
    return this.#all.some(({ analysis: { verb, table, text } }) => {
      const replaces = verb === "UPDATE" && /\bor\s+replace\b/i.test(text);
      const inserts = verb === "INSERT" || verb === "REPLACE" || replaces;
      return inserts && !isOwnTable(nameIn(table) ?? "");
    });
  }

  /** The statements as one request. */
  get batch(): PlacedBatch {
    const { statements, call, positions } = this;
    const transaction = (this.options?.atomic ?? true) && statements.length > 1;
    return { statements, positions, transaction, ...call };
  }

  /** The results of {@linkcode statements} where the caller expects them. */
  place(results: readonly Result[]): Result[] {
    const all = this.#all.map(emptyResult);
    for (const [i, place] of this.#places.entries()) all[place] = results[i]!;
    return all;
  }
}
