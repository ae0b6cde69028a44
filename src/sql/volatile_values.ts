import { type Analysis, tokensOf } from "./analyse.ts";
import { classify } from "./classify.ts";
import { clauseInside, clauseOf, isCall, isValue } from "./clause.ts";
import { bytesIn } from "./quoting.ts";
import { randomCall, type RowsServed, rowsServed } from "./random_calls.ts";
import { statementRanges } from "./split.ts";
import { TextCache } from "./text_cache.ts";
import {
  type Depth,
  handsThrough,
  isModifier,
  isNow,
  isPragmaTable,
  isSubsecond,
  isZone,
  tellsOfNode,
  timeFunction,
  timeText,
  timeUse,
} from "./time_functions.ts";
import type { TokenView } from "./token_view.ts";
import type { Token } from "./tokenize.ts";

/** What stands at a {@linkcode VolatileValue} and is to be replaced by a literal. */
export type VolatileKind =
  /** `random()` */
  | "random"
  /** `randomblob(16)` or, with `index`, `randomblob(?)` */
  | "randomblob"
  /** `'now'`, or `'subsec'` of timediff */
  | "now"
  /** the place of the missing argument in `datetime()`; also a `*` there */
  | "only"
  /** the place before `'subsec'` in `datetime('subsec')` */
  | "first"
  /** the place behind the format in `strftime('%s')` */
  | "last"
  /** a placeholder as a time value, of number `index` */
  | "bound"
  /** CURRENT_TIMESTAMP */
  | "timestamp"
  /** CURRENT_DATE */
  | "date"
  /** CURRENT_TIME */
  | "time"
  /** something that cannot be replaced; with `index` only if that parameter is the text 'now' */
  | "unclear"
  /** a modifier that takes the node's time zone; with `index` only if that parameter is such a text */
  | "zone"
  /** `total_changes()`, `sqlite_version()`, `pragma_…`: what a node alone knows */
  | "node";

/** A place in the text. */
export interface VolatileValue {
  /** What stands there. */
  readonly kind: VolatileKind;
  /** Offset of what is replaced. */
  readonly start: number;
  /** Offset behind it; equal to `start` where something is inserted. */
  readonly end: number;
  /** The number of the placeholder it depends on. */
  readonly index?: number;
  /** For how many rows a write evaluates chance; one where it is left out. */
  readonly rows?: RowsServed;
  /** How many bytes a `randomblob` has. */
  readonly size?: number;
  /** The date function takes no modifiers behind the time value. */
  readonly bare?: boolean;
}

const cache: TextCache<readonly VolatileValue[]> = new TextCache(1000, 1_000_000);

/** What every node would evaluate for itself; never inside the stored text of DDL. Answers are cached by text. */
export function volatileValuesOf(analysis: Analysis): readonly VolatileValue[] {
  const { stores, kind, text } = analysis;
  if (!stores && kind !== "read" && kind !== "explain") return [];
  const known = cache.get(text);
  if (known !== undefined) return known;
  const values = findValues(analysis);
  cache.set(text, values);
  return values;
}

function findValues(analysis: Analysis): readonly VolatileValue[] {
  const { stores, text, placeholders } = analysis;
  if (!mayHoldVolatile(text)) return [];
  const whole = tokensOf(analysis);
  const [from, to] = statementRanges(whole)[0] ?? [0, 0];
  const view = whole.slice(from, to);
  let next = 0;
  const values = volatileValuesIn(view, (start) => {
    while ((placeholders[next]?.start ?? start) < start) next++;
    return placeholders[next]?.index ?? 0;
  });
  return stores ? values.map((value) => withRows(value, view)) : values;
}

function withRows(value: VolatileValue, view: TokenView): VolatileValue {
  if (value.kind !== "random" && value.kind !== "randomblob") return value;
  const place = view.tokens.findIndex(({ start }) => start === value.start);
  const rows = rowsServed(view, place, classify(view).at);
  return rows === "one" ? value : { ...value, rows };
}

/** What every value contains; most statements need no closer look. */
const candidate =
  /random|\bdate|time|julianday|unixepoch|current_|total_changes|sqlite_[vsc]|pragma_/i;

/** Whether a text may hold such a place. */
function mayHoldVolatile(sql: string): boolean {
  return candidate.test(sql);
}

const presentTime: ReadonlyMap<string, VolatileKind> = new Map<string, VolatileKind>([
  ["CURRENT_TIMESTAMP", "timestamp"],
  ["CURRENT_DATE", "date"],
  ["CURRENT_TIME", "time"],
]);

/**
 * Finds the places, in the order of the text.
 *
 * @param indexOf The number of the placeholder at an offset; asked for in the order of the text.
 */
export function volatileValuesIn(
  view: TokenView,
  indexOf: (start: number) => number,
): VolatileValue[] {
  return mayHoldVolatile(view.sql) ? new Walk(view, indexOf).values() : [];
}

