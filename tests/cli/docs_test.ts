import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

/** What a block shows: each command and what it answers. */
function session(file: string): string[] {
  const [, block = ""] = /```console\n(.*?)```/s.exec(readFileSync(ROOT + file, "utf8")) ?? [];
  return block.split(/^(?=\$ )/m);
}

describe("sessions of the documentation", () => {
  const program = join(folder, "rqlite-cli");
  const line = [OWN_ENGINE.command, ...OWN_ENGINE.args, `${ROOT}src/cli/mod.ts`].join(" ");
  writeFileSync(program, `#!/bin/sh\nexec ${line} "$@"\n`);
  chmodSync(program, 0o755);

  for (const file of ["docs/cli.md", "README.md"]) {
    it(`${file} answers what it shows`, () => {
      const parts = session(file);
      assert.ok(parts.length > 3);
      const place = mkdtempSync(join(folder, "place-"));
      const commands = parts.map((part) => part.slice(2, part.indexOf("\n")));
      const script = commands.map((command) => `echo '-- next'; ${command} 2>&1`).join("\n");
      const env = { ...process.env, PATH: `${folder}:${process.env["PATH"]}` };
      const { stdout } = spawnSync("sh", ["-c", script], { cwd: place, encoding: "utf8", env });
      const shown = stdout.split("-- next\n").slice(1)
        .map((answer, i) => `$ ${commands[i]}\n${answer}`);
      assert.deepEqual(shown.map((part) => part.trimEnd()), parts.map((part) => part.trimEnd()));
    });
  }
});
