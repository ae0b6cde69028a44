// The oldest Drizzle that the driver is for, those that it is not for, and tables of another copy of Drizzle.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { eq, relations, sql } from "drizzle-orm";
import * as old from "drizzle-orm-0.44/sqlite-core";
import * as v1 from "drizzle-orm-v1/sqlite-core";
import { connect, NotSupportedError } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { importsIn, runIn, withWorkshop } from "./workshop.ts";

/** What depends on what Drizzle is. */
const SUITE = ["bad_input", "columns", "queries", "relations", "transactions"]
  .map((name) => `tests/drizzle/${name}_test.ts`);

const TEST_ARGS = {
  deno: ["test", "-A", "--no-check", ...SUITE],
  bun: ["test", "--timeout=60000", ...SUITE.map((file) => `./${file}`)],
  node: ["--test", "--disable-warning=ExperimentalWarning", ...SUITE],
};

describe("drizzle() beside another drizzle-orm", () => {
  it("passes the suite with 0.44.5", () =>
    withWorkshop("drizzle", "drizzle-orm-0.44", async (folder) => {
      const { code, output } = await runIn(folder, TEST_ARGS[OWN_ENGINE.name]);
      assert.equal(code, 0, output.slice(-5000));
    }));

  for (const [alias, version] of [["drizzle-orm-0.44.4", "0.44.4"], ["drizzle-orm-v1", "1.0.0"]]) {
    it(`is not imported with ${version}, and says which versions it is for`, () =>
      withWorkshop("drizzle", alias!, async (folder) => {
        for (const entry of ["mod.ts", "migrator.ts"]) {
          const output = await importsIn(folder, `./packages/drizzle/${entry}`);
          assert.match(
            output,
            /^NotSupportedError: Cannot use @tangled\/rqlite-drizzle with drizzle/,
          );
          assert.ok(output.includes(`with drizzle-orm ${version}`), output);
          assert.match(
            output,
            /for drizzle-orm 0\.44, from 0\.44\.5 on, and 0\.45.*rqlite-drizzle-v1.* 1\.0/,
          );
        }
      }));
  }
});

const CREATE =
  sql`CREATE TABLE events(id INTEGER PRIMARY KEY, at INTEGER, done INTEGER, data TEXT)`;
const AT = new Date(1_700_000_000_000);

describe("drizzle() with tables of another copy of drizzle-orm", () => {
  it("reads and writes those of 0.44 as its own", async () => {
    const events = old.sqliteTable("events", {
      id: old.integer().primaryKey(),
      at: old.integer({ mode: "timestamp_ms" }),
      done: old.integer({ mode: "boolean" }),
      data: old.text({ mode: "json" }),
    });
    const others = old.sqliteTable("others", { event: old.integer() });
    // To the compiler the columns of two copies are two types.
    const table = events as unknown as ReturnType<typeof old.sqliteTable> & never;
    const db = drizzle(connect(embedded()), { schema: { events: table } });
    await db.run(CREATE);
    const row = { id: 1, at: AT, done: true, data: { a: [1] } };
    await db.insert(table).values(row as never);
    assert.deepEqual(await db.select().from(table), [row]);
    const query = db.query as unknown as { events: { findMany(): Promise<unknown[]> } };
    assert.deepEqual(await query.events.findMany(), [row]);
    assert.equal(typeof relations(others as never, () => ({})), "object");
    await db.$client.close();
  });

  it("refuses those of 1.0, whose values nobody would convert", async () => {
    const events = v1.sqliteTable("events", {
      id: v1.integer().primaryKey(),
      at: v1.integer({ mode: "timestamp_ms" }),
      done: v1.integer({ mode: "boolean" }),
    });
    const table = events as never;
    const column = (events as unknown as Record<string, never>).at!;
    const db = drizzle(connect(embedded()), { schema: { events: table } });
    await db.run(CREATE);
    const query = db.query as unknown as { events: { findMany(): Promise<unknown[]> } };
    const ways: (() => PromiseLike<unknown>)[] = [
      () => db.select().from(table),
      () => db.insert(table).values({ id: 1, at: AT, done: true } as never),
      () => db.update(table).set({ at: AT } as never),
      () => db.delete(table).where(eq(column, AT)),
      () => db.delete(table).returning(),
      () => query.events.findMany(),
      () => db.select({ at: column }).from(table),
      () => db.all(sql`SELECT ${column} FROM events`),
      () => db.batch([db.select().from(table)]),
      () => db.transaction((tx) => tx.select().from(table)),
    ];
    for (const way of ways) {
      await assert.rejects(async () => await way(), (error: Error) => {
        assert.ok(error instanceof NotSupportedError, `${way}: ${error}`);
        assert.match(
          error.message,
          /with "\w+", a column that drizzle-orm 1\.0 made.* 0\.44, .* and 0\.45/,
        );
        return true;
      });
    }
    assert.equal((await db.all("SELECT * FROM events")).length, 0);
    await db.$client.close();
  });
});
