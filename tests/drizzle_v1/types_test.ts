// The types of results, as the compiler infers them: this file fails to compile where one of them changes.
import assert from "node:assert/strict";
import { it } from "node:test";
import { eq, sql } from "drizzle-orm-v1";
import type { EmptyRelations } from "drizzle-orm-v1/relations";
import { type Client, connect } from "../../mod.ts";
import type { RunResult } from "../../src/driver/mod.ts";
import { drizzle, type MockClient, type RqliteDatabase } from "../../packages/drizzle-v1/mod.ts";
import { migrate } from "../../packages/drizzle-v1/migrator.ts";
import { members, posts, relations, users, values } from "./schema.ts";

type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

/** Compiles only where the value's type is exactly `T`. */
function expectType<T>() {
  return <V>(_value: PromiseLike<V>, _same: Same<V, T> extends true ? true : never): void => {};
}

type User = {
  id: number;
  name: string;
  email: string | null;
  age: number | null;
  invitedBy: number | null;
};

/** Never called: only compiled. */
export async function results(db: RqliteDatabase<typeof relations, Client>): Promise<void> {
  expectType<User[]>()(db.select().from(users), true);
  expectType<{ n: string; title: string | null }[]>()(
    db.select({ n: users.name, title: posts.title }).from(users)
      .leftJoin(posts, eq(posts.author, users.id)),
    true,
  );
  expectType<RunResult>()(db.insert(users).values({ name: "Ada" }), true);
  expectType<{ id: number }[]>()(db.delete(users).returning({ id: users.id }), true);
  expectType<{ big: bigint | null; at: Date | null; flag: boolean | null }[]>()(
    db.select({ big: values.int64, at: values.seconds, flag: values.flag }).from(values),
    true,
  );
  expectType<(User & { posts: { title: string }[] })[]>()(
    db.query.users.findMany({ with: { posts: { columns: { title: true } } } })
      .then((rows) => rows.map((row): User & { posts: { title: string }[] } => row)),
    true,
  );
  const [inserted, all] = await db.batch([
    db.insert(members).values({ user: 1, group: 1 }),
    db.select().from(users),
  ]);
  expectType<RunResult>()(Promise.resolve(inserted), true);
  expectType<User[]>()(Promise.resolve(all), true);
  expectType<User | undefined>()(
    db.transaction(async (tx) => {
      const [first] = await tx.transaction((inner) => inner.select().from(users));
      await tx.query.posts.findFirst({ with: { writer: true } });
      return first;
    }, { mode: "lazy", retries: 3 }),
    true,
  );
  await migrate(db, { migrationsFolder: "." });
  expectType<{ $client: Client }[]>()(
    Promise.resolve([drizzle({ connection: { url: "http://localhost:4001" }, jit: true })]).then((
      databases,
    ) => databases.map(({ $client }) => ({ $client }))),
    true,
  );
  const mock: RqliteDatabase<typeof relations, MockClient> = drizzle.mock({ relations });
  expectType<User[]>()(mock.query.users.findMany(), true);
  // @ts-expect-error: `schema` is of Drizzle 0.x
  drizzle("http://localhost:4001", { schema: {} });
  // @ts-expect-error: a name is text
  await db.insert(users).values({ name: 1 });
  // @ts-expect-error: there is no such mode
  await db.transaction(() => Promise.resolve(), { mode: "fast" });
  // @ts-expect-error: a statement is no query of Drizzle
  await db.batch(["SELECT 1"]);
}

it("drizzle() takes a URL, a client or an object with either, and keeps the client", async () => {
  const client = connect("http://localhost:4001");
  const bare: RqliteDatabase<EmptyRelations, Client> = drizzle(client);
  assert.equal(bare.$client, client);
  const full: RqliteDatabase<typeof relations, Client> = drizzle(client, { relations });
  assert.deepEqual(Object.keys(full.query).sort(), [
    "groups",
    "members",
    "posts",
    "users",
    "values",
  ]);
  assert.equal(drizzle({ client, relations }).$client, client);
  for (
    const own of [
      drizzle("http://localhost:4001"),
      drizzle({ connection: "http://localhost:4001", logger: true }),
      drizzle({ connection: { url: "http://localhost:4001", level: "weak" }, relations }),
    ]
  ) {
    assert.equal(own.$client.closed, false);
    await own.$client.close();
  }
  await client.close();
});

it("drizzle() refuses what is no client", () => {
  for (const wrong of [undefined, null, {}, { client: {} }, { logger: true }, sql`SELECT 1`, 7]) {
    assert.throws(() => drizzle(wrong as never), TypeError);
  }
  assert.throws(() => drizzle("localhost"), /Cannot connect to "localhost"/);
});
