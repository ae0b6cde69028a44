import { existsSync, readdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Which server. */
export type RedisKind = "redis" | "valkey";

export const REDIS_KINDS: readonly RedisKind[] = ["redis", "valkey"];

/** Where `deno task test` unpacks the servers that are not there. */
const UNPACKED = fileURLToPath(new URL("../../out/servers/root/usr/", import.meta.url));

/** A program, with the folder of the libraries that it came with. */
export interface RedisBinary {
  readonly path: string;
  readonly libraries: string;
}

/** Finds the server: `REDIS_BIN` or `VALKEY_BIN`, then `PATH`, then what the runner unpacked. */
export function redisBinary(kind: RedisKind): RedisBinary | undefined {
  const program = `${kind}-server`;
  const named = process.env[`${kind.toUpperCase()}_BIN`];
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  const places = named ? [named] : folders.map((folder) => join(folder, program));
  const path = places.find((place) => existsSync(place));
  if (path !== undefined) return { path, libraries: "" };
  const unpacked = `${UNPACKED}bin/${program}`;
  return existsSync(unpacked) ? { path: unpacked, libraries: libraries() } : undefined;
}

/** Debian keeps libraries in a folder per architecture. */
function libraries(): string {
  const lib = `${UNPACKED}lib/`;
  return existsSync(lib) ? readdirSync(lib).map((name) => lib + name).join(":") : "";
}

/** For `{ skip }`: why tests of this server cannot run here. Under CI they fail instead. */
export function skipWithoutRedis(kind: RedisKind): string | false {
  if (redisBinary(kind) !== undefined || process.env.CI) return false;
  return `needs ${kind}-server: put it on PATH, name it with ${kind.toUpperCase()}_BIN, or let ` +
    "`deno task test` fetch it, which takes apt-get";
}
