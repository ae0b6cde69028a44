import { spawn } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import module from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** Where each package of the workspace has its `deno.json`. */
const PACKAGES = {
  "@tangled/rqlite": "",
  "@tangled/rqlite-kysely": "packages/kysely/",
  "@tangled/rqlite-drizzle": "packages/drizzle/",
  "@tangled/rqlite-drizzle-v1": "packages/drizzle-v1/",
} as const;

/** A package of the workspace. */
export type PackageName = keyof typeof PACKAGES;

/** What a command left. */
export interface Ran {
  readonly code: number | null;
  /** Standard output and standard error as they came. */
  readonly output: string;
}

/** The folder of a user's project, with packages in `node_modules` as npm would put them: one copy of each. */
export interface Project {
  readonly folder: string;
  /** The text of a file. */
  read(path: string): string;
  /** The names below a folder of the project, in their order. */
  list(path: string): string[];
  /** Writes files, with the folders they need. */
  write(files: Readonly<Record<string, string | Uint8Array>>): void;
  /** Runs a file of the project, or a command of a package, such as `kysely-ctl/kysely`, on the engine that runs this. */
  run(file: string, args?: readonly string[], env?: Environment): Promise<Ran>;
  /** Runs a file that does not end by itself until `body` has ended, which begins when it has printed `ready`. */
  during(file: string, env: Environment, ready: string, body: () => Promise<void>): Promise<void>;
}

type Environment = Readonly<Record<string, string>>;

/** Folders that have packages of npm: one for each set of versions that go together. */
export type Tools = "tools" | "tools_v1";

/** Why a test that needs these packages cannot run here, or false. Where everything is tested, they have to be there. */
export function skipWithout(tools: Tools): string | false {
  if (OWN_ENGINE.name !== "node") return "The tools are run on Node";
  return existsSync(installed(tools)) || process.env.CI
    ? false
    : `deno install --frozen in tests/recipes/${tools}`;
}

function installed(tools: Tools): string {
  return `${ROOT}tests/recipes/${tools}/node_modules`;
}

/** Makes a project, and removes it afterwards. */
export async function withProject(
  tools: Tools,
  packages: readonly PackageName[],
  body: (project: Project) => Promise<void>,
): Promise<void> {
  // As tools name the file they were given by its real path.
  const folder = realpathSync(mkdtempSync(join(tmpdir(), "project-")));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module", "dependencies": {} }');
    mkdirSync(join(folder, "node_modules"));
    for (const name of readdirSync(installed(tools)).filter((name) => !name.startsWith("."))) {
      symlinkSync(realpathSync(join(installed(tools), name)), join(folder, "node_modules", name));
    }
    for (const name of packages) installPackage(name, folder);
    await body(new ProjectFolder(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** As npm has it: JavaScript below `node_modules`. What tools make of TypeScript there takes them seconds, if they can. */
function installPackage(name: PackageName, folder: string): void {
  let files = packed.get(name);
  if (files === undefined) packed.set(name, files = pack(name));
  for (const [path, text] of files) {
    const file = join(folder, "node_modules", name, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, text);
  }
}

/** What was packed, as the next project needs it again. */
const packed = new Map<PackageName, ReadonlyMap<string, string>>();

/** The files of a package and their text. */
function pack(name: PackageName): Map<string, string> {
  const source = ROOT + PACKAGES[name];
  const manifest = readFileSync(`${source}deno.json`, "utf8");
  const { exports } = JSON.parse(manifest) as { exports: Record<string, string> };
  const entries = Object.entries(exports).map(([entry, path]) => [entry, compiled(path)]);
  const json = { name, type: "module", exports: Object.fromEntries(entries) };
  const files = new Map([["package.json", JSON.stringify(json)]]);
  const inSource = readdirSync(`${source}src`, { encoding: "utf8", recursive: true })
    .filter((path) => path.endsWith(".ts")).map((path) => `./src/${path}`);
  for (const path of [...Object.values(exports), ...inSource]) {
    const code = module.stripTypeScriptTypes(readFileSync(source + path, "utf8"));
    files.set(compiled(path), code.replace(/"\.{1,2}\/[^"\n]+\.ts"/g, compiled));
  }
  return files;
}

function compiled(path: string): string {
  return path.replace(/\.ts("?)$/, ".js$1");
}

interface Child {
  readonly gone: Promise<number | null>;
  output(): string;
  kill(): void;
  prints(text: string): Promise<void>;
}

class ProjectFolder implements Project {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  read(path: string): string {
    return readFileSync(join(this.folder, path), "utf8");
  }

  list(path: string): string[] {
    return readdirSync(join(this.folder, path)).sort();
  }

  write(files: Readonly<Record<string, string | Uint8Array>>): void {
    for (const [path, content] of Object.entries(files)) {
      const file = join(this.folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content);
    }
  }

  async run(file: string, args: readonly string[] = [], env: Environment = {}): Promise<Ran> {
    const child = this.#start(file, args, env);
    return { code: await child.gone, output: child.output() };
  }

  async during(
    file: string,
    env: Environment,
    ready: string,
    body: () => Promise<void>,
  ): Promise<void> {
    const child = this.#start(file, [], env);
    const ended = child.gone.then(() => Promise.reject(new Error(child.output())));
    try {
      await Promise.race([child.prints(ready), ended]);
      await Promise.race([body(), ended]);
    } finally {
      ended.catch(() => {});
      child.kill();
      await child.gone;
    }
  }

  #start(file: string, args: readonly string[], env: Environment): Child {
    const path = existsSync(join(this.folder, file)) ? file : this.#command(file);
    // A run within a run of Node's would report to that; and nothing here is to be coloured or asked.
    const { NODE_TEST_CONTEXT: _, ...inherited } = process.env;
    const child = spawn(OWN_ENGINE.command, [...OWN_ENGINE.args, path, ...args], {
      cwd: this.folder,
      env: { ...inherited, NO_COLOR: "1", CI: "1", ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    let output = "";
    let printed = () => {};
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
        printed();
      });
    }
    return {
      output: () => output,
      kill: () => void child.kill("SIGKILL"),
      gone: new Promise((resolve, reject) => {
        child.once("error", reject);
        child.once("close", resolve);
      }),
      prints: (text) =>
        new Promise((resolve) => {
          printed = () => output.includes(text) && resolve();
          printed();
        }),
    };
  }

  #command(name: string): string {
    const at = name.lastIndexOf("/");
    const [home, command] = [`node_modules/${name.slice(0, at)}`, name.slice(at + 1)];
    const { bin } = JSON.parse(this.read(`${home}/package.json`)) as {
      bin: string | Record<string, string>;
    };
    const file = typeof bin === "string" ? bin : bin[command];
    if (file === undefined) throw new Error(`${home} has no command ${command}`);
    return join(home, file);
  }
}

/**
 * The files that a README shows: blocks that begin with their path as a comment. So what is tested is what is read there.
 *
 * @param path Of the README, from the root on.
 */
export function filesOf(path: string): Record<string, string> {
  const text = readFileSync(ROOT + path, "utf8");
  const files: Record<string, string> = {};
  for (const [, file, content] of text.matchAll(/^```ts[^\n]*\n\/\/ (\S+\.ts)\n(.*?)^```$/gms)) {
    files[file!] = content!;
  }
  return files;
}

/** The files named, which must be there. */
export function pick(
  files: Readonly<Record<string, string>>,
  ...names: readonly string[]
): Record<string, string> {
  return Object.fromEntries(names.map((name) => {
    const content = files[name];
    if (content === undefined) throw new Error(`The README does not show ${name}`);
    return [name, content];
  }));
}
