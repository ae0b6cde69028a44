/**
 * The schema of a database as data: tables, views, columns, keys, indexes, constraints.
 *
 * @module
 */

export { inspect } from "./inspect.ts";
export type { InspectOptions } from "./inspect.ts";
export type {
  Check,
  Column,
  ForeignKey,
  ForeignKeyAction,
  Index,
  IndexTerm,
  PrimaryKey,
  Schema,
  Table,
  Unique,
  View,
} from "./schema.ts";
