import { join } from "node:path";
import { bundle, bundleInParts, compressedSize } from "./bundle.ts";
import { ownFindings } from "./documentation.ts";
import { type Engine, ENGINES, findEngine } from "./engines.ts";
import { type EngineName, EVERYWHERE } from "./files.ts";
import { type Case, readJunit } from "./junit.ts";
import { packages } from "./packages.ts";
import { filesUnder, ROOT } from "./paths.ts";
import { packageStep } from "./publishing.ts";
import { type Ran, run, type RunOptions } from "./run.ts";

/** What one step came to. */
export interface Outcome {
  readonly cases: readonly Case[];
  /** Printed when something failed. */
  readonly output: string;
  /** Printed in any case. */
  readonly note?: string;
}

/** One line of the run. */
export interface Step {
  readonly name: string;
  /** It needs nothing but what every module imports. */
  readonly early?: true;
  readonly run: (verbose: boolean) => Promise<Outcome>;
}

/** A step that runs test files. */
export interface EngineStep extends Step {
  readonly engine: EngineName;
}

const CHECK_LIMIT_MS = 3 * 60_000;
const ENGINE_LIMIT_MS = 10 * 60_000;

function single(name: string, state: Case["state"], reason = ""): Case {
  return { name, state, reason };
}

/** A step that is one command, and counts as one test. */
function check(name: string, ...args: readonly string[]): Step {
  return {
    name,
    early: true,
    async run(verbose) {
      const limits = { limit: CHECK_LIMIT_MS, verbose };
      const { code, output } = await run(Deno.execPath(), args, limits);
      return { cases: [single(name, code === 0 ? "passed" : "failed")], output };
    },
  };
}

function entryPoints(): string[] {
  return packages().flatMap(({ folder, exports }) =>
    Object.values(exports).map((path) => join(folder, path))
  );
}

/** Every module that is published. */
function sources(): string[] {
  return ["mod.ts", ...filesUnder("src", ".ts"), ...filesUnder("packages", ".ts")];
}

/** The files that promise to run anywhere: all but those for one family of runtimes. */
function portableFiles(): string[] {
  const bound = ["src/cli/", "src/embedded/", "src/node/"];
  return sources().filter((file) => !bound.some((folder) => file.startsWith(folder)));
}

/** What has to be loaded before the first call, minified and compressed, in bytes. */
const MOST_FIRST = 24_700;

/** All of the client in one module, as bundlers make it that load nothing late, in the same way. */
const MOST_BYTES = 130_500;

/** Tells the sizes, and notices when they grow. */
const sizeStep: Step = {
  name: "size of mod.ts",
  early: true,
  async run() {
    const bytes = await compressedSize(await bundle("mod.ts", "--minify"));
    const { first, late } = await bundleInParts("mod.ts", "--minify");
    const sizes = await Promise.all(first.map(compressedSize));
    const start = sizes.reduce((sum, size) => sum + size, 0);
    const note =
      `mod.ts is ${start} bytes, minified and compressed, without what it loads late; at most ` +
      `${MOST_FIRST}; all of it in one module ${bytes}; at most ${MOST_BYTES}`;
    const fits = start <= MOST_FIRST && bytes <= MOST_BYTES && late.length > 0;
    const state = fits ? "passed" : "failed";
    return { cases: [single("size of mod.ts", state)], output: note, note };
  },
};

/** Whether every public name of the package is documented. */
const documentationStep: Step = {
  name: "documentation",
  early: true,
  async run() {
    const args = ["doc", "--lint", ...entryPoints()];
    const { code, output } = await run(Deno.execPath(), args, {
      limit: CHECK_LIMIT_MS,
      verbose: false,
    });
    const texts = sources().map((file) => Deno.readTextFileSync(ROOT + file));
    const findings = ownFindings(output, texts);
    const passed = code === 0 || (output.includes("documentation lint error") && !findings.length);
    return { cases: [single("documentation", passed ? "passed" : "failed")], output };
  },
};

/** Everything that is told without running the library. */
export function staticSteps(): Step[] {
  return [
    check("fmt", "fmt", "--check"),
    check("lint", "lint"),
    // Examples print with `console`, which the library must not use.
    check("lint examples", "lint", "--config", "deno.web.json", "examples"),
    check("types", "check", "--doc", ".", ...texts()),
    check("types without a runtime", "check", "--config", "deno.web.json", ...portableFiles()),
    documentationStep,
    packageStep,
    sizeStep,
  ];
}

