/** A program of a user who installed the client and nothing else: every entry point of it. */

import { connect, IntegrityError, sql } from "@tangled/rqlite";
import { changeFeed } from "@tangled/rqlite/cdc";
import { main } from "@tangled/rqlite/cli";
import { connect as dbapi } from "@tangled/rqlite/dbapi";
import { embedded } from "@tangled/rqlite/embedded";
import { onRqliteError, rqlite } from "@tangled/rqlite/hono";
import { inspect } from "@tangled/rqlite/inspect";
import { LocalLock, withLock } from "@tangled/rqlite/locks";
import { RedisLock } from "@tangled/rqlite/locks/redis";
import { RqliteLock } from "@tangled/rqlite/locks/rqlite";
import { migrate } from "@tangled/rqlite/migrate";
import { nodeFetch } from "@tangled/rqlite/node";
import { expect } from "./expect.ts";

const client = connect(embedded());
await client.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)");
await client.execute(sql`INSERT INTO users(name) VALUES (${"Ada"})`);
expect("a row", await client.first("SELECT id, name FROM users"), { id: 1, name: "Ada" });
const refused = await client.execute("INSERT INTO users(name) VALUES ('Ada')")
  .catch((error: unknown) => error instanceof IntegrityError && error.constraint);
expect("a constraint", refused, "unique");
expect("tables", (await inspect(client)).tables.map(({ name }) => name), ["users"]);
const read = await migrate(client, { folder: "no such folder" }).catch((error: Error) =>
  error.name
);
expect("a folder", read, "ProgrammingError");
await client.close();

const connection = dbapi(embedded());
const cursor = connection.cursor();
await cursor.execute("SELECT 1");
expect("a cursor's rows", await cursor.fetchAll(), [[1]]);
await connection.close();

const feed = changeFeed({ secret: "a" });
expect("a stranger", (await feed(new Request("http://a", { method: "POST" }))).status, 401);

let printed = "";
const sink = (keep: (text: string) => void) => ({
  write(chunk: string | Uint8Array, done: () => void) {
    keep(String(chunk));
    done();
  },
});
const code = await main(["query", "SELECT 1 AS one", "--url", ":memory:", "--json"], {
  stdin: new ReadableStream<string>() as unknown as AsyncIterable<string>,
  stdout: sink((text) => printed += text),
  stderr: sink((text) => printed += text),
  env: {},
});
expect("a command line", [code, printed], [0, '[{"one":1}]\n']);

expect("a lock", await withLock(new LocalLock("a"), async () => await 1), 1);
const names = [rqlite, onRqliteError, RedisLock, RqliteLock, nodeFetch].map((one) => typeof one);
expect("the rest", new Set(names).size, 1);
