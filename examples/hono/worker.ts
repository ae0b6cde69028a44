// The entry point of a Worker, whose variable RQLITE_URL names the server. The tables have to be there:
// RQLITE_URL=http://… deno run -A examples/hono/deno.ts makes them.

import { createApp } from "./app.ts";

/** What the Worker serves: one client is made for the URL, by the first request. */
export default createApp((c) => c.env.RQLITE_URL);
