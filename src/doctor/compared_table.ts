import { NotSupportedError } from "../errors.ts";
import type { SchemaObject } from "../schema/schema_objects.ts";
import { identifier, literal } from "../sql/quoting.ts";
import { ROWID_NAMES } from "../sql/table_columns.ts";

/** What is compared row by row. */
export interface ComparedTable {
  /** The table. */
  readonly name: string;
  /** Its columns, as they are named. */
  readonly columns: readonly string[];
  /** Expressions that tell its rows apart, and in whose order they are read. */
  readonly keys: readonly string[];
  /** A condition on what is compared. */
  readonly where: string;
  /** Its rows are told apart by numbers that a VACUUM gives them anew, on each node by itself. */
  readonly renumbered: boolean;
}

const ALL = "1";

/** SQLite answers 2,000 columns; one of them is a number. */
const MOST_COLUMNS = 1_999;

/** What the schema holds but for what differs by design: each node's places in its file, and statistics of its own. */
export function comparedSchema(tables: readonly string[] | undefined): ComparedTable {
  const where = `tbl_name NOT GLOB 'sqlite_stat*' AND ${named("tbl_name", tables)}`;
  const columns = ["type", "name", "tbl_name", "sql"];
  return { name: "sqlite_schema", columns, keys: ["type", "name"], where, renumbered: false };
}

/** The highest numbers that AUTOINCREMENT gave. */
export function comparedSequences(tables: readonly string[] | undefined): ComparedTable {
  const where = named("name", tables);
  const columns = ["name", "seq"];
  return { name: "sqlite_sequence", columns, keys: ["name"], where, renumbered: false };
}

function named(column: string, tables: readonly string[] | undefined): string {
  if (tables === undefined) return ALL;
  return `${column} COLLATE NOCASE IN (${tables.map((name) => literal(name)).join()})`;
}

/**
 * A table, those behind a virtual table among them.
 *
 * @throws {NotSupportedError} If nothing tells its rows apart, or no answer holds one.
 */
export function comparedTable({ name, columns, rowid, withoutRowid }: SchemaObject): ComparedTable {
  const names = columns.filter(({ hidden }) => !hidden).map(({ name }) => name);
  const taken = new Set(columns.map(({ name }) => name.toLowerCase()));
  const keys = withoutRowid
    ? columns.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key).map(({ name }) => name)
    : [rowid ?? ROWID_NAMES.find((one) => !taken.has(one))];
  const named = keys.filter((key) => key !== undefined);
  if (named.length < keys.length) {
    throw new NotSupportedError(
      `Cannot compare the rows of ${
        JSON.stringify(name)
      } as its columns hide every name of the rowid: ` +
        "give it an INTEGER PRIMARY KEY, or name the tables to compare",
    );
  }
  if (keys.length + names.length > MOST_COLUMNS) {
    throw new NotSupportedError(
      `Cannot compare the rows of ${JSON.stringify(name)} as they have ${names.length} columns: ` +
        "name the tables to compare",
    );
  }
  return {
    name,
    columns: names,
    keys: named.map((key) => identifier(key)),
    where: ALL,
    renumbered: !withoutRowid && rowid === undefined,
  };
}
