import type { Clause } from "./clause.ts";
import type { TokenView } from "./token_view.ts";

/** How a function takes its time value: how many arguments come before it. */
export interface TimeFunction {
  /** Which arguments are time values. */
  readonly time: readonly [number, ...number[]];
  /** Without a time value it takes the present one. */
  readonly implied: boolean;
}

const first: TimeFunction = { time: [0], implied: true };

const timeFunctions: ReadonlyMap<string, TimeFunction> = new Map<string, TimeFunction>([
  ["date", first],
  ["time", first],
  ["datetime", first],
  ["julianday", first],
  ["unixepoch", first],
  ["strftime", { time: [1], implied: true }],
  ["timediff", { time: [0, 1], implied: false }],
]);

/**
 * The date function of a name.
 *
 * @param name In lower case, without quotes.
 */
export function timeFunction(name: string): TimeFunction | undefined {
  return timeFunctions.get(name);
}

/** They tell of the node, its connection or its build. */
const nodeFunctions: ReadonlySet<string> = new Set([
  "total_changes",
  "sqlite_version",
  "sqlite_source_id",
  "sqlite_compileoption_get",
  "sqlite_compileoption_used",
]);

/**
 * Whether what a function answers is known to the node alone. `changes()` and `last_insert_rowid()`
 * are not among them: behind a write of the same request every node answers the same.
 *
 * @param name In lower case, without quotes.
 */
export function tellsOfNode(name: string): boolean {
  return nodeFunctions.has(name);
}

/** Whether a name in FROM or behind IN is that of a PRAGMA as a table. */
export function isPragmaTable(name: string): boolean {
  return name.length > 7 && name.slice(0, 7).toLowerCase() === "pragma_";
}

/** Whether the text is a modifier that takes the time zone from the node. */
export function isZone(text: string): boolean {
  const lower = text.length === 3 || text.length === 9 ? text.toLowerCase() : "";
  return lower === "utc" || lower === "localtime";
}

/** Whether a function answers one of its arguments as it is. */
export function handsThrough(name: string): boolean {
  return name === "coalesce" || name === "ifnull";
}

/** A value as a date function reads it, up to a NUL character; "" for what cannot be a word of theirs. */
export function timeText(value: unknown): string {
  const short = value instanceof Uint8Array ? decoder.decode(value.subarray(0, 32)) : value;
  if (typeof short !== "string") return "";
  const end = short.length < 1024 ? short.indexOf("\0") : -1;
  return end === -1 ? short : short.slice(0, end);
}

const decoder = new TextDecoder();

/** Whether SQLite takes the text for the present time. */
export function isNow(text: string): boolean {
  return text.length === 3 && text.toLowerCase() === "now";
}

/**
 * Whether SQLite takes the text, where a time value is due, for the present time with fractions of
 * a second.
 */
export function isSubsecond(text: string): boolean {
  const lower = text.length === 6 || text.length === 9 ? text.toLowerCase() : "";
  return lower === "subsec" || lower === "subsecond";
}

/** One depth of parentheses. */
export interface Depth {
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
 * @param depths The depths of parentheses around the token, from the outside in.
 */
export function timeUse(
  view: TokenView,
  i: number,
  depths: readonly Depth[],
): TimeUse | undefined {
  const at = depths.findLastIndex(({ call }) => call !== undefined);
  const depth = depths[at];
  if (depth?.call === undefined || !depth.call.time.includes(depth.argument)) return undefined;
  const direct = at === depths.length - 1 && isArgument(view, i, i + 1);
  return { call: depth.call, clear: direct || isHanded(view, i, depths, at), direct };
}

/**
 * Whether a token inside these depths may become a modifier of a date function.
 *
 * @param depths The depths of parentheses around the token, from the outside in.
 */
export function isModifier(depths: readonly Depth[]): boolean {
  const depth = depths.findLast(({ call }) => call !== undefined);
  return depth?.call?.implied === true && depth.argument > depth.call.time[0];
}

/** Whether the value of the token is the value of the whole argument in the depth at `target`. */
function isHanded(
  view: TokenView,
  i: number,
  depths: readonly Depth[],
  target: number,
): boolean {
  let span: Span = widened(view, [i, i + 1]);
  for (const depth of depths.slice(target + 1).reverse()) {
    const { first, open, through } = depth;
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
