import { type Client, connect } from "../../mod.ts";
import type { Case } from "./interleave.ts";

const READ = "SELECT id, name, price FROM bench WHERE id = ?";
const WRITE = "UPDATE bench SET name = ?, price = ? WHERE id = ?";

/** What the client sends, so that the server does the same for both. */
const READ_PATH = "/db/query?blob_array&norwrandom&norwtime&level=weak";
const WRITE_PATH = "/db/execute?blob_array&norwrandom&norwtime";

/** One call at a time, by `fetch` alone and by the client. */
export interface Calls {
  readonly bareRead: Case;
  readonly read: Case;
  readonly bareWrite: Case;
  readonly write: Case;
  close(): Promise<void>;
}

/** Makes the table and the calls. */
export async function makeCalls(url: string): Promise<Calls> {
  // `fetch` alone sends no id either; bench/commits.ts tells what one costs.
  const db: Client = connect(url, { level: "weak", exactlyOnce: false });
  await db.execute(
    "CREATE TABLE IF NOT EXISTS bench(id INTEGER PRIMARY KEY, name TEXT, price REAL)",
  );
  const post = async (path: string, statement: readonly unknown[]): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    const body = JSON.stringify([statement]);
    return await (await fetch(url + path, { method: "POST", headers, body })).json();
  };
  await post(WRITE_PATH, ["INSERT OR REPLACE INTO bench VALUES(?, ?, ?)", 1, "Widget A", 9.99]);
  return {
    bareRead: () => post(READ_PATH, [READ, 1]),
    read: () => db.query(READ, [1]),
    bareWrite: () => post(WRITE_PATH, [WRITE, "Widget A", 9.99, 1]),
    write: () => db.execute(WRITE, ["Widget A", 9.99, 1]),
    close: () => db.close(),
  };
}
