import { execFileSync } from "node:child_process";
import { ROOT } from "../../tests/runner/paths.ts";
import process from "node:process";
import { OWN_ENGINE } from "../../tests/support/engines.ts";
import { CLIENT, RQLITE_JS } from "../names.ts";
import type { Bench, Scenario } from "../scenario.ts";

const FLAGS = {
  deno: ["eval", "--no-check"],
  bun: ["--eval"],
  node: ["--input-type=module", "--eval"],
} as const;

/** Loads a module in a new process; a process of its own for each time. */
function load(module: string): () => Promise<{ time: number }> {
  const program = `const start = performance.now();
await import(${JSON.stringify(module)});
console.log(performance.now() - start);`;
  const args = [...FLAGS[OWN_ENGINE.name], program];
  return () => {
    const time = Number(execFileSync(process.execPath, args, { encoding: "utf8", cwd: ROOT }));
    return Promise.resolve({ time });
  };
}

const start: Scenario = async (bench) => {
  await bench.contest({
    title: "import of the module",
    operations: 1,
    rounds: bench.quick ? 3 : 15,
    cases: () => [
      { name: RQLITE_JS, run: load(RQLITE_JS) },
      {
        name: CLIENT,
        run: load(new URL("../../mod.ts", import.meta.url).href),
        against: { [RQLITE_JS]: {} },
        limit: { time: 10 },
      },
    ],
  });
  if (bench.engine === "deno") await sizes(bench);
};

/** Minified and compressed. */
async function sizes(bench: Bench): Promise<void> {
  const { bundle, bundleInParts, compressedSize } = await import("../../tests/runner/bundle.ts");
  const { first } = await bundleInParts("mod.ts", "--minify");
  const parts = await Promise.all(first.map(compressedSize));
  bench.figure({
    title: "what loading mod.ts loads",
    value: parts.reduce((sum, size) => sum + size, 0),
    unit: "bytes",
    most: 17_000,
  });
  bench.figure({
    title: "all of mod.ts in one module",
    value: await compressedSize(await bundle("mod.ts", "--minify")),
    unit: "bytes",
    most: 45_000,
  });
}

export default start;
