// What the compiler takes and infers; `deno check` is the test, running it shows that the values are so too.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  type AcquireOptions,
  type BatchOptions,
  type CallOptions,
  connect,
  type ConnectOptions,
  type ExecuteOptions,
  type Executor,
  type InsertManyOptions,
  type IterateOptions,
  type NodesOptions,
  type Params,
  type QueryOptions,
  type ReadyOptions,
  type Result,
  type RetryOptions,
  type Statement,
  type TransactionOptions,
  type TransactionQueryOptions,
} from "../../mod.ts";
import type { ConnectionOptions } from "../../src/dbapi/mod.ts";
import { embedded, type EmbeddedOptions } from "../../src/embedded/mod.ts";
import type { RqliteMiddlewareOptions } from "../../src/hono/mod.ts";
import type { InspectOptions } from "../../src/inspect/mod.ts";
import type { MigrationLock, RqliteDialectOptions } from "../../packages/kysely/mod.ts";
import type { RedisLockOptions } from "../../src/locks/redis.ts";
import type { RqliteLockOptions } from "../../src/locks/rqlite.ts";
import type { NodeFetchOptions } from "../../src/node/mod.ts";
import type { MigrateOptions } from "../../packages/drizzle/migrator.ts";
import type { RqliteTransactionConfig } from "../../packages/drizzle/mod.ts";

/** Whether two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function typed<Expected>() {
  return <Actual>(value: Actual, _same: Same<Actual, Expected>): Actual => value;
}

/** The names of members that may be left out and may not be `undefined`. */
type Strict<O> = O extends unknown ? {
    [K in keyof O]-?: Record<never, never> extends Pick<O, K>
      ? { [N in K]: undefined } extends Pick<O, K> ? never : K
      : never;
  }[keyof O]
  : never;

describe("types of options", () => {
  it("may be undefined under exactOptionalPropertyTypes", () => {
    type All =
      | AcquireOptions
      | BatchOptions
      | CallOptions
      | ConnectionOptions
      | ConnectOptions
      | EmbeddedOptions
      | ExecuteOptions
      | InsertManyOptions
      | InspectOptions
      | IterateOptions
      | MigrateOptions
      | MigrationLock
      | NodeFetchOptions
      | NodesOptions
      | QueryOptions
      | ReadyOptions
      | RedisLockOptions
      | RetryOptions
      | RqliteDialectOptions
      | RqliteLockOptions
      | RqliteMiddlewareOptions
      // Of Drizzle itself.
      | Omit<RqliteTransactionConfig, "behavior">
      | TransactionOptions
      | TransactionQueryOptions;
    const none: Same<Strict<All>, never> = true;
    const strict: Same<Strict<{ a?: number; b?: number | undefined; c: number }>, "a"> = true;
    assert.ok(none && strict);
  });
});

interface Filter {
  name: string;
  least: number;
}

interface User {
  id: number;
  name: string;
}

