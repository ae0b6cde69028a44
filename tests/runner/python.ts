import { ROOT } from "./paths.ts";
import { run } from "./run.ts";

const FOLDER = "out/python";
const REQUIREMENTS = "tests/locks/requirements.txt";
const LIMITS = { limit: 2 * 60_000, verbose: false };

/**
 * Makes a Python environment in `out/python` with the packages that locks are shared with. Where it cannot, the tests
 * that need it say so.
 *
 * @returns What was in the way, if anything was.
 */
export async function installPython(): Promise<string | undefined> {
  const wanted = await Deno.readTextFile(ROOT + REQUIREMENTS);
  const marker = `${ROOT}${FOLDER}/requirements.txt`;
  if (await Deno.readTextFile(marker).catch(() => "") === wanted) return undefined;
  const steps = [
    ["python3", "-m", "venv", "--clear", FOLDER],
    [`${ROOT}${FOLDER}/bin/pip`, "install", "--disable-pip-version-check", "-r", REQUIREMENTS],
  ];
  try {
    for (const [program = "", ...args] of steps) {
      const { code, output } = await run(program, args, LIMITS);
      if (code !== 0) return output.trim().split("\n").at(-1);
    }
    await Deno.writeTextFile(marker, wanted);
    return undefined;
  } catch (error) {
    return (error as Error).message; // no Python
  }
}
