// What goes wrong in programs: typed errors, and nothing half-written.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineRelations, sql } from "drizzle-orm-v1";
import {
  connect,
  ConnectionError,
  IntegrityError,
  InterfaceError,
  NotSupportedError,
  ProgrammingError,
} from "../../mod.ts";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import { groups, posts, users } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

type Db = DrizzleWorld["db"];
type Tx = Parameters<Parameters<Db["transaction"]>[0]>[0];

/** What an error is, or what Drizzle has wrapped. */
const rootOf = (error: unknown): unknown => (error as Error).cause ?? error;

/** Rejects with this error, as it is or as the cause of Drizzle's own. */
async function assertFails(
  promise: PromiseLike<unknown>,
  type: new (...args: never[]) => Error,
  message = /./,
): Promise<void> {
  await assert.rejects(async () => await promise, (error) => {
    const root = rootOf(error);
    assert.ok(root instanceof type, String(root));
    assert.match(root.message, message);
    return true;
  });
}

/** Fails as there is nobody with that number. */
const orphan = { author: 99, title: "Nobody's" };
/** Fails at once. */
const young = { name: "Young", age: 1 };

/** What is issued and forgotten, and fails. */
const FORGOTTEN: Record<string, (tx: Tx) => unknown> = {
  "run()": (tx) => tx.insert(users).values(young).run(),
  "all()": (tx) => tx.insert(users).values(young).returning().all(),
  "get()": (tx) => tx.insert(users).values(young).returning().get(),
  "values()": (tx) => tx.insert(users).values(young).returning().values(),
  "a batch": (tx) => tx.batch([tx.insert(users).values(young)]),
  "a nested transaction": (tx) => tx.transaction((inner) => inner.insert(users).values(young)),
  "run() in a nested transaction": (tx) =>
    tx.transaction((inner) => {
      inner.insert(users).values(young).run();
      return Promise.resolve();
    }),
};

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`bad input of Drizzle 1.0 on ${place.name}`, { skip: place.skip }, () => {
    for (const [what, forget] of Object.entries(FORGOTTEN)) {
      test(`transaction() keeps nothing where ${what} that nobody waited for fails`, async ({ db }) => {
        for (const mode of ["eager", "lazy"] as const) {
          const failing = db.transaction(async (tx) => {
            await tx.insert(groups).values({ name: "kept?" });
            forget(tx);
          }, { mode });
          await assertFails(failing, IntegrityError);
          assert.equal(await db.$count(groups), 0);
        }
      });
    }

    test("a transaction of the client keeps nothing where a query of Drizzle on it fails that nobody waited for", async ({ db }) => {
      // Of nested transactions the client says by itself that they still run.
      const queries = Object.entries(FORGOTTEN).filter(([what]) => !what.includes("nested"));
      for (const [, forget] of queries) {
        const failing = db.$client.transaction(async (tx) => {
          const orm = drizzle(tx);
          await orm.insert(groups).values({ name: "kept?" });
          forget(orm as never);
        });
        await assertFails(failing, IntegrityError);
        assert.equal(await db.$count(groups), 0);
      }
      await db.$client.transaction(async (tx) => {
        const orm = drizzle(tx);
        const later = orm.insert(users).values(young).run();
        await orm.insert(groups).values({ name: "kept" });
        await assertFails(later, IntegrityError);
        await Promise.allSettled([orm.insert(users).values(young), orm.run("SELEKT")]);
        await orm.batch([orm.insert(users).values(young)]).catch(() => {});
        await orm.transaction((inner) => inner.insert(users).values(young)).catch(() => {});
        orm.insert(groups).values({ name: "forgotten" }).run();
      });
      const names = await db.select({ name: groups.name }).from(groups).orderBy(groups.id);
      assert.deepEqual(names.map(({ name }) => name), ["kept", "forgotten"]);
    });

    test("transaction() keeps what nobody waited for and succeeds", async ({ db }) => {
      await db.transaction((tx) => {
        tx.insert(users).values({ id: 1, name: "Ada" }).run();
        tx.transaction((inner) => inner.insert(posts).values({ author: 1, title: "One" }));
        return Promise.resolve();
      });
      assert.deepEqual([await db.$count(users), await db.$count(posts)], [1, 1]);
    });

    test("transaction() goes on behind an error that was handled", async ({ db }) => {
      await db.transaction(async (tx) => {
        const later = tx.insert(users).values(young).run();
        await tx.insert(groups).values({ name: "kept" });
        await assertFails(later, IntegrityError);
        await Promise.allSettled([tx.insert(users).values(young), tx.run("SELEKT")]);
        await tx.insert(users).values(young).run().catch(() => {});
        const nested = tx.transaction(async (inner) => {
          await inner.insert(groups).values({ name: "undone" });
          await inner.insert(posts).values(orphan);
        });
        await assertFails(nested, IntegrityError);
        await tx.insert(groups).values({ name: "kept too" });
      });
      const names = await db.select({ name: groups.name }).from(groups).orderBy(groups.id);
      assert.deepEqual(names.map(({ name }) => name), ["kept", "kept too"]);
    });

    test("transaction() refuses a function that is not async, whose queries nobody would run", async ({ db }) => {
      const forgetful = ((tx: Tx) => {
        tx.insert(groups).values({ name: "never" });
      }) as never;
      await assertFails(db.transaction(forgetful), TypeError, /answers no promise.*await/);
      await db.transaction(async (tx) => {
        await assertFails(tx.transaction(forgetful), TypeError, /answers no promise/);
        await tx.insert(groups).values({ name: "kept" });
      });
      assert.equal(await db.$count(groups), 1);
      await assertFails(db.transaction(undefined as never), TypeError);
    });

    test("what is used behind the end of its transaction fails and writes nothing", async ({ db }) => {
      let late: Tx | undefined;
      let inside: Tx | undefined;
      const insert = (tx: Tx | undefined) => tx!.insert(groups).values({ name: "late" });
      await db.transaction(async (tx) => {
        late = tx;
        await tx.transaction((inner) => Promise.resolve(void (inside = inner)));
        await assertFails(insert(inside), InterfaceError);
      });
      await assertFails(insert(late), InterfaceError);
      await assertFails(insert(late).run(), InterfaceError);
      await assertFails(late!.batch([insert(late)]), InterfaceError);
      await assertFails(late!.transaction(() => Promise.resolve()), InterfaceError);
      await assertFails(late!.query.users.findMany(), InterfaceError);
      await db.transaction((tx) => Promise.resolve(late = tx).then(() => tx.rollback()))
        .catch(() => {});
      await assertFails(insert(late), InterfaceError);
      assert.equal(await db.$count(groups), 0);
    });

    test("batch() refuses what is no query, before anything is sent", async ({ db, network }) => {
      const before = network.requests.length;
      const insert = db.insert(groups).values({ name: "never" });
      const batch = (queries: unknown) => db.batch(queries as never);
      for (const wrong of [undefined, {}, "SELECT 1", sql`SELECT 1`, Promise.resolve([])]) {
        await assertFails(
          batch([insert, wrong]),
          TypeError,
          /query 1 of the batch .* without await/,
        );
      }
      await assertFails(batch(undefined), TypeError, /array of queries/);
      await assertFails(batch(insert), TypeError, /array of queries/);
      assert.equal(network.requests.length, before);
    });

    test("drizzle() over a transaction refuses a cache, which would keep what may be undone", async ({ db }) => {
      const cache = { strategy() {}, get() {}, put() {}, onMutate() {} } as never;
      await db.$client.transaction((tx) => {
        assert.throws(() => drizzle(tx, { cache }), /`cache` over a transaction/);
        assert.throws(() => drizzle({ client: tx, cache }), TypeError);
        return Promise.resolve();
      });
    });

    test("everything fails on a client that is closed, and is sent nowhere", async ({ db, network }) => {
      await db.$client.close();
      const before = network.requests.length;
      await assertFails(db.select().from(users), InterfaceError, /closed/);
      await assertFails(db.insert(users).values({ name: "Ada" }), InterfaceError);
      await assertFails(db.batch([db.insert(users).values({ name: "Ada" })]), InterfaceError);
      await assertFails(db.query.users.findFirst(), InterfaceError);
      let runs = 0;
      await assertFails(db.transaction(() => Promise.resolve(runs++)), InterfaceError);
      assert.deepEqual([runs, network.requests.length], [0, before]);
    });

    test("a statement that is none, several or of a transaction is refused", async ({ db, network }) => {
      const before = network.requests.length;
      await assertFails(db.run(sql`DELETE FROM users; DELETE FROM posts`), ProgrammingError);
      await assertFails(db.run(sql`BEGIN`), ProgrammingError);
      await assertFails(db.all(sql.raw("ATTACH 'x' AS y")), NotSupportedError);
      await assertFails(db.insert(users).values({ name: { a: 1 } as never }), TypeError);
      assert.equal(network.requests.length, before);
    });
  });
}

