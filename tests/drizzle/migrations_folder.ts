import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Writes a folder of migrations as drizzle-kit does, and removes it afterwards. */
export async function withMigrations<T>(
  files: readonly string[],
  body: (folder: string, write: (files: readonly string[]) => void) => Promise<T>,
  breakpoints = true,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "rqlite-migrations-"));
  const write = (texts: readonly string[]): void => {
    const entries = texts.map((text, idx) => {
      const tag = `${String(idx).padStart(4, "0")}_made`;
      writeFileSync(join(folder, `${tag}.sql`), text);
      return { idx, version: "6", when: 1_700_000_000_000 + idx, tag, breakpoints };
    });
    mkdirSync(join(folder, "meta"), { recursive: true });
    const journal = JSON.stringify({ version: "7", dialect: "sqlite", entries });
    writeFileSync(join(folder, "meta", "_journal.json"), journal);
  };
  try {
    write(files);
    return await body(folder, write);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
