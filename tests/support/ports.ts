import { createServer } from "node:net";

/**
 * Below the range the kernel takes outgoing ports from, so a restart finds its port still free; and above 10080, which
 * `fetch` blocks.
 */
const FIRST = 10_100;
const LAST = 32_000;

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}

/** Nobody may listen there yet. */
const given = new Set<number>();

/** A port of 127.0.0.1 that nobody listened on a moment ago, another one each time. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = FIRST + Math.floor(Math.random() * (LAST - FIRST));
    if (given.has(port) || !await isFree(port)) continue;
    given.add(port);
    return port;
  }
}
