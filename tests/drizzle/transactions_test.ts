// Transactions through Drizzle: commit, throw, nest, conflict; what they cost on the wire.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eq, sql, TransactionRollbackError } from "drizzle-orm";
import { OutcomeUnknownError, TransactionConflictError, withRetry } from "../../mod.ts";
import {
  drizzle,
  RqliteTransaction,
  type RqliteTransactionConfig,
} from "../../packages/drizzle/mod.ts";
import { groups, posts, users } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const named = (name: string): { name: string } => ({ name });

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`transactions of Drizzle on ${place.name}`, { skip: place.skip }, () => {
    test("transaction() reads its own writes, and nobody else sees them before the commit", async ({ db, other }) => {
      const result = await db.transaction(async (tx) => {
        assert.ok(tx instanceof RqliteTransaction);
        const [user] = await tx.insert(users).values(named("Ada")).returning();
        await tx.insert(posts).values({ author: user!.id, title: "One" });
        assert.equal(await other.$count(users), 0);
        const found = await tx.query.users.findFirst({ with: { posts: true } });
        assert.equal(found!.posts.length, 1);
        const joined = await tx.select().from(users).innerJoin(posts, eq(posts.author, users.id));
        assert.equal(joined.length, 1);
        return user!.id;
      });
      assert.equal(result, 1);
      assert.equal(await other.$count(posts), 1);
    });

    test("transaction() keeps nothing after a throw or tx.rollback(), and throws that", async ({ db }) => {
      const reason = new Error("no");
      const failing = db.transaction(async (tx) => {
        await tx.insert(users).values(named("Ada"));
        throw reason;
      });
      await assert.rejects(failing, (error) => error === reason);
      const undone = db.transaction(async (tx) => {
        await tx.insert(users).values(named("Ada"));
        tx.rollback();
      });
      await assert.rejects(undone, TransactionRollbackError);
      assert.equal(await db.$count(users), 0);
    });

    test("transaction() inside is a savepoint: undone alone, or with the one around it", async ({ db }) => {
      await db.transaction(async (tx) => {
        await tx.insert(users).values(named("outer"));
        await assert.rejects(
          tx.transaction(async (inner) => {
            await inner.insert(users).values(named("undone"));
            await inner.transaction((innermost) => innermost.insert(users).values(named("too")));
            assert.equal(await inner.$count(users), 3);
            inner.rollback();
          }),
          TransactionRollbackError,
        );
        const inside = await tx.transaction(async (inner) => {
          const [row] = await inner.insert(users).values(named("inner")).returning();
          return row!.name;
        });
        assert.equal(inside, "inner");
        assert.equal(await tx.$count(users), 2);
      });
      const names = await db.select({ name: users.name }).from(users).orderBy(users.id);
      assert.deepEqual(names, [named("outer"), named("inner")]);
      const failing = db.transaction(async (tx) => {
        await tx.transaction((inner) => inner.insert(users).values(named("released")));
        tx.rollback();
      });
      await assert.rejects(failing, TransactionRollbackError);
      assert.equal(await db.$count(users), 2);
    });

    test("an error of a statement can be caught, and the transaction goes on", async ({ db }) => {
      await db.transaction(async (tx) => {
        await tx.insert(users).values({ name: "Ada", email: "a@x" });
        await assert.rejects(
          async () => await tx.insert(users).values({ name: "Eve", email: "a@x" }),
          (error: Error) => (error.cause as { code: string }).code === "SQLITE_CONSTRAINT_UNIQUE",
        );
        await tx.insert(users).values(named("Bob"));
      });
      assert.equal(await db.$count(users), 2);
    });

    test("two that read and write the same conflict; withRetry() gets both through", async ({ db, other }) => {
      await db.insert(users).values({ id: 1, name: "Ada", age: 20 });
      const birthday = async (on: typeof db, meanwhile?: () => Promise<unknown>): Promise<void> => {
        await on.transaction(async (tx) => {
          const [ada] = await tx.select().from(users).where(eq(users.id, 1));
          await meanwhile?.();
          await tx.update(users).set({ age: ada!.age! + 1 }).where(eq(users.id, 1));
        });
      };
      await assert.rejects(birthday(db, () => birthday(other)), (error: Error) => {
        assert.ok(error instanceof TransactionConflictError);
        assert.equal(error.retryable, true);
        return true;
      });
      let runs = 0;
      await withRetry(() => birthday(db, () => runs++ === 0 ? birthday(other) : Promise.resolve()));
      assert.equal(runs, 2);
      await Promise.all(
        Array.from(
          { length: 6 },
          (_, i) => withRetry(() => birthday(i % 2 ? db : other), { retries: 100 }),
        ),
      );
      const [ada] = await db.select().from(users);
      assert.equal(ada!.age, 29);
    });

    test("transaction() with `retries` runs the function again by itself", async ({ db, other }) => {
      await db.insert(users).values({ id: 1, name: "Ada", age: 20 });
      let runs = 0;
      await db.transaction(async (tx) => {
        const [ada] = await tx.select().from(users);
        if (runs++ === 0) await other.update(users).set({ age: 30 });
        await tx.update(users).set({ age: ada!.age! + 1 });
      }, { retries: 1 });
      assert.equal(runs, 2);
      assert.equal((await db.select().from(users).get())!.age, 31);
    });

    test('1,000 inserts, one after the other, are one request in mode "lazy"', async ({ db, network }) => {
      await db.transaction((tx) => tx.insert(groups).values({ id: 0, name: "first" }));
      const before = network.requests.length;
      await db.transaction(async (tx) => {
        for (let i = 1; i <= 1000; i++) await tx.insert(groups).values({ id: i, name: `${i}` });
      }, { mode: "lazy" });
      assert.deepEqual(network.requests.slice(before), ["/db/execute"]);
      assert.equal(await db.$count(groups), 1001);
    });

    test("transaction() whose answers are lost for good says so", async ({ db, network, other }) => {
      await db.transaction((tx) => tx.insert(groups).values(named("first")));
      network.plan = () => "delay";
      const doubtful = db.transaction(async (tx) => {
        await tx.insert(groups).values(named("second"));
      }, { timeout: 10_000 });
      await assert.rejects(doubtful, OutcomeUnknownError);
      assert.equal(await other.$count(groups), 1);
    });

    test("options that cannot be honoured are refused before anything is sent", async ({ db, network }) => {
      const before = network.requests.length;
      const nothing = () => Promise.resolve();
      const refused = (config: object, message: RegExp): Promise<void> =>
        assert.rejects(db.transaction(nothing, config), (error: Error) => {
          assert.ok(error instanceof TypeError);
          assert.match(error.message, message);
          return true;
        });
      for (const behavior of ["immediate", "exclusive"]) {
        await refused({ behavior }, new RegExp(`behavior: "${behavior}".* \`lock\` .*\`retries\``));
      }
      await refused({ behavior: "eager" }, /`behavior` .* one of deferred, immediate, .* "eager"/);
      await refused({ isolationLevel: "serializable" }, /`isolationLevel` .* `isolation`/);
      await refused({ behavior: "concurrent", turns: true }, /`turns: true` beside/);
      await refused({ isolation: "snapshot" }, /`isolation` .* "snapshot"/);
      await db.transaction(nothing, { behavior: "deferred" });
      await db.transaction(nothing, { timeoutPer: "statement" });
      await db.transaction((tx) => refusedInside(tx as never));
      assert.equal(network.requests.length, before);
    });

    test('`behavior: "concurrent"` runs transactions side by side, others take turns', async ({ db }) => {
      const most = async (config?: RqliteTransactionConfig): Promise<number> => {
        let [now, most] = [0, 0];
        const both = Promise.withResolvers<void>();
        const transaction = (): Promise<void> =>
          db.transaction(async (tx) => {
            most = Math.max(most, ++now);
            if (most === 2) both.resolve();
            await tx.$count(users);
            if (config !== undefined) await both.promise;
            now--;
          }, config);
        await Promise.all([transaction(), transaction()]);
        return most;
      };
      assert.equal(await most(), 1);
      assert.equal(await most({ behavior: "concurrent" }), 2);
    });

    test("drizzle() on a transaction of the client is part of that", async ({ db }) => {
      await db.$client.transaction(async (tx) => {
        const inside = drizzle(tx);
        await inside.insert(users).values(named("Ada"));
        await inside.transaction(async (inner) => {
          await inner.insert(users).values(named("Bob"));
          inner.rollback();
        }).catch(() => {});
        assert.equal(await inside.$count(users), 1);
        const lazy = inside.transaction(() => Promise.resolve(), { mode: "lazy" });
        await assert.rejects(lazy, TypeError);
      });
      assert.equal(await db.$count(users), 1);
    });

    test("a read-only transaction refuses writes; what has no effect in one is refused", async ({ db }) => {
      const codeOf = (
        run: (tx: Parameters<Parameters<typeof db.transaction>[0]>[0]) => PromiseLike<unknown>,
        config = {},
      ) =>
        db.transaction(async (tx) => await run(tx), config)
          .then(() => "none", (error) => error.cause.code);
      const insert = await codeOf((tx) => tx.insert(users).values(named("x")), { readOnly: true });
      assert.equal(insert, "ERR_NOT_SUPPORTED");
      assert.equal(
        await codeOf((tx) => tx.run(sql`PRAGMA foreign_keys = OFF`)),
        "ERR_NOT_SUPPORTED",
      );
      assert.equal(await codeOf((tx) => tx.run(sql`SAVEPOINT a`)), "ERR_PROGRAMMING");
    });
  });
}

async function refusedInside(
  tx: { transaction(fn: () => Promise<void>, config: object): Promise<void> },
): Promise<void> {
  await assert.rejects(tx.transaction(() => Promise.resolve(), { mode: "lazy" }), TypeError);
}
