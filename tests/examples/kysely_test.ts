import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/kysely.ts", import.meta.url));

/** What the example must tell, in this order. */
const STORY = [
  "✓ One process ran 2 migrations, the other waited for it and ran 0",
  "✓ 2 authors, 3 books and 2 tags",
  "    A Wizard of Earthsea       5   Ursula      classic",
  "    Solaris                    2   Stanisław   classic, space",
  "✓ Ursula wrote A Wizard of Earthsea and The Dispossessed",
  "✓ 10 more of each classic: 2 books",
  "✓ Without Stanisław, his books are gone too: 2 are left",
  "✓ Took 2: 1 left",
  "✓ Took 4, and rolled back: Nobody needs that many",
  "✓ Took 2 of the last one: SQLITE_CONSTRAINT_CHECK",
  "✓ 1 order was kept",
  "✓ Deleted every book, went back to the savepoint, and committed",
];

async function assertStory(...flags: string[]): Promise<void> {
  const { command, args } = OWN_ENGINE;
  const stdout = await new Promise<string>((resolve, reject) => {
    execFile(command, [...args, EXAMPLE, ...flags], (error, stdout, stderr) => {
      if (error) reject(new Error(stderr, { cause: error }));
      else resolve(stdout);
    });
  });
  let rest = stdout;
  for (const line of STORY) {
    assert.ok(rest.includes(line), `${line}\nis not in\n${rest}`);
    rest = rest.slice(rest.indexOf(line) + line.length);
  }
}

describe("examples/kysely.ts", () => {
  it("tells its whole story on the embedded engine", async () => {
    await assertStory();
  });

  it("tells the same on a server, and leaves nothing behind", {
    skip: skipWithoutRqlited(),
  }, async () => {
    const server = await startRqlited({ args: ["-fk"] });
    try {
      await assertStory("--url", server.url);
      assert.deepEqual(await inspect(connect(server.url)), { tables: [], views: [] });
    } finally {
      await server.stop();
    }
  });
});
