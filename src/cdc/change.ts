import type { Row } from "../sql/value.ts";

/** One row that was inserted, updated or deleted. */
export interface Change {
  /** What was done to the row. */
  readonly op: "insert" | "update" | "delete";
  /** Its table, as the schema spells it. */
  readonly table: string;
  /** The row as it was; `undefined` for an insert, and where the server sent none, see `error`. */
  readonly before: Row | undefined;
  /** The row as it is now; `undefined` for a delete, and where the server sent none, see `error`. */
  readonly after: Row | undefined;
  /** Its rowid before; `undefined` for an insert. Means nothing in a table WITHOUT ROWID. */
  readonly oldRowid: number | bigint | undefined;
  /** Its rowid now; `undefined` for a delete. Means nothing in a table WITHOUT ROWID. */
  readonly newRowid: number | bigint | undefined;
  /**
   * Why there is no row, in the server's words: its table was made by the same transaction, or has a generated column.
   * With `row_ids_only` there is none either, and no error.
   */
  readonly error: string | undefined;
  /** The index of the commit in the Raft log, the same on all nodes; those of one entry of the log have the same. */
  readonly index: number;
  /** When the node that sent it applied the commit, in milliseconds since 1970 by its own clock; 0 where it does not say. */
  readonly timestamp: number;
  /** Whether it is the last change of its commit. */
  readonly last: boolean;
  /** Where it stands in the feed: what `since` takes, once it has been dealt with. */
  readonly position: string;
}
