import assert from "node:assert/strict";
import { describe, it } from "node:test";
import process from "node:process";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";
import { runToEnd } from "../support/run_to_end.ts";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

describe("examples/cli.sh", () => {
  it("imports, queries, copies and compares", async () => {
    const CLI = [OWN_ENGINE.command, ...OWN_ENGINE.args, `${ROOT}src/cli/mod.ts`].join(" ");
    const { PATH = "" } = process.env;
    const { code, output } = await runToEnd(ROOT, "sh", ["examples/cli.sh"], {
      CLI,
      PATH,
      RQLITE_URL: "",
    });
    assert.equal(code, 0, output);
    assert.match(
      output,
      /IntegrityError: CHECK constraint failed.*No row of this file was inserted/,
    );
    assert.match(output, /✓ 2 rows read, 2 rows inserted/);
    assert.match(output, /\[\{"n":2,"mean":20\.5\}\]/);
    assert.match(output, /interface DemoReadings \{\n {2}sensor: number \| null;/);
    assert.match(output, /The copy is equal\n✓ done\n$/);
  });
});
