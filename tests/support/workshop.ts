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
import { fileURLToPath } from "node:url";
import type { ChildEngine } from "./engines.ts";
import { type Ended, runToEnd } from "./run_to_end.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A folder with one of our drivers, and the copies of its ORM that it and its user have. */
export interface Workshop {
  readonly folder: string;
  /** Runs a program there to its end; it imports `@tangled/rqlite` and the driver by their names. */
  run(engine: ChildEngine, program: string): Promise<Ended>;
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
    run: ({ command, args }, program) => {
      writeFileSync(join(folder, "main.ts"), program);
      return runToEnd(folder, command, [...args, "main.ts"]);
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

/**
 * Lets a package of ours be found, whose files are at `home`, under the name in its `deno.json`.
 *
 * @param modules The `node_modules` in which it is looked for.
 * @param place Where its `deno.json` is.
 */
export function publish(modules: string, place: string, home: string): string {
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
