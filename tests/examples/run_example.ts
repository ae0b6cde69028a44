import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** How an example ended. */
export interface Ran {
  readonly code: number | string | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs a file under `examples/` on the engine that runs this test. */
export function runExample(file: string, ...flags: readonly string[]): Promise<Ran> {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const start = process.versions["deno"] === undefined ? [] : ["run", "-A", "--no-check"];
  return new Promise((resolve) => {
    execFile(process.execPath, [...start, path, ...flags], (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : error.code ?? null, stdout, stderr });
    });
  });
}

/** Fails unless the example succeeded and told all of this, in this order. */
export function assertTold({ code, stdout, stderr }: Ran, story: readonly string[]): void {
  assert.equal(code, 0, `${stdout}\n${stderr}`);
  let rest = stdout;
  for (const line of story) {
    assert.ok(rest.includes(line), `${line}\nis not in\n${rest}`);
    rest = rest.slice(rest.indexOf(line) + line.length);
  }
}
