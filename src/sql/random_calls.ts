import type { TokenView } from "./token_view.ts";

/** A call of `random` or `randomblob`. */
export interface RandomCall {
  /** The function; "unclear" where the size of the blob cannot be told. */
  readonly kind: "random" | "randomblob" | "unclear";
  /** How many bytes a `randomblob` has. */
  readonly size?: number;
  /** The number of the placeholder that is the size. */
  readonly index?: number;
}

/**
 * Reads the call whose `(` is at `open`, if it is one that SQLite would accept.
 *
 * @param last The index of its `)`.
 * @param name The function's name in lower case.
 * @param indexOf The number of the placeholder at an offset.
 */
export function randomCall(
  view: TokenView,
  open: number,
  last: number,
  name: string,
  indexOf: (start: number) => number,
): RandomCall | undefined {
  if (name === "random") return withoutArgument(view, open, last);
  return name === "randomblob" ? blobCall(view, open, last, indexOf) : undefined;
}

/** `random()`, and `random(*)`, which is the same. */
function withoutArgument(view: TokenView, open: number, last: number): RandomCall | undefined {
  return last === open + (view.is(open + 1, "*") ? 2 : 1) ? { kind: "random" } : undefined;
}

function blobCall(
  view: TokenView,
  open: number,
  last: number,
  indexOf: (start: number) => number,
): RandomCall | undefined {
  if (last <= open + 1) return undefined;
  const negative = view.is(open + 1, "-");
  const at = negative || view.is(open + 1, "+") ? open + 2 : open + 1;
  if (last !== at + 1) return { kind: "unclear" };
  const kind = view.tokens[at]?.kind;
  if (kind === "placeholder" && !negative) {
    return { kind: "randomblob", index: indexOf(view.start(at)) };
  }
  if (view.isWord(at, "NULL")) return { kind: "randomblob", size: 1 };
  if (kind !== "number") return { kind: "unclear" };
  const size = Number(view.text(at).replaceAll("_", ""));
  return { kind: "randomblob", size: negative ? 1 : Math.max(1, Math.trunc(size)) };
}

/** One row; each row that an UPDATE or DELETE changes; as many as there may be. */
export type RowsServed = "one" | "changed" | "many";

const COMPOUND: readonly string[] = ["UNION", "EXCEPT", "INTERSECT"];

/** What INSERTs are made complete with; where chance is part of that, it is one row. */
const OWN_ROWS = "_rqlite_rows";

/**
 * Follows the place outwards: what stands in a SELECT with FROM is evaluated for each of its rows.
 *
 * @param at The index of a token in the place.
 * @param verbAt The index of the main keyword.
 */
export function rowsServed(view: TokenView, at: number, verbAt: number): RowsServed {
  let i = at;
  for (let open = openingOf(view, i); open >= 0; open = openingOf(view, i)) {
    if (readsRows(view, coreAround(view, i, [open + 1, view.behind(open) - 1]))) return "many";
    i = open;
  }
  // A common table expression without FROM is one row.
  if (i < verbAt) return "one";
  if (view.isOneOf(verbAt, ["UPDATE", "DELETE"])) return "changed";
  const source: Range = [verbAt, sourceEnd(view, verbAt)];
  const one = i < source[1]
    ? !readsRows(view, coreAround(view, i, source))
    : isOneRow(view, source);
  return one ? "one" : "many";
}

type Range = readonly [from: number, to: number];

/** The index of the parenthesis that is open at `i`; -1 if there is none. */
function openingOf(view: TokenView, i: number): number {
  let depth = 0;
  for (let at = i - 1; at >= 0; at--) {
    if (view.is(at, ")")) depth++;
    else if (view.is(at, "(") && depth-- === 0) return at;
  }
  return -1;
}

/** Where ON CONFLICT or RETURNING begins. */
function sourceEnd(view: TokenView, from: number): number {
  let at = from;
  for (; at < view.tokens.length; at = view.behind(at)) {
    if (view.isWord(at, "RETURNING")) break;
    if (view.isWord(at, "ON") && view.isWord(at + 1, "CONFLICT")) break;
  }
  return at;
}

/** The part of a compound SELECT around `i`, at its own depth. */
function coreAround(view: TokenView, i: number, [from, to]: Range): Range {
  let first = from;
  for (let at = from; at < to; at = view.behind(at)) {
    if (!view.isOneOf(at, COMPOUND)) continue;
    if (at > i) return [first, at];
    first = at;
  }
  return [first, to];
}

/** Whether it is a SELECT that has FROM, and there not one row for sure. */
function readsRows(view: TokenView, [from, to]: Range): boolean {
  let selects = false;
  for (let at = from; at < to; at = view.behind(at)) {
    selects ||= view.isWord(at, "SELECT");
    const reads = selects && view.isWord(at, "FROM") && !view.isWord(at - 1, "DISTINCT");
    if (reads && !isOneSource(view, at + 1, to)) return true;
  }
  return false;
}

/** One row of our own, or a SELECT without FROM; nothing is joined to it. */
function isOneSource(view: TokenView, at: number, to: number): boolean {
  const next = view.behind(at);
  if (next < to && !view.isWord(next, "WHERE")) return false;
  return view.name(at).toLowerCase() === OWN_ROWS ||
    (view.is(at, "(") && isOneRow(view, [at + 1, next - 1]));
}

/** Whether it is VALUES of one row, or one SELECT without FROM. */
function isOneRow(view: TokenView, [from, to]: Range): boolean {
  for (let at = from; at < to; at = view.behind(at)) {
    if (view.isWord(at, "SELECT")) {
      const core = coreAround(view, at, [at, to]);
      return core[1] === to && !readsRows(view, core);
    }
    if (view.isWord(at, "VALUES")) {
      return !view.is(at + 1, "(") || view.behind(at + 1) === to;
    }
  }
  return false;
}
