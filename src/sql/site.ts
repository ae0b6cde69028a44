/**
 * Places in a statement that every node would evaluate for itself.
 *
 * @module
 */

import type { RowsServed } from "./rows_served.ts";

/** What stands at a {@linkcode VolatileSite} and is to be replaced by a literal. */
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
export interface VolatileSite {
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
