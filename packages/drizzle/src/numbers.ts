import "./version.ts";
import { DataError } from "@tangled/rqlite";
import { is } from "drizzle-orm/entity";
import { SQL } from "drizzle-orm/sql/sql";
import * as core from "drizzle-orm/sqlite-core";
import { decoderOf } from "./internals.ts";

/** What Drizzle reads a cell with. */
export type Field = core.SelectedFieldsOrdered[number]["field"];

/**
 * The same field, except that an integer too long for the number that Drizzle's types promise is a `DataError`.
 *
 * @param name What the application calls it.
 * @param rounded Its cells come as JSON, where such an integer is rounded already.
 */
export function exactly(field: Field, name: string, rounded: boolean): Field {
  if (is(field, SQL.Aliased)) {
    return derived(field, "sql", exactly(field.sql, name, rounded));
  }
  if (is(field, SQL)) {
    return derived(field, "decoder", exactlyRead(decoderOf(field), name, rounded));
  }
  return exactlyRead(field, name, rounded);
}

function exactlyRead<D>(decoder: D, name: string, rounded: boolean): D {
  if (
    !is(decoder, core.SQLiteInteger) && !is(decoder, core.SQLiteTimestamp) &&
    !is(decoder, core.SQLiteNumericNumber)
  ) return decoder;
  const read = (cell: number | bigint): unknown => {
    if (typeof cell === "bigint" || (rounded && isRounded(cell))) throw tooLong(cell, name);
    return decoder.mapFromDriverValue(cell);
  };
  return derived(decoder, "mapFromDriverValue", read);
}

/** It keeps its class, and whoever else has it sees nothing of this. */
function derived<T extends object>(object: T, name: string, value: unknown): T {
  return Object.create(object, { [name]: { value } });
}

function isRounded(cell: number): boolean {
  return Number.isInteger(cell) && !Number.isSafeInteger(cell) && Math.abs(cell) <= 2 ** 63;
}

function tooLong(value: number | bigint, column: string): DataError {
  return new DataError(
    `Cannot return ${value} of column ${JSON.stringify(column)} as a number without losing ` +
      "digits: declare the column with customType and BigInt",
    { column },
  );
}
