import { NotSupportedError } from "../errors.ts";
import type { Analysis } from "./analyse.ts";
import type { Edit } from "./edit.ts";
import { atPlace, positionOf } from "./problem.ts";
import { literal } from "./quoting.ts";
import { isNow, isSubsecond, isZone, timeText } from "./time_functions.ts";
import { type VolatileValue, volatileValuesOf } from "./volatile_values.ts";

/** The largest blob that `randomblob` may ask for: it is written into the statement. */
const MAX_RANDOM_BYTES = 1 << 20;

/** What a statement is frozen with. */
export interface FreezeOptions {
  /** The present time. */
  readonly now: Date;
  /** The value of the parameter with a number, from 1. */
  readonly valueOf?: (index: number) => unknown;
  /** Fills an array with random bytes. @default {crypto.getRandomValues} */
  readonly random?: (bytes: Uint8Array<ArrayBuffer>) => Uint8Array<ArrayBuffer>;
  /** The statement's position in the batch, for errors. */
  readonly statementIndex?: number;
  /** Whether an UPDATE or DELETE is known to change one row at most. @default {() => false} */
  readonly oneRow?: (sql: string) => boolean;
}

/**
 * The edits that leave nothing for a node to evaluate for itself: `random()`, `randomblob(16)`, the
 * date functions with 'now' or nothing as their time, CURRENT_TIMESTAMP, CURRENT_DATE and
 * CURRENT_TIME become a literal per place, in UTC, all of the same instant.
 *
 * Not seen: the texts 'now', 'localtime' and 'utc' read from a column or put together by the
 * statement. In reads what a node alone knows is left as it is.
 *
 * @throws {NotSupportedError} Where no literal can stand in: `ORDER BY random()`, `randomblob(n +
 * 1)`, `datetime(lower('now'))`; where one would stand in for chance in several rows, as in `UPDATE t
 * SET a = random()`; in writes also the modifiers 'localtime' and 'utc',
 * `total_changes()`, `sqlite_version()`, `pragma_table_info('t')`.
 *
 * @example
 * ```ts
 * import { analyse } from "./analyse.ts";
 * import { freeze } from "./freeze.ts";
 * freeze(analyse("UPDATE t SET at = datetime('now')"), { now: new Date(0) });
 * // [{ start: 27, end: 32, text: "'1970-01-01 00:00:00.000Z'" }]
 * ```
 */
export function freeze(analysis: Analysis, options: FreezeOptions): readonly Edit[] {
  const edits: Edit[] = [];
  for (const value of volatileValuesOf(analysis)) {
    const text = replacement(analysis, value, options);
    if (text !== undefined) edits.push({ start: value.start, end: value.end, text });
  }
  return edits;
}

function replacement(
  analysis: Analysis,
  value: VolatileValue,
  options: FreezeOptions,
): string | undefined {
  const { now } = options;
  switch (value.kind) {
    case "random":
    case "randomblob":
      if (servesMany(analysis, value, options)) throw perRow(analysis, value, options);
      return value.kind === "random"
        ? randomInteger(options)
        : randomBlob(analysis, value, options);
    case "now":
    case "only":
      return timeValue(now);
    case "first":
      return `${timeValue(now)}, `;
    case "last":
      return `, ${timeValue(now)}`;
    case "timestamp":
      return `'${date(now)} ${time(now)}'`;
    case "date":
      return `'${date(now)}'`;
    case "time":
      return `'${time(now)}'`;
    case "bound":
      return boundTime(value, options);
    case "unclear":
      if (value.index !== undefined && !meansNow(parameter(value, options))) return undefined;
      throw unsupported(analysis, value, options, instead(analysis, value));
    case "zone":
      if (value.index !== undefined && !isZone(parameter(value, options))) return undefined;
      return refuseInWrites(analysis, value, options, "compute the time in the client and bind it");
    case "node":
      return refuseInWrites(analysis, value, options, "read it first and bind what was read");
  }
}

/** In double quotes it is a column, and text only where there is no such column. */
function instead({ text }: Analysis, { start }: VolatileValue): string {
  return text[start] === '"'
    ? "write 'now', or the table in front of a column"
    : "bind a value instead";
}

function servesMany(
  { text }: Analysis,
  { rows = "one" }: VolatileValue,
  { oneRow }: FreezeOptions,
): boolean {
  return rows === "many" || (rows === "changed" && oneRow?.(text) !== true);
}

