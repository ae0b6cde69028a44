/**
 * Serves the page. The server has to allow pages of another origin:
 *
 *     rqlited -http-allow-origin http://localhost:8000 data
 *     deno run -A examples/browser/serve.ts
 *
 * Then open http://localhost:8000/?server=http://localhost:4001
 */

import { parseArgs } from "node:util";
import { fileURLToPath } from "node:url";

const { values } = parseArgs({ options: { port: { type: "string", default: "8000" } } });
const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** The page's script as one module. */
async function bundle(): Promise<string> {
  const args = ["bundle", "--quiet", "--platform", "browser", "--minify", here("app.ts")];
  const { success, stdout } = await new Deno.Command(Deno.execPath(), { args, stderr: "inherit" })
    .output();
  if (!success) throw new Error("Cannot bundle app.ts");
  return new TextDecoder().decode(stdout);
}

const script = await bundle();
const page = await Deno.readTextFile(here("index.html"));

Deno.serve({ hostname: "127.0.0.1", port: Number(values.port) }, ({ url }) => {
  const { pathname } = new URL(url);
  if (pathname === "/") return new Response(page, { headers: { "content-type": "text/html" } });
  if (pathname !== "/app.js") return new Response(null, { status: 404 });
  return new Response(script, { headers: { "content-type": "text/javascript" } });
});
