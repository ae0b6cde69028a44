import { DatabaseSync } from "node:sqlite";
import type { Client } from "../../mod.ts";
import { isOwnTable } from "../../src/sql/own_tables.ts";

/** A database's rows by table and its schema under `sqlite_schema`, without what the client keeps for itself. */
export type Contents = Readonly<Record<string, readonly string[]>>;

type Read = (sql: string) => Promise<readonly (readonly unknown[])[]>;

/** What a client's database holds. */
export function contentsOf(db: Client): Promise<Contents> {
  return contents(async (sql) =>
    (await db.query<unknown[]>(sql, [], { rows: "array", integers: "bigint" })).rows
  );
}

/** What SQLite itself makes of a text. */
export function contentsInSqlite(script: string): Promise<Contents> {
  const db = new DatabaseSync(":memory:");
  db.exec(script);
  return contents((sql) => {
    const statement = db.prepare(sql);
    statement.setReadBigInts(true);
    return Promise.resolve(statement.all().map((row) => Object.values(row)));
  }).finally(() => db.close());
}

async function contents(read: Read): Promise<Contents> {
  const schema = await read("SELECT tbl_name, type, name, sql FROM sqlite_schema");
  const own = (name: unknown): boolean => isOwnTable(String(name));
  const kept = schema.filter(([table]) => !own(table) && !/^sqlite_stat/.test(String(table)));
  const found: Record<string, readonly string[]> = { sqlite_schema: sorted(kept) };
  for (const [, type, name] of kept) {
    if (type === "table" || type === "view") found[String(name)] = await rowsOf(read, String(name));
  }
  found.sqlite_sequence = (found.sqlite_sequence ?? []).filter((row) => !row.includes("_rqlite_"));
  return found;
}

async function rowsOf(read: Read, table: string): Promise<string[]> {
  const name = `"${table.replaceAll('"', '""')}"`;
  const columns = await read(
    `SELECT name FROM pragma_table_xinfo('${table.replaceAll("'", "''")}')`,
  );
  // Apart from REALs, whose text is each version's own, as text: nothing is lost of it on the way.
  const cells = columns.map(([column]) => {
    const c = `"${String(column).replaceAll('"', '""')}"`;
    return `CASE typeof(${c}) WHEN 'real' THEN 'r' || printf('%.12e', ${c}) ELSE quote(${c}) END`;
  });
  return sorted(await read(`SELECT ${cells.join(", ")} FROM ${name}`));
}

function sorted(rows: readonly (readonly unknown[])[]): string[] {
  return rows.map((row) => JSON.stringify(row)).sort();
}
