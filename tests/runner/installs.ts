/**
 * The step that packs every package and installs what was packed as users do: into empty projects, with npm and with Bun,
 * with one copy of an ORM and with two. The programs of `tests/installs/` run there, and TypeScript checks them with all
 * declarations of ours.
 */

import { join } from "node:path";
import { ENGINES, findEngine } from "./engines.ts";
import type { Case } from "./junit.ts";
import { type Package, packages } from "./packages.ts";
import { ROOT } from "./paths.ts";
import { type Ran, run } from "./run.ts";
import type { Outcome, Step } from "./steps.ts";

const LIMIT_MS = 2 * 60_000;

/** What checks the types; the newest is much faster than those before. */
const TYPESCRIPT = "7.0.2";

/** The project of a user. */
interface Project {
  readonly name: string;
  /** Our packages besides `@tangled/rqlite`, without what their names begin with. */
  readonly drivers: readonly string[];
  /** The versions of ORMs that the user chose. */
  readonly orms: Readonly<Record<string, string>>;
  /** The versions that our packages get instead, each a copy of its own. */
  readonly copies?: Readonly<Record<string, string>>;
  /** Files of `tests/installs/`, without their endings. */
  readonly programs: readonly string[];
  /** Those whose types are checked, if not all are. */
  readonly typed?: readonly string[];
}

const PROJECTS: readonly Project[] = [
  { name: "the client alone", drivers: [], orms: {}, programs: ["core"] },
  {
    name: "ORMs",
    drivers: ["kysely", "drizzle", "prisma"],
    orms: { "kysely": "0.29.9", "drizzle-orm": "0.45.4" },
    programs: ["kysely", "drizzle", "prisma"],
  },
  {
    name: "two copies of ORMs",
    drivers: ["kysely", "drizzle"],
    orms: { "kysely": "0.28.19", "drizzle-orm": "0.44.7" },
    copies: { "kysely": "0.29.9", "drizzle-orm": "0.45.4" },
    programs: ["kysely_twice", "drizzle"],
    typed: ["kysely_twice"],
  },
  {
    name: "drizzle-orm 1.0",
    drivers: ["drizzle-v1"],
    orms: { "drizzle-orm": "1.0.0-rc.5" },
    programs: ["drizzle_v1"],
  },
];

/** What `deno pack` made. */
interface Packed {
  readonly name: string;
  readonly tarball: string;
  readonly bytes: number;
  readonly dependencies: Readonly<Record<string, string>>;
}

/** Collects what passed and what did not. */
class Report {
  readonly cases: Case[] = [];
  readonly outputs: string[] = [];

