import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import type { ChildEngine } from "./engines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A folder with one of our drivers, and the copies of its ORM that it and its user have. */
export interface Workshop {
  readonly folder: string;
  /** Runs a program there to its end; it imports `@tangled/rqlite` and the driver by their names. */
  run(engine: ChildEngine, program: string): Promise<{ code: number; output: string }>;
  /** Removes the files. */
  remove(): void;
}

/** What {@linkcode makeWorkshop} makes. */
export interface WorkshopParts {
  /** A folder of `packages/`. */
  readonly driver: string;
  /** The folders of the packages that a program there imports, by their names. */
  readonly user: Readonly<Record<string, string>>;
  /** Those that the driver imports instead, if they are not the user's. */
  readonly own?: Readonly<Record<string, string>>;
  /** Copies them, so that the same version is there twice. @default {false} */
  readonly apart?: boolean;
}

/** Copies a driver, as engines look for a package from where a file really is. */
export function makeWorkshop({ driver, user, own = {}, apart = false }: WorkshopParts): Workshop {
  const folder = mkdtempSync(join(tmpdir(), "workshop-"));
  const home = join(folder, "driver");
  const filter = (source: string): boolean => !source.includes("node_modules");
  cpSync(join(ROOT, "packages", driver), home, { recursive: true, filter });
  rmSync(join(home, "deno.json"));
  linkAll(folder, user);
  publish(join(folder, "node_modules"), ROOT, ROOT);
  const installed = publish(join(folder, "node_modules"), join(ROOT, "packages", driver), home);
  // Engines look for packages from where a file really is, or from where it is linked.
  for (const [name, path] of Object.entries(own)) {
    const target = apart ? join(folder, "own", name) : path;
    if (apart) cpSync(path, target, { recursive: true });
    for (const place of [home, installed]) linkAll(place, { [name]: target });
  }
  const settings = { nodeModulesDir: "manual", lock: false };
  writeFileSync(join(folder, "deno.json"), JSON.stringify(settings));
  const names = [...Object.keys(user), "@tangled/rqlite", `@tangled/rqlite-${driver}`];
  const dependencies = Object.fromEntries(names.map((name) => [name, "*"]));
  writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module", dependencies }));
  return {
    folder,
    run: (engine, program) => {
      writeFileSync(join(folder, "main.ts"), program);
      return run(engine, folder);
    },
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function linkAll(folder: string, packages: Readonly<Record<string, string>>): void {
  mkdirSync(join(folder, "node_modules"), { recursive: true });
  for (const [name, target] of Object.entries(packages)) {
    const link = join(folder, "node_modules", name);
    mkdirSync(join(link, ".."), { recursive: true });
    symlinkSync(target, link);
  }
}

/** Lets a package of ours be found, whose files are at `home`, under the name in its `deno.json`. */
function publish(modules: string, place: string, home: string): string {
  const { name, version, exports } = JSON.parse(readFileSync(join(place, "deno.json"), "utf8"));
  const installed = join(modules, name);
  mkdirSync(installed, { recursive: true });
  const manifest = { name, version, type: "module", exports };
  writeFileSync(join(installed, "package.json"), JSON.stringify(manifest));
  const files: string[] = Object.values(exports);
  for (const part of new Set([...files.map((path) => path.split("/")[1]!), "src"])) {
    symlinkSync(join(home, part), join(installed, part));
  }
  return installed;
}

async function run(
  { command, args }: ChildEngine,
  cwd: string,
): Promise<{ code: number; output: string }> {
  // A run within a run of Node's would report to that.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const stdio: ["ignore", "pipe", "pipe"] = ["ignore", "pipe", "pipe"];
  const child = spawn(command, [...args, "main.ts"], { cwd, env, stdio });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code: code ?? -1, output };
}
