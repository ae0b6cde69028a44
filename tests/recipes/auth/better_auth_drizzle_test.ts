import { drizzle } from "@tangled/rqlite-drizzle";
import { betterAuth } from "better-auth";
import { drizzleAdapter } from "better-auth/adapters/drizzle";
import { type Recipe, testBetterAuth, testCollision } from "./better_auth.ts";
import * as schema from "./better_auth_schema.ts";
import { TABLES } from "./better_auth_tables.ts";

const recipe: Recipe = {
  prepare: async ({ client }) => void await client.batch(TABLES),
  auth: (client, options) =>
    betterAuth({
      ...options,
      database: drizzleAdapter(drizzle(client), { provider: "sqlite", schema, transaction: true }),
    }),
};

testBetterAuth("better-auth on drizzle()", recipe);
testCollision(
  "better-auth on drizzle() with retries",
  recipe,
  "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
);
