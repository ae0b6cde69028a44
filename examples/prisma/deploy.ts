/**
 * Applies what `prisma migrate dev` wrote, as each instance of a service may do when it starts.
 *
 *     deno run -A examples/prisma/deploy.ts http://localhost:4001
 */

import { readdir, readFile } from "node:fs/promises";
import process from "node:process";
// In your project: "@tangled/rqlite", "@tangled/rqlite/locks", "@tangled/rqlite/locks/rqlite".
import { type Client, connect } from "../../mod.ts";
import { withLock } from "../../src/locks/mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

const FOLDER = new URL("./migrations/", import.meta.url);

/** Applies the migrations that the database does not have yet, each as one unit; answers their names. */
export async function deploy(client: Client): Promise<string[]> {
  const lock = new RqliteLock({ name: "migrations", client, maxHoldTime: Infinity });
  return await withLock(lock, async () => {
    await client.execute("CREATE TABLE IF NOT EXISTS demo_migrations(name TEXT PRIMARY KEY)");
    const { rows } = await client.query<{ name: string }>("SELECT name FROM demo_migrations");
    const applied = new Set(rows.map(({ name }) => name));
    const entries = await readdir(FOLDER, { withFileTypes: true });
    const pending = entries.filter((one) => one.isDirectory() && !applied.has(one.name))
      .map(({ name }) => name).sort();
    for (const name of pending) {
      const script = await readFile(new URL(`${name}/migration.sql`, FOLDER), "utf8");
      // In one script: the name is kept if, and only if, the migration is.
      await client.script(`${script}\nINSERT INTO demo_migrations VALUES('${name}');`);
    }
    return pending;
  });
}

if (process.argv[1]?.endsWith("deploy.ts")) {
  const client = connect(process.argv[2] ?? "http://localhost:4001");
  console.log(await deploy(client));
  await client.close();
}
