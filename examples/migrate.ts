/**
 * Files of SQL that make the tables of an app: applied once, though eight start at the same time; looked at, taken back, and
 * refused where somebody has edited one.
 *
 *     deno run -A examples/migrate.ts                               on a database in memory
 *     deno run -A examples/migrate.ts --url http://localhost:4001   on an rqlite server
 *
 * Also with `bun` and `node`.
 */

// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/migrate".
import { connect, ProgrammingError } from "../mod.ts";
import { migrate, type MigrateOptions, status } from "../src/migrate/mod.ts";
import { done, heading, table } from "./terminal.ts";
import { target } from "./target.ts";

const db = connect(target());
// A program of yours needs no `table`; this one leaves alone what others have noted.
const options: MigrateOptions = {
  folder: new URL("./migrations/", import.meta.url),
  table: "demo_migrations",
};

async function tell(): Promise<void> {
  const all = await status(db, options);
  table(all.map(({ name, state, down }) => ({ name, state, "can go back": down ? "yes" : "no" })));
}

heading("What there is to do");
const { applied: pending } = await migrate(db, { ...options, dryRun: true });
done(`Pending: ${pending.join(", ")}`);

heading("Eight do it at the same time");
const all = await Promise.all(Array.from({ length: 8 }, () => migrate(db, options)));
const times = pending.map((name) => all.filter(({ applied }) => applied.includes(name)).length);
done(`Applied: ${pending.map((name, i) => `${name} ${times[i]} time`).join(", ")}`);
const loans = "SELECT title, reader FROM demo_books JOIN demo_loans ON book = id";
done(`Lent: ${JSON.stringify(await db.first(loans))}`);
await tell();

heading("Back to the first");
const { reverted } = await migrate(db, { ...options, to: "0001_books" });
done(`Taken back: ${reverted.join(", ")}`);
await tell();

heading("Somebody edits what was applied");
try {
  const edited = [{ name: "0001_books", sql: "CREATE TABLE demo_books(title TEXT)" }];
  await migrate(db, { migrations: edited, table: "demo_migrations" });
} catch (error) {
  if (!(error instanceof ProgrammingError)) throw error;
  done(`${error.name}: ${error.message}`);
}

await migrate(db, { ...options, to: "none" });
await db.execute("DROP TABLE demo_migrations");
await db.close();
