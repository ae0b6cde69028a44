import { cpSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";
import { type Ended, runToEnd } from "../support/run_to_end.ts";
import { publish } from "../support/workshop.ts";

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
  publish(join(folder, "node_modules"), ROOT, folder);
  const drizzle = realpathSync(`${ROOT}node_modules/${alias}`);
  symlinkSync(drizzle, join(folder, "node_modules/drizzle-orm"));
  return folder;
}

/** Runs the engine that runs the test. */
export function runIn(folder: string, args: readonly string[]): Promise<Ended> {
  return runToEnd(folder, OWN_ENGINE.command, args, { DRIZZLE_PLACE: "the embedded engine" });
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
