/** A program of a user of Prisma, as far as it goes without a generated client: what that calls of an adapter. */

import { connect } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { PrismaRqlite } from "@tangled/rqlite-prisma";
import { expect } from "./expect.ts";

const client = connect(embedded());
const adapter = await new PrismaRqlite({ client }).connect();
await adapter.executeScript(
  "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL); CREATE TABLE posts(id INTEGER PRIMARY KEY);",
);
const text = { scalarType: "string", arity: "scalar" } as const;
const insert = { sql: "INSERT INTO users(name) VALUES (?)", args: ["Ada"], argTypes: [text] };
expect("rows", await adapter.executeRaw(insert), 1);
const transaction = await adapter.startTransaction();
await transaction.executeRaw(insert);
await transaction.rollback();
const { columnNames, rows } = await adapter.queryRaw({
  sql: "SELECT id, name FROM users",
  args: [],
  argTypes: [],
});
expect("columns", columnNames, ["id", "name"]);
expect("what was found", rows.map(([, name]) => name), ["Ada"]);
await adapter.dispose();
await client.close();