  /** A body that throws has failed; what it throws is printed. */
  async check<T>(name: string, body: () => T | Promise<T>): Promise<T | undefined> {
    try {
      const value = await body();
      this.cases.push({ name, state: "passed", reason: "" });
      return value;
    } catch (error) {
      this.cases.push({ name, state: "failed", reason: "" });
      this.outputs.push(`${name}\n${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }

  lack(name: string, reason: string): void {
    this.cases.push({ name, state: Deno.env.get("CI") ? "failed" : "skipped", reason });
    this.outputs.push(`${name}: ${reason}`);
  }
}

async function command(
  path: string,
  args: readonly string[],
  folder: string,
  env: Readonly<Record<string, string>> = {},
): Promise<string> {
  const ran: Ran = await run(path, args, { limit: LIMIT_MS, verbose: false, folder, env });
  if (ran.code !== 0) throw new Error(`${path} ${args.join(" ")} in ${folder}\n${ran.output}`);
  return ran.output;
}

async function pack({ folder, name }: Package, into: string): Promise<Packed> {
  const tarball = join(into, `${name.replace("/", "-").replace("@", "")}.tgz`);
  await command(Deno.execPath(), ["pack", "--allow-dirty", "-o", tarball], folder);
  const manifest = await command("tar", ["xzOf", tarball, "package/package.json"], ".");
  const { dependencies = {} } = JSON.parse(manifest) as Partial<Packed>;
  return { name, tarball, bytes: (await Deno.stat(tarball)).size, dependencies };
}

/** A driver depends on its ORM alone. */
function checkDependencies({ name, dependencies }: Packed, member: Package): void {
  const expected = Object.entries(member.folder === "." ? {} : member.imports ?? {});
  const names = expected.filter(([, to]) => to.startsWith("npm:")).map(([orm]) => orm);
  const found = Object.keys(dependencies);
  if (found.join() !== names.join()) throw new Error(`${name} depends on ${found.join() || "{}"}`);
  const pinned = Object.values(dependencies).filter((range) => !range.startsWith("^"));
  if (pinned.length > 0) throw new Error(`${name} depends on ${pinned}, and on no range`);
}

/** The same tarball with its ORM in one version only, so that a user's other version stays beside it. */
async function withCopies(
  packed: Packed,
  copies: Project["copies"],
  into: string,
): Promise<string> {
  const pinned = Object.keys(packed.dependencies).filter((name) => copies?.[name] !== undefined);
  if (pinned.length === 0) return packed.tarball;
  const folder = await Deno.makeTempDir({ dir: into });
  await command("tar", ["xzf", packed.tarball, "-C", folder], ".");
  const path = join(folder, "package/package.json");
  const manifest = JSON.parse(await Deno.readTextFile(path));
  for (const name of pinned) manifest.dependencies[name] = copies![name];
  await Deno.writeTextFile(path, JSON.stringify(manifest));
  const tarball = `${folder}.tgz`;
  await command("tar", ["czf", tarball, "-C", folder, "package"], ".");
  return tarball;
}

async function makeProject(
  project: Project,
  packed: readonly Packed[],
  folder: string,
): Promise<void> {
  await Deno.mkdir(folder);
  const dependencies: Record<string, string> = { ...project.orms };
  const wanted = ["", ...project.drivers.map((driver) => `-${driver}`)];
  for (const ending of wanted) {
    const one = packed.find(({ name }) => name === `@tangled/rqlite${ending}`);
    if (one === undefined) throw new Error(`@tangled/rqlite${ending} was not packed`);
    dependencies[one.name] = `file:${await withCopies(one, project.copies, `${folder}/..`)}`;
  }
  const manifest = { name: "user", private: true, type: "module", dependencies };
  await Deno.writeTextFile(join(folder, "package.json"), JSON.stringify(manifest, null, 2));
  const files = (project.typed ?? project.programs).map((program) => `${program}.ts`);
  await Deno.writeTextFile(join(folder, "tsconfig.json"), JSON.stringify({ ...TSCONFIG, files }));
  for (const program of ["expect", ...project.programs]) {
    const text = await Deno.readTextFile(`${ROOT}tests/installs/${program}.ts`);
    // In the repository two versions of drizzle-orm need two names.
    await Deno.writeTextFile(
      `${folder}/${program}.ts`,
      text.replaceAll("drizzle-orm-v1", "drizzle-orm"),
    );
  }
}

const TSCONFIG = {
  compilerOptions: {
    target: "esnext",
    module: "nodenext",
    lib: ["esnext", "dom", "dom.iterable"],
    types: [],
    strict: true,
    exactOptionalPropertyTypes: true,
    skipLibCheck: false,
    noEmit: true,
    allowImportingTsExtensions: true,
  },
};

/** Whether an error of TypeScript is about a file of an ORM, which has declarations for drivers that nobody installs all. */
function isTheirs(error: string): boolean {
  const inside = /^.*node_modules\/(@?[^/]+)/.exec(error)?.[1];
  return inside !== undefined && inside !== "@tangled";
}

async function typeErrors(tools: string, folder: string): Promise<string[]> {
  const tsc = join(tools, "node_modules/.bin/tsc");
  const { code, output } = await run(tsc, ["-p", ".", "--singleThreaded"], {
    limit: LIMIT_MS,
    verbose: false,
    folder,
  });
  const errors = output.split("\n").filter((line) => /\berror TS\d+/.test(line));
  if (code !== 0 && errors.length === 0) throw new Error(output);
  return errors.filter((error) => !isTheirs(error));
}

/**
 * One copy has no errors. Of two, TypeScript says where they meet in the program, as classes with private parts are of
 * different types then; our declarations have no errors even so.
 */
async function checkTypes(tools: string, folder: string, project: Project): Promise<void> {
  const errors = await typeErrors(tools, folder);
  const wrong = project.copies === undefined
    ? errors
    : errors.filter((error) => !/^\w+\.ts\b/.test(error));
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  if (project.copies !== undefined && errors.length === 0) {
    throw new Error(
      "TypeScript no longer tells two copies apart: check their types as those of one",
    );
  }
}

const NPM_ENV = { npm_config_update_notifier: "false" };

/** A manager of packages, and the engine that runs programs in its projects. */
interface Manager {
  readonly name: "npm" | "bun";
  readonly install: (folder: string) => Promise<unknown>;
  readonly engine: { readonly name: string; readonly path: string };
}

function npmInstall(folder: string): Promise<string> {
  const args = ["install", "--prefix", folder, "--no-audit", "--no-fund", "--ignore-scripts"];
  return command("npm", [...args, "--no-package-lock", "--prefer-offline"], folder, NPM_ENV);
}

async function hasNpm(): Promise<boolean> {
  const limits = { limit: LIMIT_MS, verbose: false, env: NPM_ENV };
  const { code } = await run("npm", ["--version"], limits).catch(() => ({ code: 1 }));
  return code === 0;
}

async function managers(report: Report): Promise<Manager[]> {
  const found: Manager[] = [];
  for (const engine of ENGINES.filter(({ name }) => name === "node24" || name === "bun")) {
    const at = await findEngine(engine);
    const name = engine.name === "bun" ? "bun" : "npm";
    if (at === undefined) {
      report.lack(
        `projects of ${name}`,
        `${engine.name} not found; name it with ${engine.variable}`,
      );
    } else if (name === "npm" && !await hasNpm()) {
      report.lack("projects of npm", "npm is not on PATH");
    } else {
      const bunInstall = (folder: string) => command(at.path, ["install", "--no-save"], folder);
      const install = name === "npm" ? npmInstall : bunInstall;
      found.push({ name, install, engine: { name: engine.name, path: at.path } });
    }
  }
  return found;
}

/** How many bytes the files of a folder are. */
async function sizeOf(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    const path = join(folder, entry.name);
    if (entry.isDirectory) bytes += await sizeOf(path);
    else if (entry.isFile) bytes += (await Deno.stat(path)).size;
  }
  return bytes;
}

async function tryProject(
  manager: Manager,
  project: Project,
  packed: readonly Packed[],
  places: { readonly work: string; readonly tools: string },
  report: Report,
): Promise<string> {
  const title = `${manager.name}, ${project.name}`;
  const folder = join(places.work, title.replaceAll(/\W+/g, "-"));
  const installed = await report.check(`${title}: installs`, async () => {
    await makeProject(project, packed, folder);
    await manager.install(folder);
    for (const [orm, version] of Object.entries(project.copies ?? {})) {
      await checkCopies(folder, orm, [project.orms[orm]!, version]);
    }
    return true;
  });
  if (!installed) return folder;
  const { engine } = manager;
  const flags = engine.name === "bun" ? [] : ["--disable-warning=ExperimentalWarning"];
  for (const program of project.programs) {
    await report.check(
      `${title}: ${program}.ts runs on ${engine.name}`,
      () => command(engine.path, [...flags, `${program}.ts`], folder),
    );
  }
  if (manager.name === "npm") {
    await report.check(
      `${title}: types with skipLibCheck off`,
      () => checkTypes(places.tools, folder, project),
    );
  }
  return folder;
}

/** The versions of a package that are installed in a project must be these. */
async function checkCopies(
  folder: string,
  orm: string,
  versions: readonly string[],
): Promise<void> {
  const places = [join(folder, "node_modules", orm)];
  for await (const { name } of Deno.readDir(join(folder, "node_modules/@tangled"))) {
    places.push(join(folder, "node_modules/@tangled", name, "node_modules", orm));
  }
  const found: string[] = [];
  for (const place of places) {
    const text = await Deno.readTextFile(join(place, "package.json")).catch(() => undefined);
    if (text !== undefined) found.push(JSON.parse(text).version);
  }
  if (found.join() !== versions.join()) throw new Error(`${orm} is installed as ${found.join()}`);
}

/** Takes what has to be done in order, by as many workers as there are cores. */
async function inParallel(work: readonly (() => Promise<unknown>)[]): Promise<void> {
  const queue = [...work];
  const worker = async () => {
    for (let next = queue.shift(); next; next = queue.shift()) await next();
  };
  await Promise.all([worker(), worker()]);
}

const kilobytes = (bytes: number) => `${Math.round(bytes / 1000)} kB`;

async function perform(work: string): Promise<Outcome> {
  const report = new Report();
  const all = packages();
  const packed: Packed[] = [];
  for (const one of all) {
    const result = await report.check(`${one.name} is packed`, () => pack(one, work));
    if (result === undefined) continue;
    packed.push(result);
    const title = one.folder === "." ? "depends on nothing" : "depends on a range of its ORM alone";
    await report.check(`${one.name} ${title}`, () => checkDependencies(result, one));
  }
  const tools = join(work, "tools");
  await Deno.mkdir(tools);
  await Deno.writeTextFile(
    join(tools, "package.json"),
    `{ "dependencies": { "typescript": "${TYPESCRIPT}" } }`,
  );
  const available = await managers(report);
  if (available.some(({ name }) => name === "npm")) {
    await report.check("TypeScript is installed", () => npmInstall(tools));
  }
  const sizes: string[] = packed.map(({ name, bytes }) => `${name} ${kilobytes(bytes)}`);
  await inParallel(available.flatMap((manager) =>
    PROJECTS.map((project) => async () => {
      const folder = await tryProject(manager, project, packed, { work, tools }, report);
      if (manager.name !== "npm" || project.drivers.length > 0) return;
      const bytes = await sizeOf(join(folder, "node_modules")).catch(() => 0);
      sizes.push(`node_modules with the client alone ${kilobytes(bytes)}`);
    })
  ));
  return { cases: report.cases, output: report.outputs.join("\n\n"), note: sizes.join(", ") };
}

/** Packs, installs and tries every package. */
export const installsStep: Step = {
  name: "installs",
  async run() {
    // Outside of the repository, whose node_modules would hide that something is missing.
    const work = await Deno.makeTempDir({ prefix: "rqlite-installs-" });
    try {
      return await perform(work);
    } finally {
      await Deno.remove(work, { recursive: true });
    }
  },
};
