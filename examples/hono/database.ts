/** The database of the app: embedded unless `RQLITE_URL` names a server. */

import process from "node:process";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/embedded".
import { type Client, connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";

/** Makes the tables, and two accounts to begin with. */
export async function createTables(db: Client): Promise<void> {
  await db.batch([
    "CREATE TABLE IF NOT EXISTS notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL UNIQUE)",
    "CREATE TABLE IF NOT EXISTS accounts(owner TEXT PRIMARY KEY, euros INTEGER NOT NULL)",
    "INSERT OR IGNORE INTO accounts VALUES('Ada', 100), ('Bob', 100)",
  ]);
}

/** Opens the database that the environment names, with its tables. */
export async function openDatabase(): Promise<Client> {
  const { RQLITE_URL } = process.env;
  const db = RQLITE_URL ? connect(RQLITE_URL) : connect(embedded());
  await createTables(db);
  return db;
}
