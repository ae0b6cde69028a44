// node examples/hono/node.ts

import process from "node:process";
import { serve } from "@hono/node-server";
import { createApp } from "./app.ts";
import { openDatabase } from "./database.ts";

const app = createApp(await openDatabase());

serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  fetch: app.fetch,
}, ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`));
