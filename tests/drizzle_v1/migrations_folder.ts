import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** The name of the n-th migration, from 0; each is made a second after the one before. */
export const nameOf = (index: number): string =>
  `202601020304${String(index).padStart(2, "0")}_made`;

/** When it was made, in milliseconds. */
export const timeOf = (index: number): number => Date.UTC(2026, 0, 2, 3, 4, index);

/** Writes a folder of migrations as drizzle-kit 1.0 does, and removes it afterwards. */
export async function withMigrations<T>(
  files: readonly string[],
  body: (folder: string, write: (text: string, name: string) => void) => Promise<T>,
): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), "rqlite-migrations-"));
  const write = (text: string, name: string): void => {
    mkdirSync(join(folder, name), { recursive: true });
    writeFileSync(join(folder, name, "migration.sql"), text);
    writeFileSync(join(folder, name, "snapshot.json"), "{}");
  };
  try {
    files.forEach((text, i) => write(text, nameOf(i)));
    return await body(folder, write);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
