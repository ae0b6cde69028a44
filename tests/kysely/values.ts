// What goes in and comes out.
import assert from "node:assert/strict";
import { it } from "node:test";
import { Kysely, ParseJSONResultsPlugin, sql } from "kysely";
import { DataError } from "../../mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { type Database, fill, type Topic } from "./target.ts";

type Thing = Partial<Database["things"]>;

const ROUND_TRIPS: Readonly<Record<string, readonly [Omit<Thing, "id">, Omit<Thing, "id">]>> = {
  "an integer beyond 32 bits": [{ whole: 2 ** 53 - 1 }, { whole: 2 ** 53 - 1 }],
  "a bigint": [{ whole: -5n }, { whole: -5 }],
  "a real": [{ real: 0.1 + 0.2 }, { real: 0.1 + 0.2 }],
  "a real without a fraction": [{ real: 2 }, { real: 2 }],
  "text of any characters": [{ text: "a'\"\\\n😀; --" }, { text: "a'\"\\\n😀; --" }],
  "text that looks like a blob": [{ text: "x'41'" }, { text: "x'41'" }],
  "empty text and NULL": [{ text: "", json: null }, { text: "", json: null }],
  "bytes": [{ bytes: new Uint8Array([0, 255, 127]) }, { bytes: new Uint8Array([0, 255, 127]) }],
  "no bytes": [{ bytes: new Uint8Array() }, { bytes: new Uint8Array() }],
  "true, as 1": [{ flag: true }, { flag: 1 }],
  "false, as 0": [{ flag: false }, { flag: 0 }],
  "a Date, as ISO 8601": [
    { day: new Date(Date.UTC(2024, 1, 29, 12, 30)) },
    { day: "2024-02-29T12:30:00Z" },
  ],
};

export const values: Topic = (target) => {
  for (const [name, [stored, expected]] of Object.entries(ROUND_TRIPS)) {
    it(`a column keeps ${name}`, async () => {
      const db = await fill(target());
      const columns = Object.keys(expected) as (keyof typeof expected)[];
      const returned = await db.insertInto("things").values(stored).returning(columns).execute();
      assert.deepEqual(returned, [expected]);
      assert.deepEqual(await db.selectFrom("things").select(columns).execute(), [expected]);
      const [column] = columns;
      const found = await db.selectFrom("things").select(columns)
        .where(column!, "is", stored[column!] as never).execute();
      assert.equal(found.length, 1);
    });
  }

  it("an integer beyond 2^53 is an error, and exact where the client says so", async () => {
    const db = await fill(target());
    const whole = 2n ** 62n + 1n;
    await db.insertInto("things").values({ whole }).execute();
    const query = (on: Kysely<Database>) => on.selectFrom("things").select("whole").execute();
    await assert.rejects(query(db), DataError);
    const client = target().connect({ integers: "auto" });
    const exact = new Kysely<Database>({ dialect: new RqliteDialect({ client }) });
    assert.deepEqual(await query(exact), [{ whole }]);
    const { insertId } = await exact.insertInto("things").values({ id: 2 ** 53 } as never)
      .executeTakeFirstOrThrow();
    assert.equal(insertId, 2n ** 53n);
    await client.close();
  });

  it("booleans in a transaction are numbers too", async () => {
    const db = await fill(target());
    const rows = await db.transaction().execute((trx) =>
      trx.selectFrom("users").select(["id", "active"]).where("active", "=", 1).execute()
    );
    assert.deepEqual(rows[0], { id: 1, active: 1 });
  });

  it("ParseJSONResultsPlugin parses JSON columns, and ->> reads into them", async () => {
    const plain = await fill(target());
    const db = plain.withPlugin(new ParseJSONResultsPlugin());
    const json = { a: [1, { b: "ü" }], c: null, d: true };
    await plain.insertInto("things").values({ json: JSON.stringify(json) }).execute();
    const row = await db.selectFrom("things").select((eb) => [
      "json",
      sql<string>`json ->> '$.a[1].b'`.as("b"),
      eb.fn<string>("json_type", ["json"]).as("type"),
    ]).executeTakeFirst();
    assert.deepEqual(row, { json, b: "ü", type: "object" });
  });

  it("values that SQLite does not have are refused before anything is sent", async () => {
    const db = await fill(target());
    for (const value of [undefined, NaN, Infinity, 2n ** 64n, {}, [], Symbol("x")]) {
      const query = sql`select ${sql.val(value)}`;
      await assert.rejects(
        query.execute(db),
        (error) => error instanceof TypeError || error instanceof RangeError,
      );
    }
  });
};
