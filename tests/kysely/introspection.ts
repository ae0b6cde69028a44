import assert from "node:assert/strict";
import { it } from "node:test";
import { fill, type Topic } from "./target.ts";

export const introspection: Topic = (target) => {
  it("getTables() answers tables, views and columns, but not what others keep", async () => {
    const db = await fill(target());
    await db.transaction().execute((trx) => trx.insertInto("tags").values({ name: "x" }).execute());
    await target().client.execute("CREATE VIEW ages AS SELECT age FROM users");
    const tables = await db.introspection.getTables();
    assert.deepEqual(
      tables.filter(({ name }) => ["ages", "tags", "post_tags"].includes(name)).map((
        { name, isView, columns },
      ) => [name, isView, columns.map((column) => column.name)]),
      [
        ["ages", true, ["age"]],
        ["post_tags", false, ["post", "tag"]],
        ["tags", false, ["id", "name"]],
      ],
    );
    assert.deepEqual(tables.filter(({ name }) => /^_rqlite|^sqlite/.test(name)), []);
    const users = tables.find(({ name }) => name === "users")!;
    assert.deepEqual({ ...users.columns[3] }, {
      name: "active",
      dataType: "BOOLEAN",
      isNullable: false,
      isAutoIncrementing: false,
      hasDefaultValue: true,
      comment: undefined,
    });
    assert.equal(users.columns[0]!.isAutoIncrementing, true);
    await target().client.execute("DROP VIEW ages");
  });

  it("getTables() in a transaction sees the tables that it made", async () => {
    const db = await fill(target());
    const trx = await db.startTransaction().execute();
    await trx.schema.createTable("fresh").addColumn("a", "integer").execute();
    const has = async (on: typeof db) =>
      (await on.introspection.getTables()).some(({ name }) => name === "fresh");
    assert.equal(await has(trx), true);
    assert.equal(await has(db), false);
    await trx.rollback().execute();
  });

  it("getSchemas() answers none", async () => {
    const db = await fill(target());
    assert.deepEqual(await db.introspection.getSchemas(), []);
  });
};
