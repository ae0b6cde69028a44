import { spawn } from "node:child_process";
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** A folder of `packages/`. */
export type Driver = "drizzle" | "drizzle-v1";

/** A copy of the driver and of its tests, which all import one version of Drizzle. */
function workshop(driver: Driver, alias: string): string {
  const folder = mkdtempSync(join(tmpdir(), "drizzle-"));
  const tests = `tests/${driver.replace("-", "_")}`;
  const parts = ["mod.ts", "src", `packages/${driver}`, "tests/support", tests];
  for (const part of [...parts, "tests/transaction/world.ts"]) {
    const filter = (source: string): boolean => !source.includes("node_modules");
    cpSync(join(ROOT, part), join(folder, part), { recursive: true, filter });
  }
  writeFileSync(join(folder, "deno.json"), '{ "nodeModulesDir": "manual" }');
  const manifest = { type: "module", dependencies: { "drizzle-orm": "*" } };
  writeFileSync(join(folder, "package.json"), JSON.stringify(manifest));
  // What the driver finds by the name of the client's package.
  const home = join(folder, "node_modules/@tangled/rqlite");
  const { name, exports } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  mkdirSync(home, { recursive: true });
  writeFileSync(join(home, "package.json"), JSON.stringify({ name, type: "module", exports }));
  for (const part of ["mod.ts", "src"]) symlinkSync(join(folder, part), join(home, part));
  const drizzle = realpathSync(`${ROOT}node_modules/${alias}`);
  symlinkSync(drizzle, join(folder, "node_modules/drizzle-orm"));
  return folder;
}

/** How a child has ended. */
export interface Ended {
  readonly code: number | null;
  readonly output: string;
}

/** Runs the engine that runs the test. */
export async function runIn(folder: string, args: readonly string[]): Promise<Ended> {
  // A run within a run of Node's would report to that.
  const { NODE_TEST_CONTEXT: _, ...env } = process.env;
  const child = spawn(OWN_ENGINE.command, args, {
    cwd: folder,
    env: { ...env, DRIZZLE_PLACE: "the embedded engine" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output += text);
  }
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
  return { code, output };
}

/** What a module says that is imported there: "imported", or its error. */
export async function importsIn(folder: string, module: string): Promise<string> {
  const script = `await import(${JSON.stringify(module)}).then(
    () => console.log("imported"),
    (error) => console.log(error.name + ": " + error.message),
  );`;
  writeFileSync(join(folder, "import.ts"), script);
  return (await runIn(folder, [...OWN_ENGINE.args, "import.ts"])).output;
}

/** Makes a copy of a driver that uses another drizzle-orm, an import of `deno.json`, and removes it afterwards. */
export async function withWorkshop(
  driver: Driver,
  alias: string,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = workshop(driver, alias);
  try {
    await body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
