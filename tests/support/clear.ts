import type { Client } from "../../mod.ts";

/**
 * Drops every table and view, so that a database can be used again.
 *
 * @param keepsOwn Whether those stay that clients make for themselves, which need not be made again then.
 */
export async function clear(db: Client, keepsOwn: boolean): Promise<void> {
  // A virtual table takes tables of its own with it.
  const { rows } = await db.query<{ sql: string }>(
    `SELECT printf('DROP %s IF EXISTS "%w"', type, name) AS sql FROM sqlite_schema ` +
      `WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite_%' ${
        keepsOwn ? "AND name NOT LIKE '\\_rqlite\\_%' ESCAPE '\\'" : ""
      }`,
    [],
    { level: "strong" },
  );
  const drops = rows.map(({ sql }) => sql);
  if (drops.length > 0) await db.batch(["PRAGMA defer_foreign_keys = 1", ...drops]);
}
