import type { IntegerMode } from "../../sql/value.ts";

/** What types may be written for. */
export const TARGETS = ["plain", "kysely", "drizzle"] as const;

/** What types are written for. */
export type TypesTarget = (typeof TARGETS)[number];

/** How types are written. */
export interface TypesOptions {
  /** What reads and writes the rows. */
  readonly target: TypesTarget;
  /** What `integers` is set to for the client that reads them; of no meaning for Drizzle. */
  readonly integers: IntegerMode;
  /** Tables and views to leave out. */
  readonly exclude: readonly string[];
}
