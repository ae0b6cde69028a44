import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The bytes of a database file in which some SQL was run, as another program would have made it. */
export function databaseFile(sql: string): Uint8Array<ArrayBuffer> {
  const folder = mkdtempSync(join(tmpdir(), "database-"));
  try {
    const path = join(folder, "file.db");
    const database = new DatabaseSync(path);
    database.exec(sql);
    database.close();
    return Uint8Array.from(readFileSync(path));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** What a query on a database file answers, and whether SQLite finds it sound. */
export function readDatabaseFile(
  bytes: Uint8Array,
  sql: string,
): { readonly rows: unknown[]; readonly sound: boolean } {
  const folder = mkdtempSync(join(tmpdir(), "database-"));
  try {
    const path = join(folder, "file.db");
    writeFileSync(path, bytes);
    const database = new DatabaseSync(path);
    const rows = database.prepare(sql).all().map((row) => ({ ...row }));
    const [check] = database.prepare("PRAGMA integrity_check").all();
    database.close();
    return { rows, sound: check?.["integrity_check"] === "ok" };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
