// kysely-ctl, by what packages/kysely/README.md shows.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { filesOf, pick, skipWithout, withProject } from "./project.ts";

const README = filesOf("packages/kysely/README.md");

const skip = skipWithout("tools") || skipWithoutRqlited();

describe("kysely-ctl with RqliteDialect", { skip }, () => {
  it("migrates, also twice at the same time, seeds, asks, and takes back", async () => {
    const server = await startRqlited();
    const client = connect(server.url);
    try {
      await withProject("tools", ["@tangled/rqlite", "@tangled/rqlite-kysely"], async (project) => {
        project.write(
          pick(README, "kysely.config.ts", "migrations/001_notes.ts", "seeds/001_notes.ts"),
        );
        const second = README["migrations/001_notes.ts"]!.replaceAll('"notes"', '"tags"');
        project.write({ "migrations/002_tags.ts": second });
        const kysely = async (...args: string[]): Promise<string> => {
          const env = { RQLITE_URL: server.url };
          const { code, output } = await project.run("kysely-ctl/kysely", args, env);
          assert.equal(code, 0, output);
          return output;
        };
        const applied = async (): Promise<unknown[]> => {
          const { rows } = await client.query("SELECT name FROM kysely_migration ORDER BY name");
          return rows.map(({ name }) => name);
        };

        const outputs = await Promise.all([
          kysely("migrate", "latest"),
          kysely("migrate", "latest"),
        ]);
        assert.equal(outputs.filter((output) => output.includes("Ran 2 migrations")).length, 1);
        assert.deepEqual(await applied(), ["001_notes", "002_tags"]);

        await kysely("seed", "run");
        assert.match(
          await kysely("sql", "SELECT text FROM notes ORDER BY id"),
          /"first"\n.*"second"/,
        );

        await kysely("migrate", "down");
        assert.deepEqual(await applied(), ["001_notes"]);
        assert.equal(await client.value("SELECT count(*) FROM notes"), 2);
        await assert.rejects(client.query("SELECT * FROM tags"), /no such table: tags/);
      });
    } finally {
      await client.close();
      await server.stop();
    }
  });
});
