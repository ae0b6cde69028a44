import process from "node:process";

/** A handler as every server takes it. */
export type Handler = (request: Request) => Response | Promise<Response>;

/** A server of this engine. */
export interface Served {
  readonly url: string;
  close(): Promise<void>;
}

interface BunLike {
  serve(options: { hostname: string; port: number; fetch: Handler }): {
    readonly port: number;
    stop(force: boolean): Promise<void>;
  };
}

const hostname = "127.0.0.1";

/** Serves on this engine's own HTTP server, on Node on Hono's adapter. */
export async function serveHere(fetch: Handler): Promise<Served> {
  if (typeof Deno !== "undefined") {
    const server = Deno.serve({ hostname, port: 0, onListen: () => {} }, fetch);
    return { url: `http://${hostname}:${server.addr.port}`, close: () => server.shutdown() };
  }
  if (process.versions.bun !== undefined) {
    const server = (globalThis as unknown as { Bun: BunLike }).Bun.serve({
      hostname,
      port: 0,
      fetch,
    });
    return { url: `http://${hostname}:${server.port}`, close: () => server.stop(true) };
  }
  const { serve } = await import("@hono/node-server");
  return await new Promise((resolve) => {
    const server = serve({ hostname, port: 0, fetch }, ({ port }) => {
      const close = () =>
        new Promise<void>((done) => {
          server.close(() => done());
          // Those that are kept alive would hold it for seconds.
          if ("closeAllConnections" in server) server.closeAllConnections();
        });
      resolve({ url: `http://${hostname}:${port}`, close });
    });
  });
}
