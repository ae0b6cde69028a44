/**
 * Where one statement of a script ends.
 *
 * @module
 */

import type { TokenView } from "./token_view.ts";

/**
 * The statements among the significant tokens, as index ranges without their `;`; empty ones are
 * left out. The body of a CREATE TRIGGER stays whole.
 */
export function statementRanges(view: TokenView): [number, number][] {
  const { length } = view.tokens;
  const ranges: [number, number][] = [];
  let from = 0;
  for (let i = 0; i <= length; i++) {
    if (i < length && !endsAt(view, from, i)) continue;
    if (i > from) ranges.push([from, i]);
    from = i + 1;
  }
  return ranges;
}

/** Whether the token at `end` is the `;` behind the statement that begins at `from`. */
export function endsAt(view: TokenView, from: number, end: number): boolean {
  return view.is(end, ";") && !insideTrigger(view, from, end);
}

/** Whether the `;` at `end` belongs to the body of a trigger, which `; END` closes. */
function insideTrigger(view: TokenView, from: number, end: number): boolean {
  if (!isCreateTrigger(view, from)) return false;
  const closed = view.isWord(end - 1, "END") && view.is(end - 2, ";");
  return !closed && hasBegin(view, from, end);
}

function isCreateTrigger(view: TokenView, from: number): boolean {
  let at = from;
  if (view.isWord(at, "EXPLAIN")) at++;
  if (view.isWord(at, "QUERY") && view.isWord(at + 1, "PLAN")) at += 2;
  if (!view.isWord(at, "CREATE")) return false;
  at++;
  if (view.isWord(at, "TEMP") || view.isWord(at, "TEMPORARY")) at++;
  return view.isWord(at, "TRIGGER");
}

/** The body has begun: a `;` before that is the end of a statement that does not compile. */
function hasBegin(view: TokenView, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if (view.is(i, ";") || view.isWord(i, "BEGIN")) return true;
  }
  return false;
}
