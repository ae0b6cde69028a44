// What every driver of Drizzle uses and its types leave out: the casts for it are here and nowhere else.
//
// Of what other versions lack nothing is imported by name: it would fail before `checkVersion` can say why.

import "./version.ts";
import type { QueryMetadata } from "drizzle-orm/cache/core/types";
import type { Query } from "drizzle-orm/sql";
import type { SQLiteExecuteMethod } from "drizzle-orm/sqlite-core";
import * as utils from "drizzle-orm/utils";

/** How the rows of a query are wanted. */
export type Mode = "arrays" | "objects" | "raw";

/** A query of a batch, ready to be sent. */
export interface BatchQuery {
  /** Its text and parameters. */
  getQuery(): Query;
  /** What is asked of it. */
  readonly executeMethod: SQLiteExecuteMethod;
  /** Makes what the application gets of its rows. */
  readonly mapper: ((rows: unknown[]) => unknown) | undefined;
  /** How its rows are wanted. */
  readonly mode: Mode;
  /** What it does to which tables. */
  readonly queryMetadata: QueryMetadata | undefined;
}

/** Whether mappers may be compiled, which not every runtime allows; where it does not, Drizzle warns and does without. */
export function canCompile(jit: boolean | undefined): boolean {
  return (utils as unknown as { jitCompatCheck(wanted: boolean | undefined): boolean })
    .jitCompatCheck(jit);
}
