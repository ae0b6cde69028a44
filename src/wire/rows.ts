/**
 * What becomes of the cells of a result.
 *
 * @module
 */

import type { Analysis } from "../sql/analyse.ts";
import type { IntegerMode, Value } from "../sql/value.ts";
import { returnsColumns } from "../sql/returned_columns.ts";
import { affinity, isDate, isTextual } from "./affinity.ts";
import { type Cell, type CellSpec, decodeCell, type Reality } from "./cell.ts";
import { type Contents, Holds } from "./envelope.ts";
import { rowBuilder } from "./row.ts";

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
export function isPlain(holds: Contents, { integers }: ResultSpec): boolean {
  let any = 0;
  for (let i = 0; i < holds.length; i++) any |= holds[i]!;
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
  const differing = [...look.types.keys()].filter((i) => look.types[i] !== types[i]);
  if (differing.some((i) => isConverted(look.types[i]!))) return undefined;
  return differing.filter((i) =>
    !look.told.includes(i) && (isConverted(types[i]!) || isTextual(types[i]!))
  );
}

/** Makes values of cells, in place; of a look no more than the columns of the statement itself are left. */
export function decodeCells(
  rows: (Cell | Value)[][],
  { columns, types, told }: Look,
  { integers, analysis, exact = false }: ResultSpec,
): void {
  const specs = columns.map((column, i): CellSpec => {
    return { column, real: reality(types[i]!), integers, exact };
  });
  // The type is right for the first row, and for a column that RETURNING names.
  const likely = specs.map((spec): CellSpec =>
    spec.real === "perhaps" ? { ...spec, real: "likely" } : spec
  );
  const named = isReturning(analysis) && returnsColumns(analysis.text);
  for (let r = 0; r < rows.length; r++) {
    const cells = rows[r]!;
    const use = named || r === 0 || !exact ? likely : specs;
    if (told.length > 0) decodeLook(cells, use, told, exact);
    else for (let i = 0; i < use.length; i++) cells[i] = decodeCell(cells[i] as Cell, use[i]!);
  }
}

function decodeLook(
  cells: (Cell | Value)[],
  specs: readonly CellSpec[],
  told: readonly number[],
  exact: boolean,
): void {
  const kinds = cells.splice(specs.length) as string[];
  for (let i = 0; i < specs.length; i++) {
    const kind = exact ? kinds[told.indexOf(i)] : undefined;
    cells[i] = decodeCell(cells[i] as Cell, specs[i]!, kind);
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