describe("drizzle()", () => {
  it("refuses what it cannot use, and says what it wants", async () => {
    const client = connect("http://localhost:4001");
    const refused: [args: unknown[], message: RegExp][] = [
      [[undefined], /`client` .* URL .* undefined, which a variable of the environment/],
      [[null], /it is null/],
      [[7], /URL or what `connect` answers/],
      [[() => {}], /URL or what `connect` answers/],
      [[{}], /URL or what `connect` answers/],
      [[{ client: undefined }], /URL or what `connect` answers/],
      [[{ client: {} }], /URL or what `connect` answers/],
      [[{ client, connection: "http://localhost:4001" }], /`connection` beside `client`/],
      [[{ client, url: "http://localhost:4001" }], /`url` .* no such option/],
      [[{ client }, { logger: true }], /second argument/],
      [[client, { schema: {} }], /`schema` with drizzle-orm 1\.0: give `relations`/],
      [[client, { relations: { users } }], /`relations` .* `defineRelations`/],
      [[client, { relations: "users" }], /`relations` .* `defineRelations`/],
      [[client, { jit: 1 }], /`jit` .* boolean/],
      [[client, { paramsInErrors: "yes" }], /`paramsInErrors` .* boolean/],
      [[client, { codecs: true }], /`codecs` .* `rqliteCodecs`/],
      [[client, { casing: "snake_case" }], /`casing` with drizzle-orm 1\.0: .* `snakeCase\.table`/],
      [[client, { logger: "yes" }], /`logger` .* boolean or a Logger/],
      [[client, { cache: {} }], /`cache` .* Cache/],
      [[{ connection: { urls: "http://localhost:4001" } }], /`urls`/],
    ];
    for (const [args, message] of refused) {
      assert.throws(() => (drizzle as (...args: unknown[]) => unknown)(...args), (error: Error) => {
        assert.ok(error instanceof TypeError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    await client.close();
  });

  it("says that nobody is there to answer", async () => {
    const db = drizzle("http://127.0.0.1:1", { logger: false });
    await assertFails(db.select().from(users), ConnectionError);
    await db.$client.close();
  });
});

describe("drizzle.mock()", () => {
  it("builds every query, and runs none", async () => {
    const db = drizzle.mock({ relations: defineRelations({ users }) });
    const { sql: text, params } = db.insert(users).values({ name: "Ada" }).toSQL();
    assert.match(text, /^insert into "users"/);
    assert.deepEqual(params, ["Ada"]);
    assert.match(db.query.users.findFirst().toSQL().sql, /limit \?/);
    for (
      const run of [
        () => db.select().from(users),
        () => db.insert(users).values({ name: "Ada" }),
        () => db.batch([db.select().from(users)]),
        () => db.transaction((tx) => tx.select().from(users)),
        () => db.$client.query("SELECT 1"),
      ]
    ) {
      await assertFails(run(), ProgrammingError, /drizzle\.mock\(\), which has no client/);
    }
    assert.throws(() => drizzle.mock({ client: {} } as never), /`client` .* no such option/);
  });
});
