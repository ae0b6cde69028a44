import type { Edit } from "../sql/edit.ts";
import { itemsOf } from "../sql/group_items.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { InsertParts } from "./statement_parts.ts";
import { type FrozenDefault, isFilled } from "./volatile_default.ts";

/** A column, quoted, and its value. */
export interface Addition extends FrozenDefault {
  /** In double quotes. */
  readonly name: string;
}

/** What is written into an INSERT. */
export interface Additions {
  /** The columns that get a value. */
  readonly appended: readonly Addition[];
  /** By the position of a column: what stands in for a NULL. */
  readonly instead: ReadonlyMap<number, Addition>;
  /** How many columns the source has to fill. */
  readonly width: number;
}

/** Where the source of an INSERT ends and what it is. */
export interface InsertSource {
  /** The `(` of each row of VALUES; `undefined` if the rows come from a SELECT. */
  readonly rows: readonly number[] | undefined;
  /** The index behind the last token. */
  readonly end: number;
  /** It is a SELECT that has one row at most. */
  readonly single: boolean;
  /** ON CONFLICT follows. */
  readonly upsert: boolean;
}

/** Looks through the source of an INSERT that is not DEFAULT VALUES. */
export function sourceOf(view: TokenView, { sourceAt }: InsertParts): InsertSource {
  const end = sourceEnd(view, sourceAt);
  const rows = rowsOf(view, sourceAt, end);
  const upsert = view.isWord(end, "ON");
  return { rows, end, single: rows === undefined && isSingle(view, sourceAt, end), upsert };
}

/** ON CONFLICT may also be a join's condition on a column of that name. */
function sourceEnd(view: TokenView, from: number): number {
  let i = from;
  for (; i < view.tokens.length; i = view.behind(i)) {
    if (view.isWord(i, "RETURNING")) return i;
    const upsert = view.isWord(i, "ON") && view.isWord(i + 1, "CONFLICT") &&
      (view.is(i + 2, "(") || view.isWord(i + 2, "DO"));
    if (upsert) return i;
  }
  return i;
}

function rowsOf(view: TokenView, from: number, end: number): number[] | undefined {
  if (!view.isWord(from, "VALUES")) return undefined;
  const rows: number[] = [];
  for (let i = from + 1;; i++) {
    if (!view.is(i, "(")) return undefined;
    rows.push(i);
    i = view.groupEnd(i);
    if (i === end) return rows;
    if (!view.is(i, ",")) return undefined;
  }
}

/** A SELECT without FROM. */
function isSingle(view: TokenView, from: number, end: number): boolean {
  if (!view.isWord(from, "SELECT")) return false;
  for (let i = from; i < end; i = view.behind(i)) {
    if (view.isWord(i, "FROM") && !view.isWord(i - 1, "DISTINCT")) return false;
    if (view.isOneOf(i, ["UNION", "EXCEPT", "INTERSECT"])) return false;
  }
  return true;
}

/** The edits that write columns and values into an INSERT: behind those of each row, and around those that may be NULL. */
export function insertionEdits(
  view: TokenView,
  parts: InsertParts,
  source: InsertSource,
  additions: Additions,
): Edit[] {
  const { appended, instead } = additions;
  if (appended.length === 0 && instead.size === 0) return [];
  const edits: Edit[] = [];
  if (appended.length > 0) {
    const close = view.groupEnd(parts.columnsAt) - 1;
    edits.push(before(view, close, list(appended.map(({ name }) => name))));
  }
  if (source.rows === undefined) return [...edits, ...selectEdits(view, parts, source, additions)];
  for (const row of source.rows) edits.push(...rowEdits(view, row, additions));
  return edits;
}

/** `DEFAULT VALUES` with columns and values in its place. */
export function defaultValuesEdit(
  view: TokenView,
  { sourceAt }: InsertParts,
  appended: Additions["appended"],
): Edit {
  const names = appended.map(({ name }) => name).join(", ");
  const values = appended.map(({ text }) => text).join(", ");
  const [start, end] = [view.start(sourceAt), view.end(sourceAt + 1)];
  return { start, end, text: `(${names}) VALUES (${values})` };
}

function rowEdits(view: TokenView, row: number, { appended, instead }: Additions): Edit[] {
  const items = instead.size === 0 ? [] : itemsOf(view, row);
  const edits: Edit[] = [];
  for (const [position, { text }] of instead) {
    const item = items[position];
    if (item !== undefined && item[1] > item[0] && !isFilled(view, item)) {
      edits.push(...coalesced(view, item, text));
    }
  }
  const close = view.groupEnd(row) - 1;
  if (appended.length > 0) edits.push(before(view, close, list(appended.map(({ text }) => text))));
  return edits;
}

/** `coalesce(value, text)`. */
export function coalesced(
  view: TokenView,
  [from, to]: readonly [number, number],
  text: string,
): Edit[] {
  return [before(view, from, "coalesce("), after(view, to - 1, `, ${text})`)];
}

function selectEdits(
  view: TokenView,
  { sourceAt }: InsertParts,
  { end, upsert }: InsertSource,
  { appended, instead, width }: Additions,
): Edit[] {
  const values = list(appended.map(({ text }) => text));
  // Without WHERE the ON of ON CONFLICT would be read as that of a join.
  const where = upsert ? " WHERE true" : "";
  if (instead.size === 0) {
    return [
      before(view, sourceAt, `SELECT *${values} FROM (`),
      after(view, end - 1, `)${where}`),
    ];
  }
  const names = Array.from({ length: width }, (_, i) => `c${i}`);
  const columns = names.map((name, i) => {
    const text = instead.get(i)?.text;
    return text === undefined ? name : `coalesce(${name}, ${text})`;
  });
  return [
    before(view, sourceAt, `WITH ${ROWS}(${names.join(", ")}) AS (`),
    after(view, end - 1, `) SELECT ${columns.join(", ")}${values} FROM ${ROWS}${where}`),
  ];
}

const ROWS = "_rqlite_rows";

function list(items: readonly string[]): string {
  return items.map((item) => `, ${item}`).join("");
}

function before(view: TokenView, i: number, text: string): Edit {
  const start = view.start(i);
  return { start, end: start, text };
}

function after(view: TokenView, i: number, text: string): Edit {
  const end = view.end(i);
  return { start: end, end, text };
}
