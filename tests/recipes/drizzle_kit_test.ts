// drizzle-kit 0.31, by what packages/drizzle/README.md shows.
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

const README = filesOf("packages/drizzle/README.md");

const skip = skipWithout("tools") || skipWithoutRqlited();

function withWorld(body: (world: DrizzleWorld) => Promise<void>): Promise<void> {
  const files = pick(README, "drizzle.config.ts", "migrate.ts", "studio.ts");
  return withDrizzle("tools", "@tangled/rqlite-drizzle", files, body);
}

describe("drizzle-kit with drizzle()", { skip }, () => {
  it("generates what migrate() applies, a table made anew included", () =>
    withWorld(async ({ client, project, run }) => {
      project.write({ "schema.ts": SCHEMA });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=first");
      await run("migrate.ts");
      await client.execute("INSERT INTO notes(text) VALUES('kept')");

      project.write({ "schema.ts": CHANGED_SCHEMA });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=second");
      assert.match(project.read("drizzle/0001_second.sql"), /PRAGMA foreign_keys=OFF/);
      await run("migrate.ts");

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
      project.write({
        "use.ts": `
          import { drizzle } from "@tangled/rqlite-drizzle";
          import * as relations from "./drizzle/relations.ts";
          import * as tables from "./drizzle/schema.ts";
          const db = drizzle(process.env.RQLITE_URL!, { schema: { ...tables, ...relations } });
          await db.insert(tables.posts).values({ author: 1, title: "More" });
          const found = await db.query.users.findMany({ columns: { name: true }, with: { posts: true } });
          console.log(JSON.stringify(found));
          await db.$client.close();`,
      });
      assert.deepEqual(JSON.parse(await run("tsx/tsx", "use.ts")), [{
        name: "Ada",
        posts: [{ id: 1, author: 1, title: "Notes" }, { id: 2, author: 1, title: "More" }],
      }]);

      project.write({ "schema.ts": withLikes(schema) });
      await run("drizzle-kit/drizzle-kit", "generate", "--name=likes");
      await run("migrate.ts");
      assert.deepEqual((await client.query("SELECT id, likes FROM posts ORDER BY id")).rows, [
        { id: 1, likes: null },
        { id: 2, likes: null },
      ]);
    }));

  it("shows the database in its Studio, by a client in place of D1", () => withWorld(checkStudio));
});
