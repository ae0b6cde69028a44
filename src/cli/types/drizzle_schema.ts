import type { ForeignKey, Index, IndexTerm, Table } from "../../inspect/schema.ts";
import {
  actionsOf,
  columnBuilder,
  isKeyAlone,
  type Reference,
  sqlTemplate,
  type Use,
} from "./drizzle_column.ts";
import { camelCase, Names } from "./names.ts";
import type { RowShape } from "./row_shape.ts";

/** A table or view, and what it is called in the schema. */
interface Named extends RowShape {
  readonly constant: string;
  /** What its columns are called there. */
  readonly keys: ReadonlyMap<string, string>;
}

/** Words of the language, and names that the text itself uses. */
const RESERVED =
  ("abstract any arguments as async await boolean break case catch class const continue debugger declare default delete " +
    "do else enum eval export extends false finally for from function if implements import in infer Infinity instanceof " +
    "interface is keyof let module namespace NaN never new null number object of package private protected public " +
    "readonly require return static string super switch symbol this throw true try type typeof undefined unique unknown " +
    "var void while with yield " +
    "anyValue blob check customType foreignKey index integer numeric primaryKey real sql sqliteTable sqliteView table " +
    "text uniqueIndex").split(" ");

/** Keys that a table of Drizzle has by itself, or is asked for. */
const TABLE_KEYS = ["_", "$inferInsert", "$inferSelect", "getSQL", "shouldOmitSQLParens"];

const TYPES = ["AnySQLiteColumn", "SQLiteTableExtraConfigValue"];

const ANY_VALUE = `/** A column that holds whatever is put into it. */
const anyValue = customType<{ data: bigint | number | string | Uint8Array }>({
  dataType: () => "blob",
});
`;

const VIRTUAL = "// A virtual table: drizzle-kit would make an ordinary one of it.\n";

/** Tables and views for Drizzle. */
export function drizzleSchema(rows: readonly RowShape[]): string[] {
  const used = new Set<string>();
  const constants = new Names(RESERVED);
  const named = rows.map((row): Named => {
    const keys = new Names(TABLE_KEYS);
    return {
      ...row,
      constant: constants.take(camelCase(row.name), "Table"),
      keys: new Map(
        row.columns.map(({ name }) => [name, keys.take(camelCase(name), "Column")]),
      ),
    };
  });
  const texts = named.map((row) => rowText(row, named, used));
  const helpers = used.delete("anyValue") ? [ANY_VALUE] : [];
  if (helpers.length > 0) used.add("customType");
  return [importLines(used), ...helpers, ...texts];
}

function importLines(used: Set<string>): string {
  const sql = used.delete("sql") ? 'import { sql } from "drizzle-orm";\n' : "";
  const names = [...used].sort((a, b) => a.toLowerCase() < b.toLowerCase() ? -1 : 1)
    .map((name) => `  ${TYPES.includes(name) ? "type " : ""}${name},\n`);
  if (names.length === 0) return sql;
  return `${sql}import {\n${names.join("")}} from "drizzle-orm/sqlite-core";\n`;
}

function rowText(row: Named, all: readonly Named[], used: Set<string>): string {
  const use: Use = (name) => {
    used.add(name);
    return name;
  };
  const { name, constant, columns, table } = row;
  const properties = columns.map((column) => {
    const references = table === undefined ? [] : referencesOf(table, column.name, all);
    return `  ${row.keys.get(column.name)}: ${columnBuilder(column, table, references, use)},\n`;
  });
  const head = `export const ${constant} = `;
  const body = `(${JSON.stringify(name)}, {\n${properties.join("")}}`;
  if (table === undefined) return `${head}${use("sqliteView")}${body}).existing();\n`;
  const note = table.virtual ? VIRTUAL : "";
  const extras = extrasText(row, table, all, used, use);
  return `${note}${head}${use("sqliteTable")}${body}${extras});\n`;
}

/** What is said behind the columns. */
function extrasText(
  row: Named,
  table: Table,
  all: readonly Named[],
  used: Set<string>,
  use: Use,
): string {
  const extras = extrasOf(row, table, all, use);
  if (extras.length === 0) return "";
  // A parameter that is not used is an error for some.
  const parameter = used.delete("table") ? "table" : "";
  const type = `${use("SQLiteTableExtraConfigValue")}[]`;
  return `, (${parameter}): ${type} => [\n${extras.map((extra) => `  ${extra},\n`).join("")}]`;
}

