/** A program of a user of Kysely. */

import { connect } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { RqliteDialect } from "@tangled/rqlite-kysely";
import { type Generated, Kysely, type Selectable, sql } from "kysely";
import { expect, tenAtOnce } from "./expect.ts";

interface Users {
  id: Generated<number>;
  name: string;
  seen: string;
}
interface Tables {
  users: Users;
  counters: { id: number; count: number };
}

const client = connect(embedded());
const db = new Kysely<Tables>({ dialect: new RqliteDialect({ client }) });
await db.schema.createTable("users").addColumn("id", "integer", (c) => c.primaryKey())
  .addColumn("name", "text", (c) => c.notNull())
  .addColumn("seen", "text").execute();
await db.schema.createTable("counters").addColumn("id", "integer", (c) => c.primaryKey())
  .addColumn("count", "integer", (c) => c.notNull()).execute();

const seen = "2026-01-02 03:04:05";
const inserted = await db.insertInto("users").values({ name: "Ada", seen }).executeTakeFirst();
expect("an id", String(inserted.insertId), "1");
const ada: Selectable<Users>[] = await db.selectFrom("users").selectAll().execute();
expect("a date as it is stored", ada, [{ id: 1, name: "Ada", seen }]);

await db.insertInto("counters").values({ id: 1, count: 0 }).execute();
await tenAtOnce(() =>
  db.transaction().execute(async (trx) => {
    await trx.updateTable("counters").set({ count: sql`count + 1` }).execute();
  })
);
expect("a counter", await db.selectFrom("counters").select("count").execute(), [{ count: 10 }]);
expect("tables", (await db.introspection.getTables()).map(({ name }) => name).sort(), [
  "counters",
  "users",
]);
await db.destroy();
await client.close();
