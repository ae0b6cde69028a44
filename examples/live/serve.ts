/**
 * Serves the list. rqlite, from 9.0 on, has to post its changes to it, so write its configuration first:
 *
 *     deno run -A examples/live/serve.ts --config cdc.json
 *     rqlited -cdc-config cdc.json data
 *     deno run -A examples/live/serve.ts
 *
 * Then open http://localhost:8000 in two windows. `SECRET` sets the secret, for both commands.
 */

import process from "node:process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
// In your project these two are "@tangled/rqlite" and "@tangled/rqlite/cdc".
import { connect } from "../../mod.ts";
import { cdcConfig } from "../../src/cdc/mod.ts";
import { createApp, createTables } from "./app.ts";

const { values } = parseArgs({
  options: {
    config: { type: "string" },
    port: { type: "string", default: "8000" },
    url: { type: "string", default: "http://localhost:4001" },
  },
});
const secret = process.env.SECRET ?? "of this example";

if (values.config !== undefined) {
  const endpoint = `http://localhost:${values.port}/changes`;
  const text = cdcConfig({ endpoint, secret, tables: ["todos"], batchDelay: 20 });
  // It holds the secret.
  await Deno.writeTextFile(values.config, text, { mode: 0o600 });
  console.log(`Start the server with: rqlited -cdc-config ${values.config} data`);
} else {
  const db = connect(values.url);
  await createTables(db);
  const page = await Deno.readTextFile(fileURLToPath(new URL("page.html", import.meta.url)));
  Deno.serve(
    { hostname: "localhost", port: Number(values.port) },
    createApp(db, page, secret).app.fetch,
  );
}
