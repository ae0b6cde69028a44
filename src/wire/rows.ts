import { type Analysis, tokensOf } from "../sql/analyse.ts";
import type { TokenView } from "../sql/token_view.ts";
import type { IntegerMode, Row, Value } from "../sql/value.ts";
import { affinity, isDate, isTextual } from "./affinity.ts";
import { type Cell, type CellSpec, decodeCell, type Reality } from "./cell.ts";
import { type Contents, Holds } from "./envelope.ts";

/** What a statement was and how its caller wants the result. */
export interface ResultSpec {
  /** The statement. */
  readonly analysis: Analysis;
  /** Rows as objects or as arrays. */
  readonly rows: "object" | "array";
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
  /** Values are what a second look told, and lost bytes are an error. @default {false} */
  readonly exact?: boolean;
}

/** A result whose statement also told, behind its own columns, what is in some of them. */
export interface Look {
  /** The columns of the statement itself. */
  readonly columns: readonly string[];
  /** Their types, as the server tells them without the look. */
  readonly types: readonly string[];
  /** The positions of those that are told about. */
  readonly told: readonly number[];
}

/** Whether the rows of a result are those of a RETURNING clause. */
export function isReturning({ kind, returning }: Analysis): boolean {
  return kind === "write" && returning;
}

/** Whether cells are what the caller wants, as JSON has them. */
export function needNoDecoding(holds: Contents, { integers }: ResultSpec): boolean {
  let any = 0;
  for (const column of holds) any |= column;
  return !(any & Holds.odd) && (integers === "number" || integers === "auto");
}

/** Whether what looks like an integer in a column of that type is none. */
export function isSurelyReal(type: string): boolean {
  return reality(type) === "yes";
}

/**
 * The columns that a look has to tell about, too; `undefined` if it lacks what the server makes of one.
 *
 * @param types What the server goes by in the answer to the look.
 */
export function othersOf(look: Look, types: readonly string[]): number[] | undefined {
  const others: number[] = [];
  for (const [i, without] of look.types.entries()) {
    const type = types[i] ?? "";
    if (type === without) continue;
    if (isConverted(without)) return undefined;
    if (!look.told.includes(i) && (isConverted(type) || isTextual(type))) others.push(i);
  }
  return others;
}

/** Makes values of cells, in place; of a look no more than the columns of the statement itself are left. */
export function decodeCells(
  rows: (Cell | Value)[][],
  { columns, types, told }: Look,
  { integers, analysis, exact = false }: ResultSpec,
): void {
  const specs = columns.map((column, i): CellSpec => {
    return { column, real: reality(types[i] ?? ""), integers, exact };
  });
  // The type is right for the first row, and for a column that RETURNING names.
  const likely = specs.map((spec): CellSpec =>
    spec.real === "perhaps" ? { ...spec, real: "likely" } : spec
  );
  const named = isReturning(analysis) && returnsColumns(tokensOf(analysis));
  let use = likely;
  for (const cells of rows) {
    if (told.length > 0) decodeLook(cells, use, told, exact);
    else {
      let i = 0;
      for (const spec of use) {
        cells[i] = decodeCell(cells[i] as Cell, spec);
        i++;
      }
    }
    if (!named && exact) use = specs;
  }
}

/** Whether RETURNING names nothing but columns, so that the types of its rows are declared ones. */
function returnsColumns(view: TokenView): boolean {
  const at = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return view.tokens.every((token, i) =>
    i <= at ||
    (view.isName(i)
      ? token.kind !== "string" && !view.isOneOf(i, ["CASE", "NULL"])
      : view.is(i, ",") || view.is(i, ".") ||
        (view.is(i, "*") && (i === at + 1 || !view.isName(i - 1))))
  );
}

function decodeLook(
  cells: (Cell | Value)[],
  specs: readonly CellSpec[],
  told: readonly number[],
  exact: boolean,
): void {
  const kinds = cells.splice(specs.length) as string[];
  for (const [i, spec] of specs.entries()) {
    const kind = exact ? kinds[told.indexOf(i)] : undefined;
    cells[i] = decodeCell(cells[i] as Cell, spec, kind);
  }
}

/** The same rows for one more caller. */
export function copyRows(rows: readonly (readonly Cell[])[]): Cell[][] {
  return rows.map((cells) => cells.map((cell) => cell instanceof Uint8Array ? cell.slice() : cell));
}

/** Makes objects of rows; in place, because a second array of this length costs more than the rows. */
export function buildRows(rows: unknown[], columns: readonly string[]): void {
  const build = rowBuilder(columns);
  for (let i = 0; i < rows.length; i++) rows[i] = build(rows[i] as Value[]);
}

/** Other types with that affinity are always declared. */
function reality(type: string): Reality {
  return type === "real" ? "perhaps" : affinity(type) === "real" ? "yes" : "no";
}

/** Whether the server converts values by that declared type. */
function isConverted(type: string): boolean {
  return type === "boolean" || isDate(type);
}

/** Makes an object of the cells of a row. */
export type RowBuilder = (cells: readonly Value[]) => Row;

/**
 * A function that makes objects of rows with these columns. Of columns with one name the last wins; any name is an
 * own property, `__proto__` too.
 */
export function rowBuilder(columns: readonly string[]): RowBuilder {
  return columns.includes("__proto__") ? defining(columns) : assigning(columns);
}

/**
 * A plain loop: literals with computed keys are a little faster while a program knows few column lists, and
 * three times slower in V8 once it has seen many; generated code is forbidden on Workers.
 */
function assigning(columns: readonly string[]): RowBuilder {
  return (cells) => {
    const row: Row = {};
    for (let i = 0; i < columns.length; i++) row[columns[i]!] = cells[i]!;
    return row;
  };
}

/** Assigning to `__proto__` would change the prototype. */
function defining(columns: readonly string[]): RowBuilder {
  return (cells) => {
    const row: Row = {};
    for (let i = 0; i < columns.length; i++) {
      Object.defineProperty(row, columns[i]!, {
        value: cells[i]!,
        configurable: true,
        enumerable: true,
        writable: true,
      });
    }
    return row;
  };
}

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
