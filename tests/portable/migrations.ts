/** Migrations where there is no file system. */
import assert from "node:assert/strict";
import { it } from "node:test";
import { NotSupportedError } from "../../mod.ts";
import { migrate, status } from "../../src/migrate/mod.ts";
import { PLACES } from "../transaction/world.ts";

it("migrate() applies a list, and refuses a folder", () =>
  PLACES[0]!.run(async ({ db }) => {
    const migrations = [{ name: "0001_a", sql: "CREATE TABLE a(n); INSERT INTO a VALUES(1)" }];
    assert.deepEqual((await migrate(db, { migrations })).applied, ["0001_a"]);
    assert.deepEqual((await migrate(db, { migrations })).applied, []);
    assert.equal(await db.value("SELECT count(*) FROM a"), 1);
    for (const call of [migrate, status]) {
      await assert.rejects(call(db, { folder: "a" }), (error: Error) => {
        assert.ok(error instanceof NotSupportedError, String(error));
        assert.match(error.message, /no file system here: give the texts in `migrations`/);
        return true;
      });
    }
  }));