class Walk {
  readonly #view: TokenView;
  readonly #indexOf: (start: number) => number;
  readonly #values: VolatileValue[] = [];
  readonly #outer: Depth[] = [];
  #depth: Depth = {
    call: undefined,
    through: false,
    first: -1,
    open: -1,
    clause: "expression",
    argument: 0,
  };

  constructor(view: TokenView, indexOf: (start: number) => number) {
    this.#view = view;
    this.#indexOf = indexOf;
  }

  values(): VolatileValue[] {
    const { tokens } = this.#view;
    for (let i = 0; i < tokens.length; i++) {
      const token = tokens[i];
      if (token === undefined) break;
      if (token.kind === "punct") i = this.#punct(i, token);
      else if (this.#isPragmaTable(i)) this.#node(i);
      else if (token.kind === "word") this.#word(i, token);
      else if (token.kind !== "number") this.#value(i, token);
    }
    return this.#values;
  }

  #node(i: number): void {
    this.#values.push({ kind: "node", start: this.#view.start(i), end: this.#view.end(i) });
  }

  /** Answers the index of the last token that was dealt with. */
  #punct(i: number, token: Token): number {
    const code = this.#view.sql.charCodeAt(token.start);
    if (code === 40) return this.#open(i);
    if (code === 41) this.#close(token);
    else if (code === 44) this.#depth.argument++;
    return i;
  }

  #open(i: number): number {
    const called = isCall(this.#view, i - 1, this.#depth.clause);
    const name = called ? this.#view.name(i - 1).toLowerCase() : "";
    const last = this.#view.groupEnd(i) - 1;
    const random = randomCall(this.#view, i, last, name, this.#indexOf);
    if (random !== undefined) {
      const place = { start: this.#view.start(i - 1), end: this.#view.end(last) };
      const kind = this.#orders() ? "unclear" : random.kind;
      this.#values.push({ ...random, ...place, kind });
      return last;
    }
    if (tellsOfNode(name)) this.#node(i - 1);
    const depth: Depth = {
      call: timeFunction(name),
      through: !called || handsThrough(name),
      first: called ? i - 1 : i,
      open: i,
      clause: clauseInside(this.#view, i, this.#depth.clause),
      argument: 0,
    };
    this.#outer.push(this.#depth);
    this.#depth = depth;
    return this.#implied(i, depth) ? i + 1 : i;
  }

  /** In ORDER BY and GROUP BY a literal would be a column number, or no order at all. */
  #orders(): boolean {
    return this.#depth.clause === "by" || this.#outer.some(({ clause }) => clause === "by");
  }

  /** `datetime()` and `datetime(*)`: the token behind the parenthesis is dealt with. */
  #implied(i: number, { call }: Depth): boolean {
    const next = this.#view.tokens[i + 1];
    if (call?.implied !== true || call.time[0] !== 0 || next === undefined) return false;
    const star = this.#view.is(i + 1, "*") && this.#view.is(i + 2, ")");
    if (!star && !this.#view.is(i + 1, ")")) return false;
    this.#values.push({ kind: "only", start: next.start, end: star ? next.end : next.start });
    if (!star) this.#leave();
    return true;
  }

  #close({ start }: Token): void {
    const { call, argument, open } = this.#depth;
    const formatOnly = call?.time[0] === 1 && argument === 0 && !this.#view.is(open + 1, ")");
    if (formatOnly) this.#values.push({ kind: "last", start, end: start });
    this.#leave();
  }

  #leave(): void {
    this.#depth = this.#outer.pop() ?? this.#depth;
  }

  #word(i: number, { start, end }: Token): void {
    this.#depth.clause = clauseOf(this.#view, i) ?? this.#depth.clause;
    if (end - start < 12 || end - start > 17) return;
    const kind = presentTime.get(this.#view.text(i).toUpperCase());
    if (kind !== undefined && isValue(this.#view, i, this.#depth.clause)) {
      this.#values.push({ kind, start, end });
    }
  }

  /** As the source of rows, with or without arguments; not as the target of a write. */
  #isPragmaTable(i: number): boolean {
    const view = this.#view;
    if (!view.isName(i) || !isPragmaTable(view.name(i))) return false;
    if (view.isWord(i - 1, "FROM")) return !view.isWord(i - 2, "DELETE");
    if (view.isOneOf(i - 1, ["IN", "JOIN"])) return true;
    const { clause } = this.#depth;
    if (clause === "from" && view.tokens[i - 1]?.kind === "punct") return true;
    return view.is(i + 1, "(") && isCall(view, i, clause);
  }

  #value(i: number, token: Token): void {
    const depths = [...this.#outer, this.#depth];
    if (isModifier(depths)) this.#modifier(i, token);
    const use = timeUse(this.#view, i, depths);
    if (use === undefined) return;
    const { start, end, kind } = token;
    const bare = !use.call.implied;
    if (kind === "placeholder") {
      const index = this.#indexOf(start);
      this.#values.push({ kind: use.clear ? "bound" : "unclear", start, end, index, bare });
      return;
    }
    const text = this.#timeText(i, token);
    // It may be a column.
    const clear = use.clear && kind !== "quoted";
    if (isNow(text)) this.#values.push({ kind: clear ? "now" : "unclear", start, end });
    else if (isSubsecond(text)) {
      if (!use.direct || !clear) this.#values.push({ kind: "unclear", start, end });
      else if (bare) this.#values.push({ kind: "now", start, end });
      else this.#values.push({ kind: "first", start, end: start });
    }
  }

  #modifier(i: number, token: Token): void {
    const { start, end, kind } = token;
    if (kind === "placeholder") {
      this.#values.push({ kind: "zone", start, end, index: this.#indexOf(start) });
    } else if (isZone(this.#timeText(i, token))) {
      this.#values.push({ kind: "zone", start, end });
    }
  }

  /** What a date function would read; text in double quotes is a string for SQLite if no column has that name. */
  #timeText(i: number, { kind, start }: Token): string {
    if (kind === "blob") return timeText(bytesIn(this.#view.text(i).slice(2, -1)));
    if (kind === "string") return this.#view.name(i);
    const qualified = this.#view.is(i - 1, ".") || this.#view.is(i + 1, ".");
    return this.#view.sql.charCodeAt(start) === 34 && !qualified ? this.#view.name(i) : "";
  }
}
