import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const EXAMPLE = fileURLToPath(new URL("../../examples/prisma/library.ts", import.meta.url));

/** What the example must tell, in this order. */
const STORY = [
  "✓ Of two processes one applied 2 migrations, and the other waited and applied 0",
  "✓ 2 classics",
  "    A Wizard of Earthsea       5   Ursula",
  "    Solaris                    2   Stanisław",
  "✓ P2002 on name; 2 books as before",
  "✓ 3 at once in one process took turns",
  "✓ 2 at once in two processes: who meets a conflict, P2034, runs again",
  "✓ Rolled back: Only 0 left",
  "✓ Without Stanisław, his books are gone too: 1 is left",
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

describe("examples/prisma/library.ts", () => {
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