/** Adds a failure where the command failed or ran nothing, and its report does not show it. */
function judge(name: string, cases: readonly Case[], ran: Ran): Outcome {
  const failed = cases.some((one) => one.state === "failed");
  const problem = ran.code !== 0 && !failed
    ? `${name} exited with ${ran.code}`
    : cases.length === 0
    ? `${name} ran no test`
    : undefined;
  if (problem === undefined) return { cases, output: ran.output };
  return { cases: [...cases, single(problem, "failed")], output: `${ran.output}\n${problem}\n` };
}

/** Runs tests by a command that reports to a file below the root. */
export async function runWithReport(
  name: string,
  path: string,
  args: (report: string) => readonly string[],
  options: Omit<RunOptions, "limit">,
): Promise<Outcome> {
  const report = `out/${name}.xml`;
  await Deno.mkdir(`${ROOT}out`, { recursive: true });
  await Deno.remove(ROOT + report).catch(() => {}); // that of an earlier run
  const ran = await run(path, args(report), { limit: ENGINE_LIMIT_MS, ...options });
  const xml = await Deno.readTextFile(ROOT + report).catch(() => "");
  return judge(name, readJunit(xml), ran);
}

/** Texts with code blocks that are checked and run. */
function texts(): string[] {
  return ["README.md", ...filesUnder("docs", ".md"), ...filesUnder("packages", ".md")];
}

/** Runs the code blocks of the texts and of the documentation comments; `types` has checked them already. */
export function docsStep(): Step {
  // Of a module without a block Deno would only find, in an isolate of its own, that it has no tests.
  const files = [...texts(), ...sources()].filter((file) =>
    Deno.readTextFileSync(ROOT + file).includes("```")
  );
  const args = (report: string) => [
    ...["test", "--doc", "-A", "--no-check"],
    `--junit-path=${report}`,
    ...files,
  ];
  return {
    name: "docs",
    early: true,
    run: (verbose) => runWithReport("docs", Deno.execPath(), args, { verbose }),
  };
}

/** Every Node is a process that strips the types of the same modules: those of its own test files, and those that tests start. */
const ENGINE_ENV = { NODE_COMPILE_CACHE: `${ROOT}out/compile-cache` };

/** Runs test files on the Deno that runs this; `types` has checked them already. */
function denoStep(name: string, files: readonly string[]): EngineStep {
  const args = (report: string) => [
    "test",
    "-A",
    "--no-check",
    `--junit-path=${report}`,
    ...files,
  ];
  return {
    name,
    engine: "deno",
    run: (verbose) => runWithReport(name, Deno.execPath(), args, { verbose, env: ENGINE_ENV }),
  };
}

function engineStep(name: string, engine: Engine, files: readonly string[]): EngineStep {
  return {
    name,
    engine: engine.name,
    async run(verbose) {
      const found = await findEngine(engine);
      const args = (report: string) => engine.args(files, report);
      const options = { verbose, env: ENGINE_ENV };
      if (found !== undefined) return runWithReport(name, found.path, args, options);
      const reason = `not found; name it with ${engine.variable}`;
      const state = Deno.env.get("CI") ? "failed" : "skipped";
      return { cases: [single(`${name} (engine)`, state, reason)], output: `${name} ${reason}\n` };
    },
  };
}

/** As many files as take a few minutes. */
const MOST_FILES = 36;

/** Every part has files of every folder, as those of a folder take equally long. */
function partsOf(files: readonly string[]): string[][] {
  const count = Math.max(1, Math.ceil(files.length / MOST_FILES));
  const parts = Array.from({ length: count }, (): string[] => []);
  for (const [i, file] of files.entries()) parts[i % count]!.push(file);
  return parts;
}

/** Runs on every engine the test files that are its, in parts that end long before their limit. */
export function engineSteps(
  filesOf: (engine: EngineName) => readonly string[],
): EngineStep[] {
  return EVERYWHERE.flatMap((name) => {
    const engine = ENGINES.find((one) => one.name === name);
    return partsOf(filesOf(name)).map((files, i) => {
      const step = i === 0 ? name : `${name}-${i + 1}`;
      return engine === undefined ? denoStep(step, files) : engineStep(step, engine, files);
    });
  });
}
