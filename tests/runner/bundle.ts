import { basename } from "node:path";
import { ROOT } from "./paths.ts";
import { run } from "./run.ts";

const LIMIT_MS = 2 * 60_000;

/** Where bundles and what is made of them are put. */
export const BUNDLES: string = `${ROOT}out/bundles/`;

/**
 * Makes one module of a file and all that it imports, for engines that have no files.
 *
 * @param entry Relative to the root.
 * @param flags More flags of `deno bundle`.
 * @returns The name of the module in {@linkcode BUNDLES}.
 */
export async function bundle(entry: string, ...flags: readonly string[]): Promise<string> {
  await Deno.mkdir(BUNDLES, { recursive: true });
  const name = entry.replaceAll("/", "_").replace(/\.ts$/, ".mjs");
  const output = ["-o", BUNDLES + name, entry];
  const args = ["bundle", "--quiet", "--platform", "browser", ...flags, ...output];
  const ran = await run(Deno.execPath(), args, { limit: LIMIT_MS, verbose: false });
  if (ran.code !== 0) throw new Error(`${entry} cannot be bundled\n${ran.output}`);
  return name;
}

/**
 * Makes modules of a file and all that it imports, as bundlers do that put into modules of their own what is loaded late.
 *
 * @param entry Relative to the root.
 * @returns The names in {@linkcode BUNDLES}: those that loading the entry loads, and the others.
 */
export async function bundleInParts(
  entry: string,
  ...flags: readonly string[]
): Promise<{ readonly first: readonly string[]; readonly late: readonly string[] }> {
  const folder = `${entry.replaceAll("/", "_").replace(/\.ts$/, "")}_parts`;
  await Deno.remove(BUNDLES + folder, { recursive: true }).catch(() => {}); // that of an earlier run
  await Deno.mkdir(BUNDLES, { recursive: true });
  const output = ["--code-splitting", "--outdir", BUNDLES + folder, entry];
  const args = ["bundle", "--quiet", "--platform", "browser", ...flags, ...output];
  const ran = await run(Deno.execPath(), args, { limit: LIMIT_MS, verbose: false });
  if (ran.code !== 0) throw new Error(`${entry} cannot be bundled\n${ran.output}`);
  const first = new Set([basename(entry).replace(/\.ts$/, ".js")]);
  // A set that grows while it is gone through is gone through to its new end.
  for (const name of first) {
    const text = await Deno.readTextFile(`${BUNDLES}${folder}/${name}`);
    for (const [, imported] of text.matchAll(STATIC_IMPORT)) first.add(imported!);
  }
  const all = Array.from(Deno.readDirSync(BUNDLES + folder), ({ name }) => name);
  const inFolder = (names: Iterable<string>) => Array.from(names, (name) => `${folder}/${name}`);
  return { first: inFolder(first), late: inFolder(all.filter((name) => !first.has(name))) };
}

/** The other form, `import("…")`, loads nothing by itself. */
const STATIC_IMPORT = /\b(?:from|import)\s*"\.\/([^"]+)"/g;

/** How many bytes the module takes when it is compressed for the way. */
export async function compressedSize(module: string): Promise<number> {
  const file = await Deno.open(BUNDLES + module);
  const compressed = file.readable.pipeThrough(new CompressionStream("gzip"));
  return (await new Response(compressed).bytes()).length;
}
