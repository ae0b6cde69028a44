/** Another process: migrates a database so many times at once, or dies with the migrators' lock in its hands. */

import process from "node:process";
import { connect } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import { migrate } from "../../packages/drizzle-v1/migrator.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

const [url = "", migrationsFolder = "", times = "1"] = process.argv.slice(2);
if (times === "crash") {
  const name = "drizzle:__drizzle_migrations";
  await new RqliteLock({ name, client: connect(url), leaseDuration: 1000 }).acquire();
  process.exit(9);
}
const databases = Array.from({ length: Number(times) }, () => drizzle(url));
await Promise.all(databases.map((db) => migrate(db, { migrationsFolder })));
await Promise.all(databases.map((db) => db.$client.close()));
