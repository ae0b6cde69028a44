import { type Database, KyselyAdapter } from "@auth/kysely-adapter";
import { RqliteDialect } from "@tangled/rqlite-kysely";
import { Kysely, sql } from "kysely";
import { testAuthJs } from "./auth_js.ts";
import type { Place } from "./place.ts";

const open = ({ client }: Place): Kysely<Database> =>
  new Kysely<Database>({ dialect: new RqliteDialect({ client }) });

/** The tables that Auth.js documents, with dates in columns of that type. */
async function makeTables(db: Kysely<Database>, date: "text" | "datetime"): Promise<void> {
  const { schema } = db;
  const dateColumn = date === "text" ? "text" : sql`datetime`;
  await schema.createTable("User")
    .addColumn("id", "text", (column) => column.primaryKey())
    .addColumn("name", "text")
    .addColumn("email", "text", (column) => column.unique().notNull())
    .addColumn("emailVerified", dateColumn)
    .addColumn("image", "text")
    .execute();
  await schema.createTable("Account")
    .addColumn(
      "userId",
      "text",
      (column) => column.references("User.id").onDelete("cascade").notNull(),
    )
    .addColumn("type", "text", (column) => column.notNull())
    .addColumn("provider", "text", (column) => column.notNull())
    .addColumn("providerAccountId", "text", (column) => column.notNull())
    .addColumn("refresh_token", "text")
    .addColumn("access_token", "text")
    .addColumn("expires_at", "integer")
    .addColumn("token_type", "text")
    .addColumn("scope", "text")
    .addColumn("id_token", "text")
    .addColumn("session_state", "text")
    .addPrimaryKeyConstraint("account_key", ["provider", "providerAccountId"])
    .execute();
  await schema.createTable("Session")
    .addColumn("sessionToken", "text", (column) => column.primaryKey())
    .addColumn(
      "userId",
      "text",
      (column) => column.references("User.id").onDelete("cascade").notNull(),
    )
    .addColumn("expires", dateColumn, (column) => column.notNull())
    .execute();
  await schema.createTable("VerificationToken")
    .addColumn("identifier", "text", (column) => column.notNull())
    .addColumn("token", "text", (column) => column.notNull())
    .addColumn("expires", dateColumn, (column) => column.notNull())
    .addPrimaryKeyConstraint("verification_token_key", ["identifier", "token"])
    .execute();
}

for (const date of ["text", "datetime"] as const) {
  testAuthJs(`KyselyAdapter on RqliteDialect, with dates in ${date} columns`, {
    prepare: (place) => makeTables(open(place), date),
    adapter: (place) => KyselyAdapter(open(place)),
  });
}
