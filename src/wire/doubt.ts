import type { IntegerMode } from "../sql/value.ts";
import { isDate, isTextual } from "./affinity.ts";
import { Holds } from "./envelope.ts";

/** What the server tells of a column that has no declared type: the storage class of its first value. */
const OF_FIRST_ROW: ReadonlySet<string> = new Set(["", "integer", "real", "text"]);

/**
 * Whether a column may hold something else than its answer shows. Bytes that arrive as text are noticed where some are
 * lost, where they are control characters, and where the column also holds what a TEXT column cannot. The year 1 in a column
 * of dates may be what the server made of other text. A number may be an
 * INTEGER or a REAL where the type may be that of the first row alone; below 2^53 that matters only to a caller who wants
 * integers in another form, and is looked at only where the type says REAL.
 *
 * @param holds What the column {@linkcode Holds}.
 * @param rows How many there are: of a single one the type is known.
 */
export function isDoubt(type: string, holds: number, rows: number, integers: IntegerMode): boolean {
  const mixed = holds & Holds.text && holds & (Holds.number | Holds.bytes);
  const strange = holds & Holds.odd || (mixed && OF_FIRST_ROW.has(type));
  if (strange && isTextual(type)) return true;
  if (holds & Holds.noDate && isDate(type)) return true;
  if (rows < 2 || !OF_FIRST_ROW.has(type)) return false;
  const whole = type === "real" && (integers === "bigint" || integers === "string");
  return (holds & (whole ? Holds.whole | Holds.long : Holds.long)) !== 0;
}
