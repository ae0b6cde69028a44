import { quotedName } from "../sql/quoting.ts";
import type { Connection } from "./connection.ts";

/** The database as SQL text: the tables with their rows, then indexes, triggers and views. */
export function dump(connection: Connection, only: readonly string[]): Uint8Array {
  const lines = ["PRAGMA foreign_keys=OFF", "BEGIN TRANSACTION"];
  connection.run("BEGIN");
  try {
    for (const table of tables(connection, only)) lines.push(...dumpTable(connection, table));
    lines.push(...texts(connection, OTHERS), "COMMIT");
  } finally {
    connection.run("COMMIT");
  }
  return new TextEncoder().encode(lines.map((line) => `${line};\n`).join(""));
}

const TABLES = "SELECT name FROM sqlite_master WHERE sql NOT NULL AND type = 'table' ORDER BY name";
const OTHERS =
  "SELECT sql FROM sqlite_master WHERE sql NOT NULL AND type IN ('index', 'trigger', 'view')";

function tables(connection: Connection, only: readonly string[]): string[] {
  return texts(connection, TABLES).filter((name) => only.length === 0 || only.includes(name));
}

function dumpTable(connection: Connection, table: string): string[] {
  if (table.startsWith("sqlite_") && table !== "sqlite_sequence" && table !== "sqlite_stat1") {
    return [];
  }
  const name = quotedName(table);
  const columns = texts(connection, `SELECT name FROM temp.pragma_table_info(${quoteText(table)})`);
  const values = columns.map((column) => `quote(${quotedName(column)})`).join(" || ',' || ");
  const start = quoteText(`INSERT INTO ${name} VALUES(`);
  const rows = texts(connection, `SELECT ${start} || ${values} || ')' FROM ${name}`);
  return [creation(connection, table), ...rows];
}

function creation(connection: Connection, table: string): string {
  if (table === "sqlite_sequence") return 'DELETE FROM "sqlite_sequence";';
  if (table === "sqlite_stat1") return 'ANALYZE "sqlite_master";';
  const where = `type = 'table' AND name = ${quoteText(table)}`;
  return texts(connection, `SELECT sql FROM sqlite_master WHERE ${where}`)[0] ?? "";
}

function texts(connection: Connection, sql: string): string[] {
  return connection.column(sql).map(String);
}

function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
