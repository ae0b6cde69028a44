// drizzle-kit 1.0, by what packages/drizzle-v1/README.md shows.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import {
  CHANGED_SCHEMA,
  checkStudio,
  type DrizzleWorld,
  SCHEMA,
  TABLES,
  tablesOf,
  withDrizzle,
  withLikes,
} from "./drizzle_world.ts";
import { filesOf, pick, skipWithout } from "./project.ts";

const README = filesOf("packages/drizzle-v1/README.md");

const skip = skipWithout("tools_v1") || skipWithoutRqlited();

function withWorld(body: (world: DrizzleWorld) => Promise<void>): Promise<void> {
  const files = pick(README, "drizzle.config.ts", "migrate.ts", "studio.ts");
  return withDrizzle("tools_v1", "@tangled/rqlite-drizzle-v1", files, body);
}

describe("drizzle-kit 1.0 with drizzle()", { skip }, () => {
  it("generates what migrate() applies, a table made anew included", () =>
    withWorld(async ({ client, project, run }) => {
      project.write({ "schema.ts": SCHEMA });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=first");
      await run("migrate.ts", "studio.ts");
      await client.execute("INSERT INTO notes(text) VALUES('kept')");

      project.write({ "schema.ts": CHANGED_SCHEMA });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=second");
      const [, second] = project.list("drizzle");
      assert.match(project.read(`drizzle/${second}/migration.sql`), /PRAGMA foreign_keys=OFF/);
      await run("migrate.ts", "studio.ts");

      assert.equal(await client.value("SELECT count(*) FROM __drizzle_migrations"), 2);
      assert.deepEqual((await client.query("SELECT * FROM notes")).rows, [{ id: 1, text: "kept" }]);
      await assert.rejects(client.execute("INSERT INTO notes(text) VALUES('kept')"), /UNIQUE/);
    }));

  it("pulls a backup into a schema that drizzle() works with, and goes on from there", () =>
    withWorld(async ({ client, project, run, writeBackup }) => {
      await client.script(TABLES);
      await writeBackup();
      await run("drizzle-kit/drizzle-kit", "pull");
      const schema = project.read("drizzle/schema.ts");
      assert.deepEqual(tablesOf(schema), ["posts", "users"]);

      project.write({ "schema.ts": withLikes(schema) });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=likes");
      await run("migrate.ts", "studio.ts");
      assert.deepEqual((await client.query("SELECT id, likes FROM posts")).rows, [
        { id: 1, likes: null },
      ]);
    }));

  it("shows the database in its Studio, by a client in place of D1", () => withWorld(checkStudio));
});
