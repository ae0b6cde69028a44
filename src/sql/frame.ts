/**
 * Following a value outwards, from a token to the date function whose time it is.
 *
 * @module
 */

import type { Clause } from "./clause.ts";
import type { TimeFunction } from "./functions.ts";
import type { TokenView } from "./token_view.ts";

/** One depth of parentheses. */
export interface Frame {
  /** The date function whose arguments these are. */
  readonly call: TimeFunction | undefined;
  /** The value of an argument is the value of the whole. */
  readonly through: boolean;
  /** The index of the first token, the function's name if there is one. */
  readonly first: number;
  /** The index of the `(`, -1 outside of all. */
  readonly open: number;
  /** What the tokens are part of. */
  clause: Clause;
  /** How many commas came before. */
  argument: number;
}

/** How a date function takes a token. */
export interface TimeUse {
  /** The date function. */
  readonly call: TimeFunction;
  /** Nothing is done to the value on the way. */
  readonly clear: boolean;
  /** The token is the argument itself. */
  readonly direct: boolean;
}

/**
 * The date function that takes the token at `i` as its time, if one does.
 *
 * @param frames The depths of parentheses around the token, from the outside in.
 */
export function timeUse(
  view: TokenView,
  i: number,
  frames: readonly Frame[],
): TimeUse | undefined {
  const at = frames.findLastIndex(({ call }) => call !== undefined);
  const frame = frames[at];
  if (frame?.call === undefined || !frame.call.time.includes(frame.argument)) return undefined;
  const direct = at === frames.length - 1 && isArgument(view, i, i + 1);
  return { call: frame.call, clear: direct || isHanded(view, i, frames, at), direct };
}

/**
 * Whether a token inside these frames may become a modifier of a date function.
 *
 * @param frames The depths of parentheses around the token, from the outside in.
 */
export function isModifier(frames: readonly Frame[]): boolean {
  const frame = frames.findLast(({ call }) => call !== undefined);
  return frame?.call?.implied === true && frame.argument > frame.call.time[0]!;
}

/** Whether the value of the token is the value of the whole argument in the frame at `target`. */
function isHanded(
  view: TokenView,
  i: number,
  frames: readonly Frame[],
  target: number,
): boolean {
  let span: Span = widened(view, [i, i + 1]);
  for (let at = frames.length - 1; at > target; at--) {
    const { first, open, through } = frames[at]!;
    if (!through || !isArgument(view, ...span)) return false;
    span = widened(view, [first, view.groupEnd(open)]);
  }
  return isArgument(view, ...span);
}

type Span = readonly [from: number, to: number];

function isArgument(view: TokenView, from: number, to: number): boolean {
  return (view.is(from - 1, "(") || view.is(from - 1, ",")) &&
    (view.is(to, ")") || view.is(to, ","));
}

/** The widest expression of the same value: with `+`, COLLATE, DISTINCT or CASE around it. */
function widened(view: TokenView, [from, to]: Span): Span {
  if (view.isWord(to, "COLLATE")) return widened(view, [from, to + 2]);
  if (view.is(from - 1, "+") || view.isOneOf(from - 1, ["DISTINCT", "ALL"])) {
    return widened(view, [from - 1, to]);
  }
  const branch = view.isOneOf(from - 1, ["THEN", "ELSE"]) &&
    view.isOneOf(to, ["WHEN", "ELSE", "END"]);
  return branch ? widened(view, [caseStart(view, from - 1), caseEnd(view, to)]) : [from, to];
}

function caseStart(view: TokenView, from: number): number {
  let depth = 0;
  for (let i = from; i >= 0; i--) {
    if (view.isWord(i, "END")) depth++;
    else if (view.isWord(i, "CASE") && depth-- === 0) return i;
  }
  return 0;
}

function caseEnd(view: TokenView, from: number): number {
  let depth = 0;
  for (let i = from; i < view.tokens.length; i++) {
    if (view.isWord(i, "CASE")) depth++;
    else if (view.isWord(i, "END") && depth-- === 0) return i + 1;
  }
  return view.tokens.length;
}
