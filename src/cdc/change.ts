import type { ColumnFacts, Facts, TableFacts } from "../schema/facts.ts";
import type { IntegerMode, Row, Value } from "../sql/value.ts";
import { affinity } from "../wire/affinity.ts";
import { decodeCell } from "../wire/cell.ts";
import type { BatchEvent, Cell, Cells } from "./batch.ts";
import { type PlacedCommit, textOf } from "./commit_order.ts";

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

/** How INTEGER values of a change arrive: a number beyond 2^53 would not be exact. */
export type ChangeIntegers = Exclude<IntegerMode, "number">;

/** What the values are decoded by. */
export interface Decoding {
  /** How INTEGER values arrive. */
  readonly integers: ChangeIntegers;
  /** The schema, if it is known. */
  readonly facts: Facts | undefined;
}

/** Whether a table is one that clients keep for themselves, also clients of other versions. */
export function isClientTable(table: string): boolean {
  return /^_rqlite_/i.test(table);
}

/** The changes of a commit, without those of tables that clients keep for themselves. */
export function changesOf({ place, commit, skip }: PlacedCommit, decoding: Decoding): Change[] {
  const events = commit.events.map((event, i) => ({ event, number: i + 1 }))
    .filter(({ event, number }) => number > skip && !isClientTable(event.table));
  return events.map(({ event, number }, i) => ({
    ...rowsOf(event, decoding),
    index: place.index,
    timestamp: commit.commit_timestamp ?? 0,
    last: i === events.length - 1,
    position: textOf({ ...place, event: number }),
  }));
}

type Rows = Omit<Change, "index" | "timestamp" | "last" | "position">;

function rowsOf(event: BatchEvent, decoding: Decoding): Rows {
  const { op, table, before, after, error, old_row_id = 0, new_row_id = 0 } = event;
  const facts = decoding.facts?.table(table);
  const rowOf = (cells: Cells | undefined) => cells && decodeRow(cells, facts, decoding);
  const rowid = (id: number | bigint) => decoding.integers === "bigint" ? BigInt(id) : id;
  return {
    op: OPERATIONS[op],
    table,
    before: rowOf(before),
    after: rowOf(after),
    oldRowid: op === "INSERT" ? undefined : rowid(old_row_id),
    newRowid: op === "DELETE" ? undefined : rowid(new_row_id),
    error,
  };
}

const OPERATIONS = { INSERT: "insert", UPDATE: "update", DELETE: "delete" } as const;

/** The row, its columns in the order of the table as far as that is known: the server sends them by their names. */
function decodeRow(cells: Cells, facts: TableFacts | undefined, { integers }: Decoding): Row {
  const known = new Map(facts?.columns.map((column) => [column.name, column]));
  const present = [...known.keys()].filter((name) => Object.hasOwn(cells, name));
  const names = new Set([...present, ...Object.keys(cells)]);
  return Object.fromEntries(
    [...names].map((name) => [name, decode(cells[name] ?? null, name, known.get(name), integers)]),
  );
}

function decode(
  cell: Cell,
  name: string,
  column: ColumnFacts | undefined,
  integers: ChangeIntegers,
): Value {
  const kind = column && column.type !== "" ? affinity(column.type.toLowerCase()) : undefined;
  if (typeof cell === "string") return kind === "blob" ? bytesOf(cell) ?? cell : cell;
  const real = kind === "real" ? "yes" : "no";
  return decodeCell(cell, { column: name, real, integers, exact: false });
}

const BASE64 = /^[A-Za-z0-9+/]*={0,2}$/;

/** The bytes of a text in base64; `undefined` if it is none, as of TEXT in a column of BLOBs. */
function bytesOf(text: string): Uint8Array | undefined {
  if (text.length % 4 !== 0 || !BASE64.test(text)) return undefined;
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < bytes.length; i++) bytes[i] = binary.charCodeAt(i);
  return bytes;
}