describe("types of statements", () => {
  const inDatabase = (name: string, body: (db: ReturnType<typeof connect>) => Promise<void>) =>
    it(name, async () => {
      const db = connect(embedded());
      await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, age INTEGER)");
      await db.execute("INSERT INTO users VALUES(1, 'Ada', 36)");
      await body(db);
      await db.close();
    });

  inDatabase("an interface is taken for named parameters", async (db) => {
    const filter: Filter = { name: "Ada", least: 30 };
    const sql = "SELECT id, name FROM users WHERE name = :name AND age >= :least";
    assert.deepEqual((await db.query<User>(sql, filter)).rows, [{ id: 1, name: "Ada" }]);
    const insert = "INSERT INTO users(name, age) VALUES(:name, :least)";
    await db.execute(insert, filter);
    await db.batch([[insert, filter], { sql: insert, params: filter }]);
    await db.transaction((tx) => tx.execute(insert, filter));
    assert.equal((await db.query(sql, filter)).rows.length, 5);
  });

  it("what names no parameters is none", () => {
    // @ts-expect-error: a Map has no members.
    const map: Params = new Map<string, number>();
    // @ts-expect-error: a Date is one value.
    const date: Params = new Date(0);
    // @ts-expect-error: so are bytes.
    const bytes: Params = new ArrayBuffer(1);
    // @ts-expect-error: nobody waits for it.
    const promise: Params = Promise.resolve({ a: 1 });
    // @ts-expect-error: nobody calls it.
    const callback: Params = () => ({ a: 1 });
    // @ts-expect-error: nothing can be bound for it.
    const list: Params = [undefined];
    const others: Params = [1, "a", null, new Date(0)];
    const named: Params = { call: 1, then: "a" };
    assert.ok([map, date, bytes, promise, callback, list, others, named]);
  });

  inDatabase(
    "insertMany() takes rows of an interface, lists, and what makes them one by one",
    async (db) => {
      const users: readonly User[] = [{ id: 2, name: "Grace" }];
      typed<{ rowsAffected: number }>()(await db.insertMany("users", users), true);
      async function* later(): AsyncGenerator<User> {
        yield* users.map(({ id, name }) => ({ id: id + 1, name }));
      }
      await db.insertMany("users", later());
      await db.insertMany("users", new Set([[4, "Alan", null] as const]));
      assert.equal((await db.query("SELECT id FROM users")).rows.length, 4);
      const wrong = [
        // @ts-expect-error: a row is no single value.
        () => db.insertMany("users", [1]),
        // @ts-expect-error: there is no undefined in SQL.
        () => db.insertMany("users", [[undefined]]),
        // @ts-expect-error: one row is a list of one.
        () => db.insertMany("users", { id: 5, name: "Barbara" }),
        // @ts-expect-error: no column is read.
        () => db.insertMany("users", users, { rows: "array" }),
      ];
      assert.equal(wrong.length, 4);
    },
  );

  inDatabase("batch() answers a tuple for a tuple, a list for a list", async (db) => {
    const both = await db.batch(["DELETE FROM users WHERE id = 9", ["SELECT ? AS n", 1]]);
    typed<[Result, Result]>()(both, true);
    const [, { rows }] = both;
    assert.deepEqual(rows, [{ n: 1 }]);
    const list: Statement[] = ["SELECT 1 AS n"];
    typed<Result[]>()(await db.batch(list), true);
    await db.transaction(async (tx) => {
      typed<[Result]>()(await tx.batch([{ sql: "SELECT 1", params: undefined }]), true);
    });
  });

  inDatabase("what map() makes is a list of statements", async (db) => {
    const users = [{ name: "Bob", age: 1 }, { name: "Cleo", age: 2 }];
    const positional = users.map((
      user,
    ) => ["INSERT INTO users(name, age) VALUES(?, ?)", user.name, user.age]);
    typed<Result[]>()(await db.batch(positional), true);
    const named = users.map((user) => ["INSERT INTO users(name, age) VALUES(:name, :age)", user]);
    await db.batch(named);
    await db.batch(users.map((user) => ["INSERT INTO users(name, age) VALUES(:name, :age)", user]));
    const filters: Filter[] = [{ name: "Dan", least: 3 }];
    const byInterface = filters.map((
      one,
    ) => ["INSERT INTO users(name) VALUES(:name || :least)", one]);
    await db.batch(byInterface);
    const { rows } = await db.query("SELECT count(*) AS n FROM users");
    assert.deepEqual(rows, [{ n: 8 }]);
  });

  it("an Executor is written without them", () => {
    const own: Executor = {
      query: () => Promise.reject(new Error("none")),
      execute: () => Promise.reject(new Error("none")),
      first: () => Promise.reject(new Error("none")),
      value: () => Promise.reject(new Error("none")),
      batch: (statements: readonly Statement[]): Promise<Result[]> =>
        Promise.reject(new Error(String(statements.length))),
    };
    const client: Executor = connect("http://localhost:4001");
    assert.ok(own && client);
  });
});
