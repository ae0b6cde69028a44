/**
 * Migrates the library: what each instance of a service does when it starts.
 *
 *     deno run -A examples/drizzle/migrate.ts http://localhost:4001     or the path of a database of the embedded engine
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
// In your project: "@tangled/rqlite", "@tangled/rqlite-drizzle", "…/drizzle/migrator", "…/embedded".
import { connect } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { migrate } from "../../packages/drizzle/migrator.ts";
import { embedded } from "../../src/embedded/mod.ts";

const [place = "http://localhost:4001"] = process.argv.slice(2);
const client = connect(/^https?:/.test(place) ? place : embedded(place, { foreignKeys: true }));
await migrate(drizzle(client), {
  migrationsFolder: fileURLToPath(new URL("./migrations", import.meta.url)),
  migrationsTable: "demo_migrations",
});
await client.close();
