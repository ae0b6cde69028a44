import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { pathToFileURL } from "node:url";
import { startRqlited } from "../../support/rqlited.ts";
import { filesOf, pick } from "../project.ts";

/** A project that holds the files that a README shows, on a server of its own. */
export interface Shown {
  /** Runs one of them, and answers what it exports. */
  load<T>(file: string): Promise<T>;
}

/** Its own schema, as better-auth would write it. */
export const SCHEMA: string = readFileSync(
  new URL("better_auth_schema.ts", import.meta.url),
  "utf8",
);

/**
 * Writes files of a README to where `body` can load them. They find packages as the tests do.
 *
 * @param others Files that the README only names.
 */
export async function withShown(
  readme: string,
  files: readonly string[],
  others: Readonly<Record<string, string>>,
  body: (shown: Shown) => Promise<void>,
): Promise<void> {
  const server = await startRqlited({ args: ["-fk"] });
  const folder = mkdtempSync(join(tmpdir(), "readme-"));
  try {
    const all = { ...pick(filesOf(readme), ...files), ...others };
    for (const [file, text] of Object.entries(all)) {
      mkdirSync(dirname(join(folder, file)), { recursive: true });
      writeFileSync(join(folder, file), text);
    }
    process.env.RQLITE_URL = server.url;
    process.env.BETTER_AUTH_URL = "http://localhost:3000";
    process.env.BETTER_AUTH_SECRET = "only for tests, but long enough: 0123456789";
    await body({ load: (file) => import(pathToFileURL(join(folder, file)).href) });
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}
