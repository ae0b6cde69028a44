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

/** How many bytes the module takes when it is compressed for the way. */
export async function compressedSize(module: string): Promise<number> {
  const file = await Deno.open(BUNDLES + module);
  const compressed = file.readable.pipeThrough(new CompressionStream("gzip"));
  return (await new Response(compressed).bytes()).length;
}
