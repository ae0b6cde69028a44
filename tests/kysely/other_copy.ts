// Run by versions_test.ts where "kysely" is another copy than the one that the dialect imports.
import assert from "node:assert/strict";
import { Kysely, sql } from "kysely";
import { connect, NotSupportedError } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { batch, RqliteDialect } from "../../packages/kysely/mod.ts";
import type { Database } from "./target.ts";

const requests: string[] = [];
const engine = embedded();
const client = connect("http://embedded:4001", {
  fetch(input, init) {
    requests.push(String(input));
    return engine.fetch(input, init);
  },
});
const db = new Kysely<Database>({ dialect: new RqliteDialect({ client }) as never });

const attempts: (() => Promise<unknown>)[] = [
  () => db.selectFrom("users").selectAll().execute(),
  () => db.selectFrom("users").selectAll().stream(1).next(),
  () => db.schema.dropTable("users").execute(),
  () => db.insertInto("users").values({ name: "Ada" }).execute(),
  () => sql`delete from users`.execute(db),
  () => db.transaction().execute((trx) => trx.deleteFrom("users").execute()),
  () => batch(client, [db.deleteFrom("users") as never]),
];
for (const attempt of attempts) {
  await assert.rejects(
    attempt(),
    (error) =>
      error instanceof NotSupportedError && /twice.*npm ls kysely/.test(error.message) &&
      /0\.28/.test(error.message),
    String(attempt),
  );
}
assert.deepEqual(requests, []);
await client.close();
engine.close();
