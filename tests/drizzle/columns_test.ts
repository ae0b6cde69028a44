// Every mode of every column, there and back.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { eq, max, sql } from "drizzle-orm";
import { DataError } from "../../mod.ts";
import { users, values } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  number: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  int64: [0n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  flag: [true, false],
  seconds: [new Date(0), new Date("2038-01-19T03:14:08Z"), new Date("1900-01-01T00:00:00Z")],
  milliseconds: [new Date(1), new Date("2026-01-02T03:04:05.678Z")],
  real: [0.1, 1e300, -5e-324, 3],
  text: ["", "naïve ☃ 𝄞", "it's \0 quoted", "2020-01-02"],
  json: [{ a: [1, 2] }, "text", { a: [] }],
  bytes: [Buffer.from([0, 255, 39]), Buffer.alloc(0)],
  blobJson: [{ b: "☃" }],
  blobBigint: [10n ** 30n, -1n],
  numeric: ["1.5", "-7", "9007199254740993"],
  numericNumber: [1.25, 3],
  numericBigint: [2n ** 60n + 1n, -1n],
};

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`columns of Drizzle on ${place.name}`, { skip: place.skip }, () => {
    test("each mode returns exactly what it was given, also NULL, also in a transaction", async ({ db }) => {
      const rows = Object.entries(SAMPLES).flatMap(([column, samples]) =>
        [...samples, null].map((sample) => ({ [column]: sample }))
      );
      await db.batch(rows.map((row, i) => db.insert(values).values({ id: i, ...row })) as never);
      const check = (stored: readonly Record<string, unknown>[]): void => {
        assert.equal(stored.length, rows.length);
        for (const [i, row] of rows.entries()) {
          for (const [column, sample] of Object.entries(row)) {
            assert.deepEqual(stored[i]![column], sample, column);
          }
        }
      };
      check(await db.select().from(values).orderBy(values.id));
      check(await db.query.values.findMany({ orderBy: values.id }));
      await db.transaction(async (tx) => {
        await tx.update(values).set({ number: 7 }).where(eq(values.id, -1));
        check(await tx.select().from(values).orderBy(values.id));
      });
    });

    test("values returned by a write are the same", async ({ db }) => {
      const row = { int64: 2n ** 63n - 1n, bytes: Buffer.from([1, 2]), flag: true, real: 0.5 };
      const [stored] = await db.insert(values).values(row).returning();
      assert.deepEqual({ ...stored, ...row }, stored);
    });

    test("an integer too long for a number is an error that names the column", async ({ db }) => {
      await db.insert(users).values({ id: 1, name: "Ada" });
      const long = "9007199254740993";
      await db.run(sql.raw(`INSERT INTO posts VALUES(${long}, 1, 'Long')`));
      const fails = (query: PromiseLike<unknown>, column: string) =>
        assert.rejects(async () => await query, (error: DataError) => {
          assert.ok(error instanceof DataError, String(error));
          assert.match(error.message, /without losing digits/);
          assert.equal(error.column, column);
          return true;
        });
      for (const column of ["number", "seconds", "milliseconds", "numericNumber"] as const) {
        const { name } = values[column];
        await db.run(sql.raw(`INSERT OR REPLACE INTO all_values(id, ${name}) VALUES(1, ${long})`));
        await fails(db.select().from(values), column);
        await fails(db.select({ most: max(values[column]) }).from(values), "most");
        await fails(
          db.select({ n: sql`${values[column]}`.mapWith(values[column]).as("n") }).from(values),
          "n",
        );
        await fails(db.query.values.findMany(), column);
        await fails(db.query.values.findFirst({ columns: { [column]: true } }), column);
        assert.deepEqual(await db.values(sql`SELECT ${values[column]} FROM ${values}`), [[
          BigInt(long),
        ]]);
      }
      await fails(db.query.posts.findMany(), "id");
      // Drizzle reads JSON there, in which it is rounded already.
      await fails(db.query.users.findMany({ with: { posts: true } }), "id");
      await fails(db.batch([db.query.posts.findFirst()]), "id");
      assert.equal(
        (await db.query.users.findFirst({ with: { posts: { columns: { title: true } } } }))?.posts
          .length,
        1,
      );
    });
  });
}
