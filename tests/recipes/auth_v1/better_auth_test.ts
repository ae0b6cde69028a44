import { drizzleAdapter } from "@better-auth/drizzle-adapter/relations-v2";
import { drizzle } from "@tangled/rqlite-drizzle-v1";
import { betterAuth } from "better-auth";
import { type Recipe, testBetterAuth, testCollision } from "../auth/better_auth.ts";
import * as schema from "../auth/better_auth_schema.ts";
import { TABLES } from "../auth/better_auth_tables.ts";

const recipe: Recipe = {
  prepare: async ({ client }) => void await client.batch(TABLES),
  auth: (client, options) =>
    betterAuth({
      ...options,
      database: drizzleAdapter(drizzle(client), { provider: "sqlite", schema, transaction: true }),
    }),
};

testBetterAuth("better-auth on drizzle() of drizzle-orm 1.0", recipe);
testCollision(
  "better-auth on drizzle() of drizzle-orm 1.0 with retries",
  recipe,
  "USER_ALREADY_EXISTS_USE_ANOTHER_EMAIL",
);
