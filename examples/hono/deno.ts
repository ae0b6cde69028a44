// deno run -A examples/hono/deno.ts

import process from "node:process";
import { createApp } from "./app.ts";
import { openDatabase } from "./database.ts";

const app = createApp(await openDatabase());

Deno.serve({
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  onListen: ({ port }) => console.log(`Listening on http://127.0.0.1:${port}`),
}, app.fetch);
