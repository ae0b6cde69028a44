import { isRecord } from "../options.ts";
import { parseExact } from "../wire/json.ts";

/** A value as the server writes it: BLOBs as base64, `bigint` for an integer beyond 2^53. */
export type Cell = null | number | bigint | string | boolean;

/** A row as the server writes it. */
export type Cells = Readonly<Record<string, Cell>>;

/** One event of a commit. */
export interface BatchEvent {
  /** What was done. */
  readonly op: "INSERT" | "UPDATE" | "DELETE";
  /** To a row of this table. */
  readonly table: string;
  /** Absent for 0. */
  readonly new_row_id?: number | bigint;
  /** Absent for 0. */
  readonly old_row_id?: number | bigint;
  /** The row before. */
  readonly before?: Cells;
  /** The row after. */
  readonly after?: Cells;
  /** Why there are no rows. */
  readonly error?: string;
}

/** One commit. */
export interface BatchCommit {
  /** Its index in the Raft log; 0 if it is not the first of its entry. */
  readonly index: number;
  /** Milliseconds since 1970 by the clock of the node. */
  readonly commit_timestamp?: number;
  /** What it did, in order. */
  readonly events: readonly BatchEvent[];
}

/** What the server posts. */
export interface Batch {
  /** The `service_id` of its configuration. */
  readonly service_id?: string;
  /** The node that recorded it. */
  readonly node_id: string;
  /** Its commits, in order. */
  readonly payload: readonly BatchCommit[];
}

/**
 * Reads a body as the server writes it.
 *
 * @throws {TypeError} If it is something else; the message says what.
 */
export function readBatch(text: string): Batch {
  const batch = parse(text);
  const { service_id, node_id, payload } = batch;
  if (typeof node_id !== "string" || !isOptional(service_id, "string") || !Array.isArray(payload)) {
    throw new TypeError("The body has no node_id and payload as rqlite sends them");
  }
  payload.forEach(checkCommit);
  return batch as unknown as Batch;
}

function parse(text: string): Record<string, unknown> {
  let json: unknown;
  try {
    json = parseExact(text);
  } catch {
    throw new TypeError("The body is not JSON");
  }
  if (isRecord(json)) return json;
  throw new TypeError("The body is not a JSON object");
}

const OPERATIONS: readonly unknown[] = ["INSERT", "UPDATE", "DELETE"];

function checkCommit(commit: unknown, i: number): void {
  if (isRecord(commit) && isCount(commit.index) && isEvents(commit.events)) {
    if (commit.commit_timestamp === undefined || isCount(commit.commit_timestamp)) return;
  }
  throw new TypeError(`Item ${i} of the payload is not as rqlite sends it`);
}

function isEvents(events: unknown): boolean {
  return Array.isArray(events) && events.every(isEvent);
}

function isEvent(event: unknown): boolean {
  return isRecord(event) && OPERATIONS.includes(event.op) && typeof event.table === "string" &&
    isRowid(event.new_row_id) && isRowid(event.old_row_id) &&
    isRow(event.before) && isRow(event.after) && isOptional(event.error, "string");
}

function isRow(row: unknown): boolean {
  return row === undefined ||
    (isRecord(row) &&
      Object.values(row).every((cell) => cell === null || typeof cell !== "object"));
}

function isRowid(id: unknown): boolean {
  return id === undefined || Number.isSafeInteger(id) || typeof id === "bigint";
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isOptional(value: unknown, type: string): boolean {
  return value === undefined || typeof value === type;
}
