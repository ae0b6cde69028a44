// What SQLite keeps only as text: the names of constraints, checks, and the expressions of indexes.

import { itemsOf } from "../sql/group_items.ts";
import { TokenView } from "../sql/token_view.ts";

/** A constraint as it was written, of a column or of the table. */
export interface Constraint {
  /** What it is. */
  readonly kind: "primary key" | "unique" | "check" | "foreign key";
  /** Its name, if it was given one. */
  readonly name: string | undefined;
  /** The columns of a constraint that has columns. */
  readonly columns: readonly string[];
  /** The condition of a check. */
  readonly expression: string;
}

/** What the text of a CREATE TABLE tells. */
export interface TableText {
  /** Its constraints, in order. */
  readonly constraints: readonly Constraint[];
  /** Whether the primary key is AUTOINCREMENT. */
  readonly autoincrement: boolean;
}

/** Reads a CREATE TABLE; the text is one that SQLite has accepted. */
export function readTable(sql: string): TableText {
  const view = TokenView.of(sql);
  const open = view.tokens.findIndex((_, i) => view.is(i, "("));
  if (open < 0) return { constraints: [], autoincrement: false };
  const parts = itemsOf(view, open);
  return {
    constraints: parts.flatMap(([from, to]) => constraintsOf(view, from, to)),
    autoincrement: parts.some(([from, to]) => has(view, from, to, "AUTOINCREMENT")),
  };
}

/** What the text of a column tells beyond its constraints. */
export interface ColumnText {
  /** Its name, as it is spelled here. */
  readonly name: string;
  /** Its collation, if it names one. */
  readonly collation: string | undefined;
  /** What it is computed from, without the parentheses, if it is generated. */
  readonly expression: string | undefined;
}

/** Reads the columns of a CREATE TABLE; the text is one that SQLite has accepted. */
export function readColumns(sql: string): ColumnText[] {
  const view = TokenView.of(sql);
  const open = view.tokens.findIndex((_, i) => view.is(i, "("));
  return itemsOf(view, open)
    .filter(([from]) => !view.isOneOf(from, TABLE_CONSTRAINTS))
    .map(([from, to]) => columnTextOf(view, from, to));
}

function columnTextOf(view: TokenView, from: number, to: number): ColumnText {
  let collation: string | undefined;
  let expression: string | undefined;
  for (let i = from + 1; i < to; i = view.behind(i)) {
    if (view.isWord(i, "COLLATE")) collation = view.name(i + 1);
    if (view.isWord(i, "AS")) expression = view.between(i + 2, view.behind(i + 1) - 1);
  }
  return { name: view.name(from), collation, expression };
}

/** What the text of a CREATE INDEX tells: each term without its order, and the condition. */
export function readIndex(sql: string): { terms: string[]; where: string | undefined } {
  const view = TokenView.of(sql);
  const open = view.tokens.findIndex((_, i) => view.is(i, "("));
  const end = view.groupEnd(open);
  const terms = itemsOf(view, open).map(([from, to]) => {
    const ordered = view.isWord(to - 1, "ASC") || view.isWord(to - 1, "DESC");
    return view.between(from, ordered ? to - 1 : to);
  });
  const where = view.isWord(end, "WHERE") ? view.between(end + 1, view.tokens.length) : undefined;
  return { terms, where };
}

const TABLE_CONSTRAINTS = ["CONSTRAINT", "PRIMARY", "UNIQUE", "CHECK", "FOREIGN"];

/** Column constraints of which SQLite tells all but the name. */
const OTHERS = ["NOT", "NULL", "DEFAULT", "COLLATE", "GENERATED"];

function constraintsOf(view: TokenView, from: number, to: number): Constraint[] {
  const column = view.isOneOf(from, TABLE_CONSTRAINTS) ? undefined : view.name(from);
  const found: Constraint[] = [];
  let name: string | undefined;
  for (let i = column === undefined ? from : from + 1; i < to; i = view.behind(i)) {
    if (view.isWord(i, "CONSTRAINT")) {
      name = view.name(++i);
      continue;
    }
    const kind = kindAt(view, i, column !== undefined);
    if (kind !== undefined) found.push({ kind, name, ...detailsAt(view, i, kind, column) });
    if (kind !== undefined || view.isOneOf(i, OTHERS)) name = undefined;
  }
  return found;
}

function kindAt(view: TokenView, i: number, ofColumn: boolean): Constraint["kind"] | undefined {
  if (view.isWord(i, "PRIMARY")) return "primary key";
  if (view.isWord(i, "UNIQUE")) return "unique";
  if (view.isWord(i, "CHECK")) return "check";
  return view.isWord(i, ofColumn ? "REFERENCES" : "FOREIGN") ? "foreign key" : undefined;
}

function detailsAt(
  view: TokenView,
  i: number,
  kind: Constraint["kind"],
  column: string | undefined,
): { columns: string[]; expression: string } {
  const open = view.is(i + 1, "(") ? i + 1 : i + 2;
  if (kind === "check") {
    const end = view.groupEnd(open);
    return { columns: [], expression: view.between(open + 1, end - 1) };
  }
  const columns = column === undefined
    ? itemsOf(view, open).map(([from]) => view.name(from))
    : [column];
  return { columns, expression: "" };
}

function has(view: TokenView, from: number, to: number, word: string): boolean {
  for (let i = from; i < to; i++) if (view.isWord(i, word)) return true;
  return false;
}
