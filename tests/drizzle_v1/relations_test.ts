// Relational queries, batches and the cache.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eq, sql, TransactionRollbackError } from "drizzle-orm-v1";
import { Cache } from "drizzle-orm-v1/cache/core";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import { groups, members, posts, relations, users } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const fill = async ({ db }: DrizzleWorld): Promise<void> => {
  await db.batch([
    db.insert(users).values([{ name: "Ada" }, { name: "Bob", invitedBy: 1 }]),
    db.insert(groups).values([{ name: "Chess" }, { name: "Go" }]),
    db.insert(members).values([{ user: 1, group: 1 }, { user: 1, group: 2 }, {
      user: 2,
      group: 2,
    }]),
    db.insert(posts).values([{ author: 1, title: "One" }, { author: 1, title: "Two" }]),
  ]);
};

/** Keeps everything, and tells what it was told. */
class RecordingCache extends Cache {
  readonly kept = new Map<string, unknown[]>();
  readonly mutated: string[][] = [];
  strategy(): "all" {
    return "all";
  }
  get(key: string): Promise<unknown[] | undefined> {
    return Promise.resolve(this.kept.get(key));
  }
  put(key: string, rows: unknown[]): Promise<void> {
    this.kept.set(key, rows);
    return Promise.resolve();
  }
  onMutate({ tables }: { tables?: unknown }): Promise<void> {
    this.mutated.push(tables as string[]);
    this.kept.clear();
    return Promise.resolve();
  }
}

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`relations and batches of Drizzle 1.0 on ${place.name}`, { skip: place.skip }, () => {
    test("findMany() loads one-to-many and many-to-many relations in one request", async (world) => {
      const { db, network } = world;
      await fill(world);
      // The first read asks a server what it can do.
      await db.$count(users);
      const before = network.requests.length;
      const found = await db.query.users.findMany({
        columns: { name: true },
        with: {
          posts: { columns: { title: true }, orderBy: { id: "asc" }, where: { id: { gt: 0 } } },
          members: { with: { team: true }, columns: {} },
        },
        extras: { loud: (user, { sql }) => sql<string>`upper(${user.name})` },
        orderBy: { id: "asc" },
      });
      assert.equal(network.requests.length - before, 1);
      assert.deepEqual(found, [
        {
          name: "Ada",
          loud: "ADA",
          posts: [{ title: "One" }, { title: "Two" }],
          members: [{ team: { id: 1, name: "Chess" } }, { team: { id: 2, name: "Go" } }],
        },
        { name: "Bob", loud: "BOB", posts: [], members: [{ team: { id: 2, name: "Go" } }] },
      ]);
    });

    test("findFirst() answers a row or undefined, also prepared", async (world) => {
      const { db } = world;
      await fill(world);
      const post = await db.query.posts.findFirst({ with: { writer: true } });
      assert.equal(post!.writer.name, "Ada");
      const prepared = db.query.users.findFirst({
        where: { id: sql.placeholder("id") },
        with: { inviter: true },
      }).prepare();
      assert.equal((await prepared.execute({ id: 2 }))!.inviter!.name, "Ada");
      assert.equal((await prepared.execute({ id: 1 }))!.inviter, null);
      assert.equal(await prepared.execute({ id: 9 }), undefined);
    });

    test("batch() answers for each query by its kind", async ({ db, network }) => {
      const before = network.requests.length;
      const [returned, inserted, many, first, some, all, got, cells, deleted, none] = await db
        .batch([
          db.insert(users).values({ name: "Ada" }).returning({ id: users.id }),
          db.insert(users).values({ name: "Bob" }),
          db.query.users.findMany({ columns: { name: true } }),
          db.query.users.findFirst({ columns: { id: true } }),
          db.select({ n: users.name }).from(users).where(eq(users.id, 2)),
          db.all(sql`SELECT id FROM users`),
          db.get(sql`SELECT name FROM users`),
          db.values(sql`SELECT id, name FROM users WHERE id = 1`),
          db.run(sql`DELETE FROM users WHERE id = 2`),
          db.query.posts.findFirst(),
        ]);
      assert.deepEqual(returned, [{ id: 1 }]);
      assert.deepEqual([inserted.rowsAffected, inserted.lastInsertId], [1, 2]);
      assert.deepEqual([many, first], [[{ name: "Ada" }, { name: "Bob" }], { id: 1 }]);
      assert.deepEqual([some, all], [[{ n: "Bob" }], [{ id: 1 }, { id: 2 }]]);
      assert.deepEqual([got, cells], [{ name: "Ada" }, [[1, "Ada"]]]);
      assert.deepEqual([deleted.rowsAffected, none], [1, undefined]);
      assert.ok(network.requests.length - before <= 3, "it is not one statement at a time");
    });

    test("batch() keeps all or nothing, also where a statement does not compile", async ({ db }) => {
      const insert = db.insert(users).values({ id: 1, name: "Ada" });
      const code = (error: { code: string }) => error.code === "SQLITE_CONSTRAINT_UNIQUE";
      await assert.rejects(db.batch([insert, insert]), code);
      await assert.rejects(db.batch([insert, insert.returning(), db.select().from(users)]), code);
      await assert.rejects(db.batch([insert, db.all(sql`SELECT * FROM nowhere`)]));
      await assert.rejects(db.batch([insert, db.run(sql`COMMIT`)]));
      assert.equal(await db.$count(users), 0);
    });

    test("batch() inside a transaction is part of it", async ({ db }) => {
      const rolledBack = db.transaction(async (tx) => {
        const [, rows] = await tx.batch([
          tx.insert(users).values({ name: "Ada" }),
          tx.select({ name: users.name }).from(users),
        ]);
        assert.deepEqual(rows, [{ name: "Ada" }]);
        tx.rollback();
      });
      await assert.rejects(rolledBack, TransactionRollbackError);
      assert.equal(await db.$count(users), 0);
    });

    test("a cache is asked outside of transactions, and told of every change", async ({ db: plain }) => {
      const cache = new RecordingCache();
      const db = drizzle(plain.$client, { relations, cache });
      await db.insert(users).values({ name: "Ada" });
      await db.select().from(users);
      assert.equal(cache.kept.size, 1);
      await plain.update(users).set({ name: "behind its back" });
      assert.equal((await db.select().from(users))[0]!.name, "Ada");
      await db.transaction(async (tx) => {
        assert.equal((await tx.select().from(users))[0]!.name, "behind its back");
        await tx.update(users).set({ name: "Eve" });
        assert.equal(cache.mutated.length, 1);
      });
      assert.deepEqual(cache.mutated, [["users"], ["users"]]);
      assert.equal((await db.select().from(users))[0]!.name, "Eve");
      await db.batch([db.update(users).set({ name: "Flo" }), db.delete(groups)]);
      assert.deepEqual(cache.mutated[2], ["users", "groups"]);
      await db.$cache.invalidate({ tables: "posts" });
      assert.equal(cache.mutated.length, 4);
    });
  });
}
