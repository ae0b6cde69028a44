/**
 * Putting the rows of one INSERT together, as a statement for each row costs several times more.
 *
 * @module
 */

import { type Pack, packed } from "../client/request_rows.ts";
import { analyse, type Analysis } from "../sql/analyse.ts";
import { sitesOf } from "../sql/sites.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import type { Bindable } from "../sql/value_check.ts";
import { groupEnd, isName, isPunct, isWord, textOf } from "../sql/words.ts";

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
  const { text, kind, verb, returning } = analysis;
  if (kind !== "write" || (verb !== "INSERT" && verb !== "REPLACE")) return undefined;
  if (returning || sitesOf(analysis).length > 0) return undefined;
  const { tokens } = significantTokens(text);
  const values = valuesAt(text, tokens);
  if (values === undefined || groupEnd(text, tokens, values + 1) !== tokens.length) {
    return undefined;
  }
  const items = itemsOf(analysis, tokens.slice(values + 2, -1));
  return items && packOfItems(text.slice(0, tokens[values]!.end), items);
}

/** The place of VALUES in front of a parenthesis, if everything before it is the plainest form. */
function valuesAt(text: string, tokens: readonly Token[]): number | undefined {
  let at = 1;
  if (isWord(text, tokens[at], "OR")) {
    // A failing row would keep those before it, in the same statement only.
    if (isWord(text, tokens[at + 1], "FAIL")) return undefined;
    at += 2;
  }
  if (!isWord(text, tokens[at++], "INTO") || !isName(tokens[at++])) return undefined;
  if (isPunct(text, tokens[at], ".")) at += 2;
  if (isPunct(text, tokens[at], "(")) at = groupEnd(text, tokens, at);
  return isWord(text, tokens[at], "VALUES") && isPunct(text, tokens[at + 1], "(") ? at : undefined;
}

/** A literal as it is written, or the number of a placeholder. */
type Item = string | number;

/** Expressions are left alone: a subquery would see another table than with the rows one by one. */
function itemsOf({ text, placeholders }: Analysis, tokens: readonly Token[]): Item[] | undefined {
  const numbers = new Map(placeholders.map(({ start, index }) => [start, index]));
  const items: Item[] = [];
  for (const [i, token] of tokens.entries()) {
    if (i % 2 === 1) {
      if (!isPunct(text, token, ",")) return undefined;
    } else if (token.kind === "placeholder") items.push(numbers.get(token.start)!);
    else if (isLiteral(text, token)) items.push(textOf(text, token));
    else return undefined;
  }
  return tokens.length % 2 === 1 ? items : undefined;
}

function isLiteral(text: string, token: Token): boolean {
  return token.kind === "number" || token.kind === "string" || token.kind === "blob" ||
    isWord(text, token, "NULL");
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
