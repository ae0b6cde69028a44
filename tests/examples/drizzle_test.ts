import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { inspect } from "../../src/inspect/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

const LIBRARY = fileURLToPath(new URL("../../examples/drizzle/library.ts", import.meta.url));

/** What the example must tell, in this order. */
const STORY = [
  "✓ Two processes migrated at once: 2 migrations were applied, once each",
  "✓ Two authors, three books and two topics were written as one batch",
  "✓ Eager: authors with their books",
  "    Ursula      The Lathe of Heaven   Utopia, Dreams",
  "    Stanisław   Solaris               Dreams",
  "✓ Lazy: first Solaris, and when somebody asks, its author: Stanisław",
  "✓ Updated through the relation: 2 books of Ursula cost one more",
  "✓ A transaction saw prices ten times as high, and undid them (Rollback): 0 are above 50",
  "✓ Cascade: without Ursula there are 1 book and 1 topic of it left",
];

async function assertStory(...flags: readonly string[]): Promise<void> {
  const start = "deno" in process.versions ? ["run", "-A"] : [];
  const output = await new Promise<string>((resolve, reject) => {
    execFile(process.execPath, [...start, LIBRARY, ...flags], (error, stdout) => {
      if (error) reject(error);
      else resolve(stdout);
    });
  });
  let rest = output;
  for (const line of STORY) {
    assert.ok(rest.includes(line), `${line}\nis not in\n${rest}`);
    rest = rest.slice(rest.indexOf(line) + line.length);
  }
}

describe("examples/drizzle/library.ts", () => {
  it("tells its whole story on the embedded engine", () => assertStory());

  it("--url tells it on a server, and leaves nothing behind", {
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
