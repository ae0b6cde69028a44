// Every mode of every column, there and back.
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, it } from "node:test";
import { defineRelations, eq, max, sql } from "drizzle-orm-v1";
import { customType, integer, sqliteTable, text, union } from "drizzle-orm-v1/sqlite-core";
import { DataError } from "../../mod.ts";
import { drizzle, rqliteCodecs } from "../../packages/drizzle-v1/mod.ts";
import { relations, values } from "./schema.ts";
import { DRIZZLE_PLACES, type DrizzleWorld } from "./world.ts";

const SAMPLES: Readonly<Record<string, readonly unknown[]>> = {
  number: [0, -1, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER],
  int64: [0n, 2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n)],
  flag: [true, false],
  seconds: [new Date(0), new Date("2038-01-19T03:14:08Z"), new Date("1900-01-01T00:00:00Z")],
  milliseconds: [new Date(1), new Date("2026-01-02T03:04:05.678Z")],
  real: [0.1, 0.1 + 0.2, 1e300 / 3, 2 ** 53, -5e-324, 3],
  text: ["", "naïve ☃ 𝄞", "it's \0 quoted", "2020-01-02"],
  json: [{ a: [1, 2] }, "text", { a: [] }],
  bytes: [Buffer.from([0, 255, 39]), Buffer.alloc(0)],
  blobJson: [{ b: "☃" }],
  blobBigint: [10n ** 30n, -1n, 7n],
  numeric: ["1.5", "-7", "9007199254740993", "0.30000000000000004"],
  numericNumber: [1.25, 3, 0.1 + 0.2],
  numericBigint: [2n ** 60n + 1n, -1n],
};

