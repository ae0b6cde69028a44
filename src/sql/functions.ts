/**
 * The functions whose result differs from node to node, and those that hand a value through.
 *
 * @module
 */

/** How a function takes its time value: how many arguments come before it. */
export interface TimeFunction {
  /** Which arguments are time values. */
  readonly time: readonly number[];
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
