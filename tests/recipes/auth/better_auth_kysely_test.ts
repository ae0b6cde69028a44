import type { Client } from "@tangled/rqlite";
import { RqliteDialect } from "@tangled/rqlite-kysely";
import { betterAuth, type BetterAuthOptions } from "better-auth";
import { getMigrations } from "better-auth/db/migration";
import assert from "node:assert/strict";
import { it } from "node:test";
import { OPTIONS, type Recipe, testBetterAuth, testCollision } from "./better_auth.ts";
import { everywhere } from "./place.ts";

function database(client: Client): NonNullable<BetterAuthOptions["database"]> {
  return { dialect: new RqliteDialect({ client }), type: "sqlite", transaction: true };
}

async function migrate(client: Client, options: BetterAuthOptions = {}): Promise<string[]> {
  const migrations = await getMigrations({ ...OPTIONS, database: database(client), ...options });
  await migrations.runMigrations();
  return [...migrations.toBeCreated, ...migrations.toBeAdded].map(({ table }) => table);
}

const recipe: Recipe = {
  prepare: async ({ client }) => void await migrate(client),
  auth: (client, options) => betterAuth({ ...options, database: database(client) }),
};

testBetterAuth("better-auth on RqliteDialect", recipe);
testCollision("better-auth on RqliteDialect", recipe, "ERR_TRANSACTION_CONFLICT");

everywhere("getMigrations() on RqliteDialect", () => Promise.resolve(), (place) => {
  it("makes the tables once, and later only what is new", async () => {
    const { client } = place();
    assert.deepEqual(await migrate(client), ["user", "session", "account", "verification"]);
    assert.deepEqual(await migrate(client), []);
    const city = { type: "string", required: false, index: true } as const;
    const user = { additionalFields: { city } };
    assert.deepEqual(await migrate(client, { user }), ["user"]);
    assert.deepEqual(await migrate(client, { user }), []);
    const { rows } = await client.query("SELECT city FROM user");
    assert.deepEqual(rows, []);
  });
});
