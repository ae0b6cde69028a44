import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cdcConfig, type CdcConfigOptions } from "../../src/cdc/mod.ts";
import { until } from "../support/http.ts";
import { type Rqlited, startRqlited } from "../support/rqlited.ts";
import { rqlitedBinary } from "../support/rqlited_binary.ts";

/** Why the changes of a real server cannot be had, or `false`. */
export function skipWithoutCdc(): string | false {
  return rqlitedBinary().major >= 9 ? false : "CDC is there from rqlite 9.0 on";
}

/** What a server posted. */
export interface Post {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** A server, and where it posts to. */
export interface Posts {
  readonly server: Rqlited;
  /** Everything so far. */
  readonly requests: readonly Post[];
  /** Waits until the bodies are as they should be. */
  until(done: (bodies: readonly string[]) => boolean): Promise<void>;
  stop(): Promise<void>;
}

/** Writes a configuration into a folder of its own. */
export function writeConfig(options: CdcConfigOptions): { file: string; remove(): void } {
  const folder = mkdtempSync(join(tmpdir(), "cdc-"));
  const file = join(folder, "cdc.json");
  writeFileSync(file, cdcConfig(options));
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}

/** Starts a server that posts to here, where all is taken. */
export async function startPosts(options: Omit<CdcConfigOptions, "endpoint">): Promise<Posts> {
  const requests: Post[] = [];
  const sink = createServer((request, response) => {
    let body = "";
    request.setEncoding("utf8").on("data", (part: string) => body += part);
    request.on("end", () => {
      const { authorization = "", "content-type": type = "" } = request.headers;
      requests.push({ headers: { authorization, "content-type": type }, body });
      response.end();
    });
  });
  await new Promise<void>((resolve) => sink.listen(0, "127.0.0.1", resolve));
  const { port } = sink.address() as AddressInfo;
  const endpoint = `http://127.0.0.1:${port}/changes`;
  const config = writeConfig({ batchDelay: 50, ...options, endpoint });
  const server = await startRqlited({ args: ["-cdc-config", config.file] });
  return {
    server,
    requests,
    async until(done) {
      await until("posts", () => {
        return Promise.resolve(done(requests.map(({ body }) => body)) || undefined);
      }, { details: () => server.log() });
    },
    async stop() {
      await server.stop();
      sink.closeAllConnections();
      sink.close();
      config.remove();
    },
  };
}
