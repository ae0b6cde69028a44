// What the compiler infers; `deno check` is the test, running it shows that the values are so too.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import {
  DeleteResult,
  type Dialect,
  type Generated,
  InsertResult,
  Kysely,
  sql,
  UpdateResult,
} from "kysely";
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { batch, RqliteDialect, transaction } from "../../packages/kysely/mod.ts";

interface Database {
  users: { id: Generated<number>; name: string; age: number | null };
}

/** Whether two types are the same one. */
type Same<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true
  : false;

function typed<Expected>() {
  return <Actual>(value: Actual, _same: Same<Actual, Expected>): Actual => value;
}

describe("types of RqliteDialect", () => {
  it("results have the types of the tables", async () => {
    const client = connect(embedded());
    await client.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT, age INTEGER)");
    const dialect: Dialect = new RqliteDialect({ client });
    const db = new Kysely<Database>({ dialect });

    const inserted = typed<InsertResult[]>()(
      await db.insertInto("users").values({ name: "Ada" }).execute(),
      true,
    );
    assert.equal(typeof inserted[0]!.insertId, "bigint");
    const rows = await db.selectFrom("users").select(["id", "age as years"]).execute();
    typed<{ id: number; years: number | null }[]>()(rows, true);
    assert.deepEqual(rows, [{ id: 1, years: null }]);

    const results = await batch(client, [
      db.insertInto("users").values({ name: "Bob" }),
      db.insertInto("users").values({ name: "Cleo" }).returning("id"),
      db.updateTable("users").set({ age: 1 }).compile(),
      db.deleteFrom("users").where("id", "=", 1),
      db.selectFrom("users").select("name").compile(),
      sql<{ n: number }>`select count(*) as n from users`.compile(db),
    ]);
    typed<
      [
        InsertResult[],
        { id: number }[],
        UpdateResult[],
        DeleteResult[],
        { name: string }[],
        { n: number }[],
      ]
    >()(results, true);
    assert.deepEqual(results[1], [{ id: 3 }]);
    assert.ok(results[0][0] instanceof InsertResult);
    assert.ok(results[2][0] instanceof UpdateResult);
    assert.ok(results[3][0] instanceof DeleteResult);

    const count = await transaction(db, async (trx) => {
      const found = await trx.selectFrom("users").select("age").execute();
      typed<{ age: number | null }[]>()(found, true);
      return found.length;
    }, { retries: 1 });
    assert.equal(typed<number>()(count, true), 2);
    // @ts-expect-error: Kysely answers counts at once.
    await assert.rejects(transaction(db, () => assert.fail(), { mode: "lazy" }), TypeError);
    const [first] = typed<[{ name: string }[]]>()(
      await batch(db, [db.selectFrom("users").select("name")]),
      true,
    );
    assert.equal(first.length, 2);

    const list = [db.selectFrom("users").select("name"), db.selectFrom("users").select("name")];
    const [all] = typed<{ name: string }[][]>()(await batch(client, list), true);
    assert.equal(all?.length, 2);

    // @ts-expect-error: there is no such column.
    assert.ok(db.selectFrom("users").select("nope").compile());
    // @ts-expect-error: a dialect needs a client or a URL.
    assert.throws(() => new RqliteDialect({}), TypeError);
    // @ts-expect-error: not both.
    assert.throws(() => new RqliteDialect({ client, url: "http://localhost:4001" }), TypeError);
    await client.close();
  });
});
