// What the READMEs of the drivers show of better-auth and Auth.js.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Adapter } from "@auth/core/adapters";
import { connect } from "@tangled/rqlite";
import type { Kysely } from "kysely";
import process from "node:process";
import { skipWithoutRqlited } from "../../support/rqlited.ts";
import { TABLES as AUTH_JS_TABLES } from "./auth_js_tables.ts";
import { type Auth, signUp } from "./better_auth.ts";
import { TABLES } from "./better_auth_tables.ts";
import { SCHEMA, type Shown, withShown } from "./readme.ts";

async function makeTables(tables: readonly string[]): Promise<void> {
  const client = connect(process.env.RQLITE_URL!);
  await client.batch(tables);
  await client.close();
}

async function assertSignsUp({ load }: Shown): Promise<void> {
  const { auth } = await load<{ auth: Auth }>("lib/auth.ts");
  assert.equal((await signUp(auth, "ada")).status, 200);
  assert.equal((await signUp(auth, "ada")).status, 422);
}

async function assertKeepsSessions({ load }: Shown): Promise<void> {
  const { adapter } = await load<{ adapter: Required<Adapter> }>("auth.ts");
  const email = "ada@example.com";
  const { id } = await adapter.createUser({ id: crypto.randomUUID(), email, emailVerified: null });
  const session = { sessionToken: "token", userId: id, expires: new Date("2031-02-03T04:05:06Z") };
  await adapter.createSession(session);
  assert.deepEqual((await adapter.getSessionAndUser("token"))!.session, session);
  await adapter.deleteUser(id);
  assert.equal(await adapter.getSessionAndUser("token"), null);
}

describe("README", { skip: skipWithoutRqlited() }, () => {
  it("of RqliteDialect shows how to use better-auth", async () => {
    const files = ["lib/auth.ts", "migrate.ts"];
    await withShown("packages/kysely/README.md", files, {}, async (shown) => {
      await shown.load("migrate.ts");
      await assertSignsUp(shown);
    });
  });

  it("of RqliteDialect shows how to use Auth.js", async () => {
    const files = ["auth.ts", "migrations/002_auth_js.ts"];
    await withShown("packages/kysely/README.md", files, {}, async (shown) => {
      const { db } = await shown.load<{ db: Kysely<unknown> }>("auth.ts");
      const { up } = await shown.load<{ up(db: Kysely<unknown>): Promise<void> }>(files[1]!);
      await up(db);
      await assertKeepsSessions(shown);
      await db.destroy();
    });
  });

  it("of drizzle() shows how to use better-auth", async () => {
    const others = { "lib/schema.ts": SCHEMA };
    await withShown("packages/drizzle/README.md", ["lib/auth.ts"], others, async (shown) => {
      await makeTables(TABLES);
      await assertSignsUp(shown);
    });
  });

  it("of drizzle() shows how to use Auth.js", async () => {
    await withShown("packages/drizzle/README.md", ["auth.ts"], {}, async (shown) => {
      await makeTables(AUTH_JS_TABLES);
      await assertKeepsSessions(shown);
    });
  });
});
