// bun examples/hono/bun.ts

import process from "node:process";
import { createApp } from "./app.ts";
import { openDatabase } from "./database.ts";

const app = createApp(await openDatabase());

/** What Bun serves. */
export default {
  hostname: "127.0.0.1",
  port: Number(process.env.PORT ?? 8000),
  fetch: app.fetch,
};
