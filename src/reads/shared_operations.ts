// The functions and operators that every SQLite computes alike, given what their arguments are. What is not named here
// may differ: between versions, by the settings of a connection, or by what a node knows of itself.

import { either, isCountable, isTextSafe, type ValueKind } from "./value_kind.ts";

/** What is known of an argument. */
export interface Argument {
  /** What its value is. */
  readonly kind: ValueKind;
  /** Its text, if it is a literal. */
  readonly literal: string | undefined;
  /** Whether it is a placeholder. */
  readonly bound: boolean;
}

/** What a function makes of its arguments; `undefined` if that may differ. */
type Rule = (args: readonly Argument[]) => ValueKind | undefined;

const ofText = (result: ValueKind): Rule => (args) =>
  args.every(({ kind }) => isTextSafe(kind)) ? result : undefined;

const always = (result: ValueKind): Rule => () => result;

const oneOf = (from: number): Rule => (args) =>
  args.slice(from).reduce<ValueKind>((kind, arg) => either(kind, arg.kind), "null");

const SCALAR: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ...[
    "lower",
    "upper",
    "trim",
    "ltrim",
    "rtrim",
    "substr",
    "substring",
    "replace",
    "hex",
    "quote",
    "char",
  ]
    .map((name): [string, Rule] => [name, ofText("text")]),
  ...["json_array", "json_object", "json_quote"].map((
    name,
  ): [string, Rule] => [name, ofText("text")]),
  ...["length", "instr", "unicode", "glob"].map((
    name,
  ): [string, Rule] => [name, ofText("integer")]),
  ...["coalesce", "ifnull"].map((name): [string, Rule] => [name, oneOf(0)]),
  ["nullif", ([first]) => first?.kind],
  ["iif", oneOf(1)],
  ["typeof", always("text")],
  ["abs", ([arg]) => arg === undefined ? undefined : plus(arg.kind, "integer")],
  ["printf", formatted],
  ["format", formatted],
  ["date", (args) => time(args, "text")],
  ["time", (args) => time(args, "text")],
  ["datetime", (args) => time(args, "text")],
  ["unixepoch", (args) => time(args, "integer")],
  ["strftime", ([format, ...args]) => {
    return /^'([^%']|%[YmdHMSjws%])*'$/.test(format?.literal ?? "")
      ? time(args, "text")
      : undefined;
  }],
]);

const AGGREGATE: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["count", always("integer")],
  ["sum", ([arg]) => arg !== undefined && isCountable(arg.kind) ? "integral" : undefined],
  ["total", ([arg]) => arg !== undefined && isCountable(arg.kind) ? "any" : undefined],
  ["avg", ([arg]) => arg !== undefined && isCountable(arg.kind) ? "any" : undefined],
  ["min", oneOf(0)],
  ["max", oneOf(0)],
  ...["group_concat", "string_agg", "json_group_array", "json_group_object"]
    .map((name): [string, Rule] => [name, ofText("text")]),
]);

/** Their result is put together in the order in which rows come. */
const ORDERED: ReadonlySet<string> = new Set([
  "group_concat",
  "string_agg",
  "json_group_array",
  "json_group_object",
]);

const RANKS: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ["rank", always("integer")],
  ["dense_rank", always("integer")],
  ["row_number", always("integer")],
  ["ntile", always("integer")],
  ["lag", oneOf(0)],
  ["lead", oneOf(0)],
  ["first_value", oneOf(0)],
  ["last_value", oneOf(0)],
  ["nth_value", oneOf(0)],
]);

/** The same for all rows that a window's ORDER BY does not tell apart. */
const PEERS: ReadonlySet<string> = new Set([
  "rank",
  "dense_rank",
  "count",
  "sum",
  "total",
  "avg",
  "min",
  "max",
]);

/** They can fail on a value that another column holds. */
export const CAN_FAIL: ReadonlySet<string> = new Set(["sum", "total", "avg", "abs"]);

/** They tell what the connection did before, which nothing can check. */
export const COUNTERS: ReadonlySet<string> = new Set([
  "last_insert_rowid",
  "changes",
  "total_changes",
]);

/** Whether a call makes one value of many rows. */
export function isAggregate(name: string, args: number): boolean {
  return AGGREGATE.has(name) && (args < 2 || (name !== "min" && name !== "max"));
}

/** Whether the result of an aggregate depends on the order of the rows. */
export function needsOrder(name: string): boolean {
  return ORDERED.has(name);
}

/** Whether a window function answers the same for rows that its ORDER BY does not tell apart. */
export function isOfPeers(name: string): boolean {
  return PEERS.has(name);
}

/** What a call answers; `undefined` where that may differ. */
export function kindOfCall(
  name: string,
  args: readonly Argument[],
  windowed: boolean,
): ValueKind | undefined {
  if (windowed) return (RANKS.get(name) ?? AGGREGATE.get(name))?.(args);
  if (isAggregate(name, args.length)) return AGGREGATE.get(name)?.(args);
  if (name === "min" || name === "max") return oneOf(0)(args);
  return SCALAR.get(name)?.(args);
}

function formatted([format, ...args]: readonly Argument[]): ValueKind | undefined {
  if (!/^'([^%']|'')*(%-?0?[0-9]{0,3}[dsxXo%]([^%']|'')*)*'$/.test(format?.literal ?? "")) {
    return undefined;
  }
  return ofText("text")(args);
}

const MODIFIER =
  /^'([+-]?[0-9]{1,9} (day|hour|minute|second|month|year)s?|start of (day|month|year)|unixepoch|weekday [0-6])'$/i;

/** The text of a column may be 'now', which only a literal and a placeholder are known not to be. */
function time(
  [value, ...modifiers]: readonly Argument[],
  result: ValueKind,
): ValueKind | undefined {
  if (value === undefined) return undefined;
  const known = value.bound || value.kind === "integer" || /^'[0-9]/.test(value.literal ?? "");
  const named = modifiers.every(({ literal }) => MODIFIER.test(literal ?? ""));
  return known && named ? result : undefined;
}

/** What an operator answers; `undefined` where that may differ. */
export function kindOfOperator(name: string, kinds: readonly ValueKind[]): ValueKind | undefined {
  const [first = "null", second = "null"] = kinds;
  switch (name) {
    case "||":
      return isTextSafe(first) && isTextSafe(second) ? "text" : undefined;
    case "GLOB":
      return isTextSafe(first) && isTextSafe(second) ? "integer" : undefined;
    case "+":
    case "-":
    case "*":
    case "/":
    case "%":
      return plus(first, second);
    case "unary -":
      return plus(first, "integer");
    case "unary +":
      return first;
    // PRAGMA case_sensitive_like is a setting of the connection; REGEXP is whatever somebody defined.
    case "LIKE":
    case "REGEXP":
    case "MATCH":
    case "->":
    case "->>":
      return undefined;
  }
  return "integer";
}

/** What CAST answers; `undefined` where that may differ. */
export function kindOfCast(to: ValueKind | "real", from: ValueKind): ValueKind | undefined {
  if (to === "text") return isTextSafe(from) ? "text" : undefined;
  if (to === "integer") return "integer";
  return isCountable(from) ? "any" : undefined;
}

/** What a sum or the like is: numbers that come of text are read by each version in its own way. */
export function plus(a: ValueKind, b: ValueKind): ValueKind | undefined {
  if (a === "text" || b === "text") return undefined;
  return isCountable(a) && isCountable(b) ? "integral" : "any";
}