for (const place of DRIZZLE_PLACES) {
  const test = (name: string, body: (world: DrizzleWorld) => Promise<void>) =>
    it(name, () => place.run(body));

  describe(`columns of Drizzle 1.0 on ${place.name}`, { skip: place.skip }, () => {
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
      const nested = await db.query.values.findMany({
        with: { same: true },
        orderBy: { id: "asc" },
      });
      check(nested);
      // A relation comes as JSON: no digit and no NULL is lost in it.
      check(nested.map(({ same: [row] }) => row!));
      await db.transaction(async (tx) => {
        await tx.update(values).set({ number: 7 }).where(eq(values.id, -1));
        check(await tx.select().from(values).orderBy(values.id));
      });
    });

    test("values returned by a write, of a union, a subquery and an aggregate are the same", async ({ db }) => {
      const row = Object.fromEntries(
        Object.entries(SAMPLES).map(([column, samples]) => [column, samples[0]]),
      );
      const all = { id: 1, ...row };
      const [stored] = await db.insert(values).values(all).returning();
      assert.deepEqual(stored, all);
      assert.deepEqual(await db.update(values).set({ text: "" }).returning(), [all]);
      const select = () => db.select().from(values);
      assert.deepEqual(await union(select(), select()), [all]);
      assert.deepEqual(await db.select().from(select().as("inner")), [all]);
      const { bytes, blobJson, blobBigint, flag, seconds, int64, numericBigint } = values;
      const columns = { bytes, blobJson, blobBigint, flag, seconds, int64, numericBigint };
      for (const [name, column] of Object.entries(columns)) {
        const [{ most } = { most: undefined }] = await db.select({ most: max(column) }).from(
          values,
        );
        assert.deepEqual(most, all[name as keyof typeof all], name);
      }
    });

    test("`jit` compiles what reads rows, which are the same", async ({ db }) => {
      const all = Object.fromEntries(
        Object.entries(SAMPLES).map(([column, samples]) => [column, samples.at(-1)]),
      );
      await db.insert(values).values([{ id: 1, ...all }, { id: 2, number: 7 }]);
      const fast = drizzle(db.$client, { relations, jit: true });
      const query = fast.select().from(values);
      assert.deepEqual(await query, await db.select().from(values));
      const nested = { with: { same: true } } as const;
      assert.deepEqual(
        await fast.query.values.findMany(nested),
        await db.query.values.findMany(nested),
      );
      assert.deepEqual(await fast.batch([query, fast.query.values.findFirst()]), [
        await query,
        await fast.query.values.findFirst(),
      ]);
    });

    test("an integer too long for its column is an error that names it, never another value", async ({ db: plain }) => {
      await plain.run(sql`INSERT INTO all_values(id, number, seconds, milliseconds, numeric_number)
        VALUES(1, 9007199254740993, 9007199254740993, 9007199254740993, 9007199254740993)`);
      for (const jit of [false, true]) {
        const db = drizzle(plain.$client, { relations, jit });
        const fails = async (query: PromiseLike<unknown>, column?: string): Promise<void> => {
          await assert.rejects(async () => await query, (error: DataError) => {
            assert.ok(error instanceof DataError, String(error));
            assert.match(error.message, /9007199254740993 as a number without losing digits/);
            assert.equal(error.column, column);
            return true;
          });
        };
        for (const name of ["number", "seconds", "milliseconds", "numericNumber"] as const) {
          const select = db.select({ [name]: values[name] }).from(values);
          await fails(select, name);
          await fails(db.batch([select]), name);
          await fails(
            db.transaction((tx) => tx.select({ a: { [name]: values[name] } }).from(values)),
            `a.${name}`,
          );
          await fails(db.query.values.findMany({ columns: { [name]: true } }), name);
        }
        await fails(db.update(values).set({ text: "x" }).returning(), "number");
        const with_ = { same: { columns: { number: true } } } as const;
        await fails(db.query.values.findMany({ columns: { id: true }, with: with_ }));
      }
      const exact = await plain.values(sql`SELECT number FROM all_values`);
      assert.deepEqual(exact, [[9007199254740993n]]);
    });

    test("digits that JSON would lose in a relation are an error, too", async ({ db }) => {
      const bare = customType<{ data: bigint; driverData: number | bigint }>({
        dataType: () => "integer",
        fromDriver: (value) => BigInt(value),
      });
      const rows = sqliteTable("all_values", {
        id: integer().primaryKey(),
        int64: bare(),
        text: text(),
      });
      const own = defineRelations({ rows }, (r) => ({
        rows: { same: r.many.rows({ from: r.rows.id, to: r.rows.id }) },
      }));
      const other = drizzle(db.$client, { relations: own });
      const find = () => other.query.rows.findFirst({ with: { same: true } });
      await db.run(sql`INSERT INTO all_values(id, int64, text)
        VALUES(1, 9007199254740991, 'in text: "9007199254740993" 0.30000000000000004')`);
      assert.equal((await find())!.same[0]!.int64, 9007199254740991n);
      await db.run(sql`UPDATE all_values SET int64 = -9007199254740993`);
      assert.equal((await other.select().from(rows))[0]!.int64, -9007199254740993n);
      await assert.rejects(find, (error: Error) => {
        assert.ok(error instanceof DataError, String(error));
        assert.match(error.message, /-9007199254740993 of relation "same" .* `forJsonSelect`/);
        return true;
      });
    });

    test("numerics that are no integer are no bigint", async ({ db }) => {
      await db.run(sql`INSERT INTO all_values(id, numeric_bigint) VALUES(1, 1.5)`);
      const nested = db.query.values.findFirst({ columns: {}, with: { same: true } });
      const flat = db.select({ n: values.numericBigint }).from(values);
      for (const query of [flat, nested]) {
        await assert.rejects(async () => await query, DataError);
      }
    });

    test("`codecs` takes the place of the driver's", async ({ db }) => {
      const codecs = { ...rqliteCodecs, "integer:boolean": { normalize: (n: number) => n > 5 } };
      const own = drizzle(db.$client, { codecs });
      await db.run(sql`INSERT INTO all_values(id, flag) VALUES(1, 7), (2, 1)`);
      const flags = own.select({ flag: values.flag }).from(values).orderBy(values.id);
      assert.deepEqual(await flags, [{ flag: true }, { flag: false }]);
    });
  });
}
