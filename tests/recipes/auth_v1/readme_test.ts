// What the README of the driver for drizzle-orm 1.0 shows of better-auth.
import assert from "node:assert/strict";
import process from "node:process";
import { describe, it } from "node:test";
import { connect } from "@tangled/rqlite";
import { skipWithoutRqlited } from "../../support/rqlited.ts";
import { type Auth, signUp } from "../auth/better_auth.ts";
import { TABLES } from "../auth/better_auth_tables.ts";
import { SCHEMA, withShown } from "../auth/readme.ts";

describe("README", { skip: skipWithoutRqlited() }, () => {
  it("of drizzle() of drizzle-orm 1.0 shows how to use better-auth", async () => {
    const readme = "packages/drizzle-v1/README.md";
    const others = { "lib/schema.ts": SCHEMA };
    await withShown(readme, ["lib/auth.ts"], others, async ({ load }) => {
      const client = connect(process.env.RQLITE_URL!);
      await client.batch(TABLES);
      await client.close();
      const { auth } = await load<{ auth: Auth }>("lib/auth.ts");
      assert.equal((await signUp(auth, "ada")).status, 200);
      assert.equal((await signUp(auth, "ada")).status, 422);
    });
  });
});