/** A column of the table itself. */
function own({ keys }: Named, column: string, use: Use): string {
  return `${use("table")}.${keys.get(column)}`;
}

/** Foreign keys of one column that need not be told apart. */
function referencesOf(
  { foreignKeys }: Table,
  column: string,
  all: readonly Named[],
): Reference[] {
  return foreignKeys.filter((key) => isInline(key) && key.columns[0] === column).flatMap((key) => {
    const [target] = targetsOf(key, all) ?? [];
    return target === undefined ? [] : [{ target, key }];
  });
}

function isInline({ name, columns }: ForeignKey): boolean {
  return name === undefined && columns.length === 1;
}

/** The columns that a foreign key refers to; `undefined` if they are not there. */
function targetsOf({ table, references }: ForeignKey, all: readonly Named[]): string[] | undefined {
  const row = byName(all, table);
  const columns = references.map((name) => row && byName(row.columns, name));
  if (row === undefined || columns.length === 0) return undefined;
  const keys = columns.map((column) => column && row.keys.get(column.name));
  return keys.includes(undefined) ? undefined : keys.map((key) => `${row.constant}.${key}`);
}

/** References may spell a name in another case. */
function byName<T extends { readonly name: string }>(all: readonly T[], name: string) {
  const lower = name.toLowerCase();
  return all.find((one) => one.name === name) ??
    all.find((one) => one.name.toLowerCase() === lower);
}

/** Keys, constraints and indexes. */
function extrasOf(row: Named, table: Table, all: readonly Named[], use: Use): string[] {
  const list = (columns: readonly string[]) =>
    columns.map((column) => own(row, column, use)).join(", ");
  const { primaryKey, uniques, checks, indexes } = table;
  const extras: string[] = [];
  const alone = row.columns.some((column) => isKeyAlone(column, table));
  if (primaryKey !== undefined && !alone) {
    const name = primaryKey.name === undefined ? "" : `name: ${JSON.stringify(primaryKey.name)}, `;
    extras.push(`${use("primaryKey")}({ ${name}columns: [${list(primaryKey.columns)}] })`);
  }
  for (const key of table.foreignKeys) {
    const targets = isInline(key) ? undefined : targetsOf(key, all);
    if (targets === undefined) continue;
    const name = key.name === undefined ? "" : `name: ${JSON.stringify(key.name)}, `;
    const foreign = `foreignColumns: [${targets.join(", ")}]`;
    const actions = actionsOf(key).map(([when, action]) => `.${when}("${action}")`).join("");
    extras.push(
      `${use("foreignKey")}({ ${name}columns: [${list(key.columns)}], ${foreign} })${actions}`,
    );
  }
  for (const { name, columns } of uniques) {
    const named = name === undefined ? "" : JSON.stringify(name);
    extras.push(`${use("unique")}(${named}).on(${list(columns)})`);
  }
  for (const index of indexes) extras.push(indexText(index, row, use));
  for (const [i, { name, expression }] of checks.entries()) {
    const named = JSON.stringify(name ?? `${row.name}_check_${i + 1}`);
    extras.push(`${use("check")}(${named}, ${sqlTemplate(expression, use)})`);
  }
  return extras;
}

function indexText({ name, unique, terms, where }: Index, row: Named, use: Use): string {
  const kind = use(unique ? "uniqueIndex" : "index");
  const on = terms.map((term) => termText(term, row, use)).join(", ");
  const condition = where === undefined ? "" : `.where(${sqlTemplate(where, use)})`;
  return `${kind}(${JSON.stringify(name)}).on(${on})${condition}`;
}

function termText({ column, expression, descending }: IndexTerm, row: Named, use: Use): string {
  if (column === undefined) {
    return sqlTemplate(`${expression ?? ""}${descending ? " DESC" : ""}`, use);
  }
  const key = own(row, column, use);
  return descending ? `${use("sql")}\`\${${key}} DESC\`` : key;
}
