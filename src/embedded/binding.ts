import { MAX_PARAMETERS, numberPlaceholders } from "../sql/placeholders.ts";
import type { Argument, BoundValue } from "./body.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { Piece } from "./statement_text.ts";

/** What a statement is given, in the form of node:sqlite: values by name, then values in order. */
export interface Binding {
  /** The values of placeholders with a name, by the placeholders as written. */
  readonly named: Record<string, SqliteInput>;
  /** Those of the others, in order. */
  readonly positional: SqliteInput[];
}

/** What node:sqlite takes. */
export type SqliteInput = null | bigint | number | string | Uint8Array;

/** How many values a statement wants, and what it calls them. */
export interface Inputs {
  /** By SQLite's number, from 0: the placeholder as written, undefined for a plain `?`. */
  readonly names: readonly (string | undefined)[];
}

/**
 * The placeholders of a statement by SQLite's number.
 *
 * @throws {SqliteError} beyond the usual limit
 */
export function inputsOf({ view }: Piece): Inputs {
  const { list, count, refused } = numberPlaceholders(view);
  if (refused !== undefined) throw tooMany(refused);
  const names = new Array<string | undefined>(count).fill(undefined);
  for (const { start, end, index } of list) {
    const text = view.sql.slice(start, end);
    if (!text.startsWith("?")) names[index - 1] ??= text;
  }
  return { names };
}

/** Some builds of SQLite allow more. */
function tooMany(placeholder: string): SqliteError {
  const text = /^\?\d/.test(placeholder)
    ? `variable number must be between ?1 and ?${MAX_PARAMETERS}`
    : "too many SQL variables";
  return new SqliteError(text, 1);
}

/**
 * Hands values to placeholders as rqlite's driver does: in order from `start`, then named ones
 * wherever their name stands; a placeholder that gets nothing is NULL.
 */
export function bind({ names }: Inputs, args: readonly Argument[], start: number): Binding {
  const values = new Array<SqliteInput>(names.length).fill(null);
  const indexes = new Map(names.map((name, index) => [name, index]));
  for (const [i, { name, value }] of args.entries()) {
    for (const index of name === "" ? [i - start] : indexesOf(name, indexes)) {
      if (index >= 0 && index < values.length) values[index] = toInput(value);
    }
  }
  return split(names, values);
}

function indexesOf(name: string, indexes: ReadonlyMap<string | undefined, number>): number[] {
  return [":", "@", "$"].map((prefix) => indexes.get(prefix + name) ?? -1);
}

function split(names: readonly (string | undefined)[], values: readonly SqliteInput[]): Binding {
  const named: Record<string, SqliteInput> = {};
  const positional: SqliteInput[] = [];
  for (const [i, value] of values.entries()) {
    const name = names[i];
    if (name === undefined) positional.push(value);
    else named[name] = value;
  }
  return { named, positional };
}

function toInput(value: BoundValue): SqliteInput {
  return typeof value === "boolean" ? BigInt(value) : value;
}

/** What Go's database/sql says about a name that it does not take. */
export function nameProblem(args: readonly Argument[]): string | undefined {
  const bad = args.find(({ name }) => name !== "" && !/^\p{L}/u.test(name));
  return bad && `name ${JSON.stringify(bad.name)} does not begin with a letter`;
}
