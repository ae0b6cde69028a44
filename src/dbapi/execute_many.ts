import { type Pack, packed, type RowPlan } from "../client/request_rows.ts";
import { ProgrammingError } from "../errors.ts";
import { analyse, type Analysis, tokensOf } from "../sql/analyse.ts";
import { refuse } from "../sql/refuse.ts";
import { resolveParams } from "../sql/bind_params.ts";
import { volatileValuesOf } from "../sql/volatile_values.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { TokenKind } from "../sql/tokenize.ts";
import type { Params } from "../sql/value.ts";
import type { Bindable } from "../sql/bindable.ts";

/** What is known of the statement of an `executeMany`. */
export class ManyPlan implements RowPlan {
  /** The statement of one row. */
  readonly sql: string;
  /** How several rows are one statement; `undefined` where each is one of its own. */
  readonly pack: MultiRowInsert | undefined;
  readonly #analysis: Analysis;

  /** @throws {ProgrammingError|NotSupportedError} If the statement is not one that writes rows. */
  constructor(sql: string) {
    this.sql = sql;
    this.#analysis = analyse(sql);
    const refusal = notMany(this.#analysis) ?? refuse(this.#analysis);
    if (refusal !== undefined) throw refusal;
    this.pack = multiRowInsertOf(sql);
  }

  /** Adds the values of a row. @throws {ProgrammingError|TypeError|RangeError} If they do not match the statement. */
  add(row: Params, index: number, to: Bindable[]): void {
    const values = resolveParams(this.#analysis, row, index);
    if (this.pack === undefined) to.push(...values);
    else this.pack.add(values, to);
  }
}

function notMany({ kind, verb, source, problem }: Analysis): ProgrammingError | undefined {
  if (kind === "write" || problem !== undefined) return undefined;
  const what = kind === "empty" ? "an empty statement" : verb;
  return new ProgrammingError(
    `Cannot run ${
      what || "the statement"
    } for many rows, only INSERT, REPLACE, UPDATE and DELETE: call execute()`,
    { sql: source },
  );
}

/** An INSERT of which several rows can be one statement, and where the values of its placeholders go. */
export interface MultiRowInsert extends Pack {
  /** Adds the values of one row in the order of the text. */
  add(values: readonly Bindable[], to: Bindable[]): void;
}

/**
 * Tells how to put rows together: only for `INSERT INTO t(…) VALUES(…)` of placeholders and literals, with nothing
 * behind it, where the rows cannot see each other and each statement counts the same alone or together.
 */
export function multiRowInsertOf(sql: string): MultiRowInsert | undefined {
  const analysis = analyse(sql);
  const { kind, verb, returning } = analysis;
  if (kind !== "write" || (verb !== "INSERT" && verb !== "REPLACE")) return undefined;
  if (returning || volatileValuesOf(analysis).length > 0) return undefined;
  const view = tokensOf(analysis);
  const values = valuesAt(view);
  if (values === undefined || view.groupEnd(values + 1) !== view.tokens.length) return undefined;
  const items = itemsOf(analysis, view.slice(values + 2, -1));
  return items && insertOfItems(view.sql.slice(0, view.end(values)), items);
}

/** The place of VALUES in front of a parenthesis, if everything before it is the plainest form. */
function valuesAt(view: TokenView): number | undefined {
  let at = 1;
  if (view.isWord(at, "OR")) {
    // A failing row would keep those before it, in the same statement only.
    if (view.isWord(at + 1, "FAIL")) return undefined;
    at += 2;
  }
  if (!view.isWord(at++, "INTO") || !view.isName(at++)) return undefined;
  if (view.is(at, ".")) at += 2;
  if (view.is(at, "(")) at = view.groupEnd(at);
  return view.isWord(at, "VALUES") && view.is(at + 1, "(") ? at : undefined;
}

/** A literal as it is written, or the number of a placeholder. */
type Item = string | number;

/** Expressions are left alone: a subquery would see another table than with the rows one by one. */
function itemsOf({ placeholders }: Analysis, view: TokenView): Item[] | undefined {
  const numbers = new Map(placeholders.map(({ start, index }) => [start, index]));
  const items: Item[] = [];
  for (const [i, { kind, start }] of view.tokens.entries()) {
    if (i % 2 === 1) {
      if (!view.is(i, ",")) return undefined;
    } else if (isLiteral(kind) || view.isWord(i, "NULL")) items.push(view.text(i));
    else {
      const number = numbers.get(start);
      if (number === undefined) return undefined;
      items.push(number);
    }
  }
  return view.tokens.length % 2 === 1 ? items : undefined;
}

function isLiteral(kind: TokenKind): boolean {
  return kind === "number" || kind === "string" || kind === "blob";
}

function insertOfItems(head: string, items: readonly Item[]): MultiRowInsert {
  const numbers = items.filter((item) => typeof item === "number");
  return {
    ...packed(head, items.map((item) => typeof item === "number" ? "?" : item)),
    add: (values, to) => {
      for (const number of numbers) to.push(values[number - 1] ?? null);
    },
  };
}
