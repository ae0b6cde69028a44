import { DrizzleAdapter } from "@auth/drizzle-adapter";
import { drizzle } from "@tangled/rqlite-drizzle";
import { testAuthJs } from "./auth_js.ts";
import { TABLES } from "./auth_js_tables.ts";

testAuthJs("DrizzleAdapter on drizzle()", {
  prepare: async ({ client }) => void await client.batch(TABLES),
  adapter: ({ client }) => DrizzleAdapter(drizzle(client)),
});
