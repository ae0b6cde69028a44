/**
 * Putting the rows of one INSERT together, as a statement for each row costs several times more.
 *
 * @module
 */

import { type Pack, packed } from "../client/request_rows.ts";
import { analyse, type Analysis, tokensOf } from "../sql/analyse.ts";
import { sitesOf } from "../sql/sites.ts";
import type { Bindable } from "../sql/value_check.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { TokenKind } from "../sql/tokenize.ts";

/** An INSERT of which several rows can be one statement, and where the values of its placeholders go. */
export interface TextPack extends Pack {
  /** Adds the values of one row in the order of the text. */
  add(values: readonly Bindable[], to: Bindable[]): void;
}

/**
 * Tells how to put rows together: only for `INSERT INTO t(…) VALUES(…)` of placeholders and literals, with nothing
 * behind it, where the rows cannot see each other and each statement counts the same alone or together.
 */
export function packOf(sql: string): TextPack | undefined {
  const analysis = analyse(sql);
  const { kind, verb, returning } = analysis;
  if (kind !== "write" || (verb !== "INSERT" && verb !== "REPLACE")) return undefined;
  if (returning || sitesOf(analysis).length > 0) return undefined;
  const view = tokensOf(analysis);
  const values = valuesAt(view);
  if (values === undefined || view.groupEnd(values + 1) !== view.tokens.length) return undefined;
  const items = itemsOf(analysis, view.slice(values + 2, -1));
  return items && packOfItems(view.sql.slice(0, view.end(values)), items);
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

function packOfItems(head: string, items: readonly Item[]): TextPack {
  const numbers = items.filter((item) => typeof item === "number");
  return {
    ...packed(head, items.map((item) => typeof item === "number" ? "?" : item)),
    add: (values, to) => {
      for (const number of numbers) to.push(values[number - 1]!);
    },
  };
}
