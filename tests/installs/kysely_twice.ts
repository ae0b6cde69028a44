/** A program of a user whose Kysely is not the one that the dialect got. */

import { connect, NotSupportedError } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { RqliteDialect } from "@tangled/rqlite-kysely";
import { Kysely } from "kysely";
import { expect } from "./expect.ts";

const client = connect(embedded());
await client.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
const db = new Kysely<{ users: { id: number; name: string } }>({
  dialect: new RqliteDialect({ client }),
});

async function reason(query: () => Promise<unknown>): Promise<string> {
  try {
    return `not refused: ${JSON.stringify(await query())}`;
  } catch (error) {
    return error instanceof NotSupportedError ? error.message : String(error);
  }
}
const insert = await reason(() => db.insertInto("users").values({ id: 1, name: "Ada" }).execute());
expect(
  `"${insert}" says that Kysely is there twice`,
  insert.includes("Kysely is there twice"),
  true,
);
const select = await reason(() => db.selectFrom("users").selectAll().execute());
expect(`"${select}" is said again`, select, insert);
expect("what was written", await client.value("SELECT count(*) FROM users"), 0);
await client.close();
