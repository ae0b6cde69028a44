/** Another process that migrates; with "hang", its first migration never ends. */

import process from "node:process";
import { Kysely, sql } from "kysely";
import type { Migration } from "kysely/migration";
import { connect } from "../../mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { migrate } from "./migrator.ts";

const [url = "", mode] = process.argv.slice(2);
const hang = mode === "hang";
const client = connect(url);
const db = new Kysely<unknown>({
  dialect: new RqliteDialect({
    client,
    // Long enough for a busy machine; nobody shall wait long for the one that dies.
    migrationLock: { leaseDuration: hang ? 1_000 : 60_000 },
    transactionalMigrations: hang,
  }),
});

const note = (name: string): Migration => ({
  up: async (db) => void await sql`insert into runs values (${name})`.execute(db),
});
const { error } = await migrate(db, {
  a: {
    up: async (db) => {
      await db.schema.createTable("runs").addColumn("name", "text").execute();
      if (hang) {
        await client.execute("CREATE TABLE begun(a)");
        await new Promise((resolve) => setTimeout(resolve, 60_000));
      }
      await sql`insert into runs values ('a')`.execute(db);
    },
  },
  b: note("b"),
  c: note("c"),
});
if (error !== undefined) throw error;
