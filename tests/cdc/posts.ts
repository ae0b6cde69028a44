import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cdcConfig, type CdcConfigOptions } from "../../src/cdc/mod.ts";
import { type Handler, serveHere } from "../hono/serve.ts";
import { until } from "../support/http.ts";
import { type Rqlited, startRqlited } from "../support/rqlited.ts";
import { rqlitedBinary } from "../support/rqlited_binary.ts";

/** Why the changes of a real server cannot be had, or `false`. */
export function skipWithoutCdc(): string | false {
  return rqlitedBinary().major >= 9 ? false : "CDC is there from rqlite 9.0 on";
}

/** A server, or a cluster, that posts its changes. */
export interface Posting<S> {
  readonly server: S;
  stop(): Promise<void>;
}

/**
 * Starts a server that posts its changes to a handler.
 *
 * @param start Starts it with these flags.
 * @param handler Is served here.
 * @param options What its configuration says besides where it posts to, which is `path` of the handler.
 */
export async function startPosting<S extends { stop(): Promise<void> }>(
  start: (flags: { args: readonly string[] }) => Promise<S>,
  handler: Handler,
  { path = "/changes", ...options }: Omit<CdcConfigOptions, "endpoint"> & { path?: string },
): Promise<Posting<S>> {
  const folder = mkdtempSync(join(tmpdir(), "cdc-"));
  const file = join(folder, "cdc.json");
  const web = await serveHere(handler);
  writeFileSync(file, cdcConfig({ ...options, endpoint: `${web.url}${path}` }));
  const server = await start({ args: ["-cdc-config", file] });
  return {
    server,
    async stop() {
      await server.stop();
      await web.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** What a server posted. */
export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server, and what it posted. */
export interface Posts extends Posting<Rqlited> {
  /** Everything so far. */
  readonly requests: readonly Post[];
  /** Waits until the bodies are as they should be. */
  until(done: (bodies: readonly string[]) => boolean): Promise<void>;
}

/** Starts a server that posts to here, where all is taken. */
export async function startPosts(options: Omit<CdcConfigOptions, "endpoint">): Promise<Posts> {
  const requests: Post[] = [];
  const take: Handler = async (request) => {
    const header = (name: string) => request.headers.get(name) ?? "";
    const headers = {
      authorization: header("authorization"),
      "content-type": header("content-type"),
    };
    requests.push({ headers, body: await request.text() });
    return new Response();
  };
  const posting = await startPosting(startRqlited, take, { batchDelay: 50, ...options });
  return {
    ...posting,
    requests,
    async until(done) {
      await until("posts", () => {
        return Promise.resolve(done(requests.map(({ body }) => body)) || undefined);
      }, { details: () => posting.server.log() });
    },
  };
}
