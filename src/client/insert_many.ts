import { DatabaseError, ProgrammingError } from "../errors.ts";
import { type Bindable, bindable, described, isRecord } from "../sql/bindable.ts";
import { identifier } from "../sql/quoting.ts";
import { isName } from "../options.ts";
import { mismatch, unlike } from "../sql/template.ts";
import type { Statement } from "../sql/statement.ts";
import type { Params, Result } from "../sql/value.ts";
import type { InsertManyOptions } from "./method_options.ts";
import {
  addCounts,
  type Chunk,
  cut,
  inRows,
  type Pack,
  packed,
  REQUEST,
  type RowPlan,
  type Rows,
} from "./request_rows.ts";

/** What SQLite calls the ways. */
const INTO = {
  error: "INSERT INTO",
  ignore: "INSERT OR IGNORE INTO",
  replace: "INSERT OR REPLACE INTO",
};

/**
 * Inserts rows request by request; the next rows are asked for when a request was answered.
 *
 * @param options Read already.
 * @param send Runs the statements of one request, all or none of them.
 */
export async function insertMany(
  table: string,
  rows: Rows,
  options: InsertManyOptions,
  send: (statements: readonly Statement[]) => Promise<Result[]>,
): Promise<{ rowsAffected: number }> {
  const plan = new InsertPlan(table, options);
  const { onProgress, signal } = options;
  let applied = 0;
  let rowsAffected = 0;
  for await (const chunk of cut(plan, rows, REQUEST, signal)) {
    rowsAffected = addCounts(rowsAffected, await sent(chunk));
    applied += chunk.rows;
    onProgress?.(applied);
  }
  return { rowsAffected };

  async function sent(chunk: Chunk): Promise<Result[]> {
    try {
      return await send(chunk.statements);
    } catch (error) {
      if (error instanceof DatabaseError) Object.assign(error, { rowsApplied: applied });
      throw inRows(error, plan, chunk, applied);
    }
  }
}

/** Rows that are lists or objects of values, as the first of them is. */
class InsertPlan implements RowPlan {
  readonly #into: string;
  readonly #given: readonly string[] | undefined;
  #width = 0;
  /** The columns of rows that are objects. */
  #keys: readonly string[] | undefined;
  /** The keys of the row before: nearly always those of the next, in the same order. */
  #before: readonly string[] = [];
  #pack: Pack | undefined;

  constructor(table: string, { columns, onConflict = "error" }: InsertManyOptions) {
    isName(table, "table");
    this.#into = `${INTO[onConflict]} ${identifier(table)}`;
    this.#given = columns && [...columns];
  }

  /** The statement of one row. */
  get sql(): string {
    return this.#pack?.text(1) ?? this.#into;
  }

  /** How several rows are one statement, from the first row on. */
  get pack(): Pack | undefined {
    return this.#pack;
  }

  /** Adds the values of a row. */
  add(row: Params, index: number, to: Bindable[]): void {
    if (this.#pack === undefined) this.#begin(row, index);
    if (this.#keys === undefined) this.#addList(row, index, to);
    else this.#addRecord(row, index, to, this.#keys);
  }

  #begin(row: Params, index: number): void {
    const list = Array.isArray(row) ? row : undefined;
    if (list === undefined && !isRecord(row)) throw wrongKind(row, index, FORMS);
    const columns = this.#given ?? (list ? undefined : Object.keys(row));
    this.#width = (columns ?? list ?? []).length;
    if (this.#width === 0) throw wrong(index, "it has no values");
    if (columns !== undefined && new Set(columns.map(lower)).size < this.#width) {
      throw wrong(index, "a column is named twice");
    }
    if (list === undefined) this.#keys = columns;
    const names = columns === undefined ? "" : `(${columns.map(identifier).join(",")})`;
    this.#pack = packed(`${this.#into}${names} VALUES`, Array(this.#width).fill("?"));
  }

  #addList(row: Params, index: number, to: Bindable[]): void {
    if (!Array.isArray(row)) throw wrongKind(row, index, "give all rows as lists, as the first is");
    if (row.length !== this.#width) {
      throw wrong(index, `it has not ${this.#width} values but ${row.length}`);
    }
    for (let i = 0; i < row.length; i++) to.push(bindable(row[i], this.#given?.[i] ?? i + 1));
  }

  #addRecord(row: unknown, index: number, to: Bindable[], keys: readonly string[]): void {
    if (!isRecord(row)) throw wrongKind(row, index, "give all rows as objects, as the first is");
    const own = Object.keys(row);
    if (!isSame(own, this.#before)) {
      const what = mismatch(own, keys);
      if (what !== undefined) {
        const model = this.#given && "`columns`";
        throw new ProgrammingError(unlike(index, what, model), { statementIndex: index });
      }
      this.#before = own;
    }
    for (const key of keys) to.push(bindable(row[key], key));
  }
}

const FORMS = "give an object whose keys are columns, or a list of values";

function wrongKind(row: unknown, index: number, advice: string): ProgrammingError {
  return wrong(index, `it is ${described(row)}: ${advice}`);
}

function wrong(index: number, why: string): ProgrammingError {
  return new ProgrammingError(`Cannot insert row ${index} as ${why}`, { statementIndex: index });
}

function lower(name: string): string {
  return name.toLowerCase();
}

function isSame(keys: readonly string[], others: readonly string[]): boolean {
  if (keys.length !== others.length) return false;
  for (let i = 0; i < keys.length; i++) if (keys[i] !== others[i]) return false;
  return true;
}
