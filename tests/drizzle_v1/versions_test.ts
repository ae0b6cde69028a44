// Versions of Drizzle that the driver is not for, and tables of another copy of Drizzle.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import * as old from "drizzle-orm/sqlite-core";
import { defineRelations, sql } from "drizzle-orm-v1";
import * as core from "drizzle-orm-v1/sqlite-core";
import { connect, NotSupportedError } from "../../mod.ts";
import { drizzle } from "../../packages/drizzle-v1/mod.ts";
import { checkVersion } from "../../packages/drizzle-v1/src/version.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { importsIn, withWorkshop } from "../drizzle/workshop.ts";

const CREATE =
  sql`CREATE TABLE events(id INTEGER PRIMARY KEY, at INTEGER, done INTEGER, data TEXT)`;
const AT = new Date(1_700_000_000_000);

function tableOf({ integer, sqliteTable, text }: typeof core) {
  return sqliteTable("events", {
    id: integer().primaryKey(),
    at: integer({ mode: "timestamp_ms" }),
    done: integer({ mode: "boolean" }),
    data: text({ mode: "json" }),
  });
}

describe("drizzle() of 1.0 beside another drizzle-orm", () => {
  it("is not imported with 0.45, and says which driver is for that", () =>
    withWorkshop("drizzle-v1", "drizzle-orm", async (folder) => {
      for (const entry of ["mod.ts", "migrator.ts"]) {
        assert.match(
          await importsIn(folder, `./packages/drizzle-v1/${entry}`),
          /^NotSupportedError: Cannot use drizzle-orm 0\.45\.\d+ .* 1\.0\.0-rc\.5 on: .* @tangled\/rqlite-drizzle\n$/,
        );
      }
    }));

  it("is imported with 1.0", () =>
    withWorkshop("drizzle-v1", "drizzle-orm-v1", async (folder) => {
      assert.equal(await importsIn(folder, "./packages/drizzle-v1/migrator.ts"), "imported\n");
    }));

  it("checkVersion() knows which versions work", () => {
    for (const version of ["1.0.0-rc.5", "1.0.0-rc.12", "1.0.0", "1.7.3"]) {
      checkVersion(version);
    }
    const others = ["0.45.4", "0.44.0", "1.0.0-rc.4", "1.0.0-rc.5-ab785fc", "1.0.0-beta.22"];
    for (const version of [...others, "2.0.0", "10.0.0", "1.1.0-beta.1"]) {
      assert.throws(() => checkVersion(version), NotSupportedError, version);
    }
  });

  it("reads and writes tables of a second copy of 1.0 as its own", async () => {
    const require = createRequire(new URL("../../packages/drizzle-v1/", import.meta.url));
    const copy: typeof core = require("drizzle-orm/sqlite-core");
    assert.notEqual(copy.sqliteTable, core.sqliteTable);
    const events = tableOf(copy);
    const relations = defineRelations({ events }, (r) => ({
      events: { same: r.many.events({ from: r.events.id, to: r.events.id }) },
    }));
    const db = drizzle(connect(embedded()), { relations });
    await db.run(CREATE);
    const row = { id: 1, at: AT, done: true, data: { a: [1] } };
    await db.insert(events).values(row);
    assert.deepEqual(await db.select().from(events), [row]);
    const same = await db.query.events.findMany({ with: { same: true } });
    assert.deepEqual(same, [{ ...row, same: [row] }]);
    await db.$client.close();
  });

  it("refuses to read tables of 0.45, which decode by themselves", async () => {
    const events = tableOf(old as unknown as typeof core);
    const db = drizzle(connect(embedded()), { relations: defineRelations({ events }) });
    await db.run(CREATE);
    const ways: (() => PromiseLike<unknown>)[] = [
      () => db.select().from(events),
      () => db.select({ at: events.at }).from(events),
      () => db.insert(events).values({ id: 1, at: AT }).returning(),
      () => db.update(events).set({ at: AT }).returning(),
      () => db.delete(events).returning(),
      () => db.query.events.findMany(),
      () => db.batch([db.select().from(events)]),
      () => db.transaction((tx) => tx.select().from(events)),
    ];
    for (const way of ways) {
      await assert.rejects(async () => await way(), (error: Error) => {
        assert.ok(error instanceof NotSupportedError, `${way}: ${error}`);
        assert.match(error.message, /column "\w+" .* another version of drizzle-orm/);
        return true;
      });
    }
    assert.deepEqual(await db.all("SELECT * FROM events"), []);
    await db.$client.close();
  });
});
