// Drizzle's dialect of SQLite, with a look at what would go wrong silently.

import "./version.ts";
import { DataError, NotSupportedError } from "@tangled/rqlite";
import type { Column } from "drizzle-orm/column";
import type { RelationalQueryMapperConfig } from "drizzle-orm/relations";
import * as core from "drizzle-orm/sqlite-core";
import type { SQLiteCodecs, SQLiteDialect } from "drizzle-orm/sqlite-core";
import { npmVersion } from "drizzle-orm/version";

type Selection = RelationalQueryMapperConfig["selection"];

/** Makes the dialect of a database. */
export function dialectOf(codecs: SQLiteCodecs, useJitMappers: boolean): SQLiteDialect {
  const dialect = new core.SQLiteDialect({ codecs, useJitMappers });
  const { mapperGenerators } = dialect;
  const { rows, relationalRows } = mapperGenerators;
  mapperGenerators.rows = (columns, nullable) => {
    for (const { column } of columns) checkColumn(column);
    const map = rows(columns, nullable);
    const read = columns.map(({ codec, path }) => ({ codec, name: path.join(".") }));
    return map && ((found) => naming(read, found, () => map(found)));
  };
  mapperGenerators.relationalRows = (config) => {
    checkSelection(config.selection);
    const map = relationalRows(config);
    const read = config.selection.map(({ codec, key }) => ({ codec, name: key }));
    const nested = config.selection.flatMap(({ key, selection }, i) =>
      selection === undefined ? [] : [[i, key] as const]
    );
    return map && ((found) => {
      for (const [i, key] of nested) {
        for (const row of found) checkDigits((row as unknown[])[i], key);
      }
      return naming(read, found as unknown[][], () => map(found));
    });
  };
  return dialect;
}

/** How a column is read. */
interface Read {
  readonly codec: ((cell: unknown, dimensions: number) => unknown) | undefined;
  readonly name: string;
}

/** A codec is not told which column it reads: where one refuses a cell, it is asked again for which. */
function naming<T>(columns: readonly Read[], rows: readonly unknown[][], map: () => T): T {
  try {
    return map();
  } catch (error) {
    if (!(error instanceof DataError)) throw error;
    const column = columns.find(({ codec }, i) => rows.some((row) => refuses(codec, row[i])));
    if (column === undefined) throw error;
    throw new DataError(`Column ${JSON.stringify(column.name)}: ${error.message}`, {
      column: column.name,
      cause: error,
    });
  }
}

function refuses(codec: Read["codec"], cell: unknown): boolean {
  try {
    if (codec !== undefined && cell !== null) codec(cell, 0);
    return false;
  } catch {
    return true;
  }
}

function checkSelection(selection: Selection): void {
  for (const one of selection) {
    if (one.fieldType === "Column") checkColumn(one.field);
    if (one.selection !== undefined) checkSelection(one.selection);
  }
}

/** Columns of 0.x decode by themselves, and not what codecs make of a cell; every column of 1.0 has a codec. */
function checkColumn(column: Column | undefined): void {
  if (column === undefined || "codec" in column) return;
  const { name } = column as Column;
  throw new NotSupportedError(
    `Cannot read column ${
      JSON.stringify(name)
    } as its table was made with another version of drizzle-orm than the ${npmVersion} that ` +
      "@tangled/rqlite-drizzle-v1 imports: install one for both, from 1.0.0-rc.5 on; `npm ls drizzle-orm` shows who " +
      "brings which",
  );
}

const LONG = /\d{16}/;
const TOKENS = /"(?:[^"\\]|\\.)*"|-?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?/g;

/** Rows of a relation come as JSON, of which JSON.parse() would round a long integer. */
function checkDigits(json: unknown, relation: string): void {
  if (typeof json !== "string" || !LONG.test(json)) return;
  for (const [token] of json.matchAll(TOKENS)) {
    if (!/^-?\d{16,}$/.test(token) || Number.isSafeInteger(Number(token))) continue;
    throw new DataError(
      `Cannot return ${token} of relation ${
        JSON.stringify(relation)
      } without losing digits: give the customType of its ` +
        "column `forJsonSelect`, which casts it to text, and `fromJson`",
    );
  }
}
