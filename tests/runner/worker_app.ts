/** A file as a real Worker: bundled, served by workerd, with a server behind it. */

import { connect } from "../../mod.ts";
import { createTables } from "../../examples/hono/database.ts";
import { until } from "../support/http.ts";
import { freePort } from "../support/ports.ts";
import { startRqlited } from "../support/rqlited.ts";
import { BUNDLES } from "./bundle.ts";
import { type Workerd, workerdConfig } from "./workerd.ts";

/** What a test of the Worker gets. */
export interface WorkerApp {
  /** Where it serves. */
  readonly url: string;
  /** The database behind it. */
  readonly database: string;
}

/**
 * Serves a Worker for as long as `body` runs.
 *
 * @param path Of the binary.
 * @param module Its bundle, in {@linkcode BUNDLES}.
 */
export async function withWorkerApp<T>(
  { date }: Workerd,
  path: string,
  module: string,
  body: (app: WorkerApp) => Promise<T>,
): Promise<T> {
  const server = await startRqlited();
  try {
    const db = connect(server.url);
    await createTables(db);
    await db.batch(["CREATE TABLE counter(n)", "INSERT INTO counter VALUES(0)"]);
    await db.close();
    const address = `127.0.0.1:${await freePort()}`;
    const config = await workerdConfig(BUNDLES, module, {
      date,
      binding: "RQLITE_URL",
      address,
    });
    const child = new Deno.Command(path, {
      args: ["serve", config],
      env: { RQLITE_URL: server.url },
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    try {
      const url = `http://${address}`;
      await until("answer of the Worker", async () => {
        const answer = await fetch(url).catch(() => undefined);
        await answer?.body?.cancel();
        return answer !== undefined || undefined;
      });
      return await body({ url, database: server.url });
    } finally {
      child.kill("SIGKILL");
      await child.status;
    }
  } finally {
    await server.stop();
  }
}
