/** One call at a time beside a bare `fetch` of the same body, on a server that does nothing. */

import { makeCalls } from "./support/calls.ts";
import { startFixedServer } from "./support/server.ts";

const server = await startFixedServer();
addEventListener("unload", server.stop);
const calls = await makeCalls(server.url);

Deno.bench("fetch", { group: "read", baseline: true }, async () => void await calls.bareRead());
Deno.bench("query()", { group: "read" }, async () => void await calls.read());

Deno.bench("fetch", { group: "write", baseline: true }, async () => void await calls.bareWrite());
Deno.bench("execute()", { group: "write" }, async () => void await calls.write());
