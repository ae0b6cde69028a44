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

/** Runs the lines of a program in a process of its own for each time, and tells how long they took there. */
function program(lines: string): () => Promise<{ time: number }> {
  const text = `const start = performance.now();
${lines}
console.log(performance.now() - start);`;
  const args = [...FLAGS[OWN_ENGINE.name], text];
  return () => {
    const time = Number(execFileSync(process.execPath, args, { encoding: "utf8", cwd: ROOT }));
    return Promise.resolve({ time });
  };
}

const MODULE = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
const PEER = JSON.stringify(RQLITE_JS);

const start: Scenario = async (bench) => {
  const { url } = await bench.server();
  const node = JSON.stringify(url);
  const plan = { operations: 1, rounds: bench.quick ? 3 : 15 };
  await bench.contest({
    ...plan,
    title: "import of the module",
    cases: () => [
      { name: RQLITE_JS, run: program(`await import(${PEER});`) },
      {
        name: CLIENT,
        run: program(`await import(${MODULE});`),
        against: { [RQLITE_JS]: {} },
        limit: { time: 10 },
      },
    ],
  });
  await bench.contest({
    ...plan,
    title: "first read of a program, with what is loaded for it",
    cases: () => [
      {
        name: RQLITE_JS,
        run: program(`const { DataApiClient } = (await import(${PEER})).default;
await new DataApiClient(${node}).query([["SELECT 1"]], { level: "weak" });`),
      },
      {
        name: CLIENT,
        run: program(`const { connect } = await import(${MODULE});
await connect(${node}, { level: "weak" }).query("SELECT 1");`),
        against: { [RQLITE_JS]: {} },
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
