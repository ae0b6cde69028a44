// What console.log shows of the package's objects on each engine: short, useful, and without secrets.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { inspect } from "node:util";
import { type Client, connect, RqliteError, sql } from "../../mod.ts";
import { connect as connectDbapi } from "../../src/dbapi/mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { LocalLock, withLock } from "../../src/locks/mod.ts";
import { RedisLock } from "../../src/locks/redis.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";
import { nodeFetch } from "../../src/node/mod.ts";

const SECRET = "hunter2";
const URL_OF = `http://user:${SECRET}@a:4001`;

/** Everything that a log may make of a value. */
function everything(value: unknown): string {
  const json = JSON.stringify(value, (_, one) => typeof one === "bigint" ? String(one) : one);
  return `${inspect(value, { depth: 20, showHidden: true })} ${json} ${String(value)}`;
}

describe("what is printed", () => {
  const engine = embedded();
  let db: Client;

  before(async () => {
    const headers = { "x-token": SECRET };
    db = connect(URL_OF, { fetch: engine.fetch, headers });
    await db.execute("CREATE TABLE t(a UNIQUE)");
    await db.execute("INSERT INTO t VALUES(1)");
  });

  after(async () => {
    await db.close();
    engine.close();
  });

  const shows = (value: unknown, text: string): void => {
    assert.equal(inspect(value), text);
    assert.ok(inspect({ nested: [value] }, { depth: 4 }).includes(text));
    assert.ok(!everything({ nested: [value] }).includes(SECRET));
  };

  it("of a client are its nodes, and whether it is closed", async () => {
    shows(db, 'Client { nodes: ["http://a:4001"], closed: false }');
    const other = connect(["http://a:1", "http://b:1/x"]);
    await other.close();
    shows(other, 'Client { nodes: ["http://a:1","http://b:1/x"], closed: true }');
  });

  it("of a transaction is its state", async () => {
    const tx = await db.begin();
    shows(tx, 'Transaction { state: "active" }');
    await tx.rollback();
    shows(tx, 'Transaction { state: "rolledback" }');
  });

  it("of a connection and a cursor is where they stand", async () => {
    const connection = connectDbapi(URL_OF, { fetch: engine.fetch });
    const cursor = await connection.execute("SELECT a, 2 AS b FROM t");
    shows(connection, "Connection { inTransaction: true, autocommit: false, closed: false }");
    shows(cursor, 'Cursor { columns: ["a","b"], rowCount: -1, closed: false }');
    await connection.close();
  });

  it("of a lock is its name, and of its handle whether it is held", async () => {
    const lock = new LocalLock("stock");
    shows(lock, 'LocalLock { name: "stock" }');
    await withLock([lock, new LocalLock("till")], (handle) => {
      shows(handle, 'LockHandle { name: "stock, till", held: true }');
      return Promise.resolve();
    });
    const handle = await lock.acquire();
    shows(handle, 'LockHandle { name: "stock", held: true }');
    await handle.release();
    const command = () => Promise.resolve(`redis://:${SECRET}@host`);
    shows(new RedisLock({ name: "r", command }), 'RedisLock { name: "r" }');
    shows(new RqliteLock({ name: "q", client: db }), 'RqliteLock { name: "q" }');
  });

  it("of a fragment and a result is what they are made of", async () => {
    assert.match(inspect(sql`a = ${1}`), /sql: .a = \?.,\s+params: \[ 1 \]/);
    assert.match(inspect(await db.query("SELECT a FROM t")), /columns: \[ .a. \]/);
  });

  it("has no password, whatever holds the client", () => {
    const send = nodeFetch();
    const holders = [send, new RqliteDialect({ client: db }), drizzle(db), drizzle(URL_OF), engine];
    for (const holder of [...holders, new RqliteDialect({ url: URL_OF })]) {
      assert.ok(!inspect(holder, { depth: 20, showHidden: true }).includes(SECRET));
    }
    send.close();
  });

  it("of an error are the fields that it has, and no rows", async () => {
    const refused = connect("http://127.0.0.1:1", { retries: 0 });
    const errors = await Promise.all([
      db.batch(["INSERT INTO t VALUES(2)", "INSERT INTO t VALUES(1)"]),
      db.query("SELECT nonsense"),
      refused.query("SELECT 1"),
      refused.execute("DELETE FROM t"),
      db.query("SELECT 9007199254740993 AS big"),
    ].map((call) => call.then(() => assert.fail(), (error: unknown) => error)));
    for (const error of errors) {
      assert.ok(error instanceof RqliteError, String(error));
      for (const [key, value] of Object.entries(error)) assert.notEqual(value, undefined, key);
      assert.doesNotMatch(inspect(error), /: undefined|results:/);
      assert.ok(inspect(error).includes(error.message.split("\n")[0]!));
    }
    const [first] = errors as { results?: unknown[] }[];
    assert.equal(first!.results!.length, 1);
  });
});
