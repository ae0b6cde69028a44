// Prisma's own engine for migrations over the adapter, and the scripts that `prisma migrate diff` makes.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { SchemaFilter } from "@prisma/schema-engine-wasm";
import { type Client, connect } from "../../mod.ts";
import { PrismaRqlite } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { schemaEngine } from "./schema_engine.ts";
import { SCHEMA, SQL, suites } from "./world.ts";

const FILES = [{ path: "schema.prisma", content: SCHEMA }];
const NO_TABLES = [{
  path: "schema.prisma",
  content: 'datasource db {\n  provider = "sqlite"\n}\n',
}];

/** The client's own tables belong to nobody's schema. */
async function filtersOf(client: Client): Promise<SchemaFilter> {
  const sql =
    "SELECT name FROM sqlite_schema WHERE type = 'table' AND name LIKE '\\_rqlite\\_%' ESCAPE '\\'";
  const { rows } = await client.query(sql, [], { rows: "array" });
  return { externalTables: rows.flat() as unknown as string[], externalEnums: [] };
}

suites("the schema engine of Prisma", (test) => {
  test("finds the tables of a migration script as the schema has them", async ({ client }) => {
    const engine = await schemaEngine(new PrismaRqlite({ client }), SCHEMA);
    const pushed = await engine.schemaPush({
      force: false,
      schema: { files: FILES },
      filters: await filtersOf(client),
    });
    assert.deepEqual(pushed, { executedSteps: 0, unexecutable: [], warnings: [] });
    const { schema } = await engine.introspect({
      schema: { files: NO_TABLES },
      baseDirectoryPath: "/",
      force: true,
      compositeTypeDepth: 0,
      namespaces: null,
    });
    const found = schema.files[0]!.content;
    for (const model of ["User", "Profile", "Post", "Tag", "Account", "Every", "Timed"]) {
      assert.match(found, new RegExp(`^model ${model} \\{`, "m"));
    }
    assert.match(found, /onDelete: Cascade/);
  });
});

describe("the schema engine of Prisma on a database of its own", () => {
  it("makes the script that the tests use of the schema", async () => {
    const client = connect(embedded());
    const engine = await schemaEngine(new PrismaRqlite({ client }), SCHEMA);
    const { stdout } = await engine.diff({
      from: { tag: "empty" },
      to: { tag: "schemaDatamodel", files: FILES },
      script: true,
      exitCode: null,
      filters: { externalTables: [], externalEnums: [] },
    });
    assert.equal(stdout, SQL);
    await client.close();
  });
});

describe("client.script() with what Prisma Migrate writes", () => {
  it("applies a script whole, or nothing of it", async () => {
    const client = connect(embedded());
    await assert.rejects(
      client.script(`${SQL}\nINSERT INTO nope VALUES(1);`),
      /no such table: nope/,
    );
    assert.equal(await client.value("SELECT count(*) FROM sqlite_schema WHERE name = 'User'"), 0);
    await client.script(SQL);
    await client.execute("INSERT INTO Tag VALUES('kept')");
    await client.script(REBUILD);
    const { rows } = await client.query("SELECT * FROM Tag");
    assert.deepEqual(rows, [{ name: "kept", sort: 0 }]);
    await client.close();
  });
});

/** What `prisma migrate diff` makes of a column that is added with an order of its own. */
const REBUILD = `-- RedefineTables
PRAGMA defer_foreign_keys=ON;
PRAGMA foreign_keys=OFF;
CREATE TABLE "new_Tag" (
    "name" TEXT NOT NULL PRIMARY KEY,
    "sort" INTEGER NOT NULL DEFAULT 0
);
INSERT INTO "new_Tag" ("name") SELECT "name" FROM "Tag";
DROP TABLE "Tag";
ALTER TABLE "new_Tag" RENAME TO "Tag";
PRAGMA foreign_keys=ON;
PRAGMA defer_foreign_keys=OFF;
`;