function refuseInWrites(
  analysis: Analysis,
  value: VolatileValue,
  options: FreezeOptions,
  advice: string,
): undefined {
  if (analysis.kind === "read") return undefined;
  throw unsupported(analysis, value, options, advice);
}

/** The `Z` makes SQLite treat it as UTC, as it does 'now', when the modifier 'utc' follows. */
function timeValue(now: Date): string {
  return `'${date(now)} ${now.toISOString().slice(-13)}'`;
}

function date(now: Date): string {
  return now.toISOString().slice(0, -14);
}

function time(now: Date): string {
  return now.toISOString().slice(-13, -5);
}

function boundTime(value: VolatileValue, options: FreezeOptions): string | undefined {
  const text = parameter(value, options);
  if (!meansNow(text)) return undefined;
  const subsecond = !value.bare && isSubsecond(text);
  return subsecond ? `${timeValue(options.now)}, 'subsec'` : timeValue(options.now);
}

function meansNow(value: string): boolean {
  return isNow(value) || isSubsecond(value);
}

function parameter({ index = 0 }: VolatileValue, { valueOf }: FreezeOptions): string {
  return timeText(valueOf?.(index));
}

function randomInteger(options: FreezeOptions): string {
  const bytes = fill(new Uint8Array(8), options);
  const value = new DataView(bytes.buffer).getBigInt64(0);
  // A sign would join a minus or a word before it.
  return value < 0n ? `(${value})` : String(value);
}

function randomBlob(analysis: Analysis, value: VolatileValue, options: FreezeOptions): string {
  const size = value.size ?? boundSize(options.valueOf?.(value.index ?? 0));
  if (size === undefined) {
    throw unsupported(analysis, value, options, "give its size as a number");
  }
  if (size > MAX_RANDOM_BYTES) {
    throw unsupported(analysis, value, options, `at most ${MAX_RANDOM_BYTES} bytes can be sent`);
  }
  return literal(fill(new Uint8Array(size), options));
}

function boundSize(value: unknown): number | undefined {
  if (value === null) return 1;
  if (typeof value !== "number" && typeof value !== "bigint") return undefined;
  return Math.max(1, Math.trunc(Number(value)));
}

function fill(bytes: Uint8Array<ArrayBuffer>, options: FreezeOptions): Uint8Array<ArrayBuffer> {
  if (options.random !== undefined) return options.random(bytes);
  // Platforms refuse to fill more than 64 KiB at once.
  for (let at = 0; at < bytes.length; at += 65536) {
    crypto.getRandomValues(bytes.subarray(at, at + 65536));
  }
  return bytes;
}

function unsupported(
  analysis: Analysis,
  value: VolatileValue,
  options: FreezeOptions,
  advice: string,
): NotSupportedError {
  return refusal(
    analysis,
    value,
    options,
    `each node would evaluate it to something else: ${advice}`,
  );
}

function perRow(
  analysis: Analysis,
  value: VolatileValue,
  options: FreezeOptions,
): NotSupportedError {
  const rows = value.rows === "changed" ? "name one row in WHERE by its key, or " : "";
  return refusal(
    analysis,
    value,
    options,
    `all rows would get the same value: ${rows}bind values of the client's, one statement for each row in a batch`,
  );
}

function refusal(
  analysis: Analysis,
  { start, end }: VolatileValue,
  { statementIndex }: FreezeOptions,
  reason: string,
): NotSupportedError {
  const { text, source } = analysis;
  const piece = text.slice(start, end);
  // Without its comments the text has other places than what the caller wrote.
  const position = text === source ? positionOf(source, start) : undefined;
  const place = position === undefined ? piece : `${piece} at ${atPlace(position)}`;
  const read = analysis.kind === "read";
  const message = read
    ? `Cannot check at commit that the rows are still the same, as each node would evaluate ${place} to something ` +
      "else: give { guard: false } if they need not be, or read outside of the transaction"
    : `Cannot send ${place} of a write as ${reason}`;
  return new NotSupportedError(message, {
    sql: source,
    ...(read && { code: "ERR_UNCHECKABLE" as const }),
    ...(position !== undefined && { position }),
    ...(statementIndex !== undefined && { statementIndex }),
  });
}
