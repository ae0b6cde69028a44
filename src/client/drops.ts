import { identifier } from "../sql/identifier.ts";

/** The keys by which dropping a table, which deletes its rows first, changes those of others; none if keys are not checked. */
const ACTIONS = `SELECT f."table", m.name, f."from"
FROM sqlite_schema m JOIN temp.pragma_foreign_key_list(m.name) f
WHERE (SELECT foreign_keys FROM temp.pragma_foreign_keys) AND m.type = 'table' AND f.on_delete NOT IN ('NO ACTION', 'RESTRICT')`;

/**
 * Refuses to drop tables where that would change or delete rows of others.
 *
 * @param drops The tables, in lower case.
 * @param read The rows of a query, as arrays, as they are where the tables would be dropped.
 * @param refusal The error for the first table, and the one whose rows refer to it.
 */
export async function checkDrops(
  drops: { has(table: string): boolean },
  read: (sql: string) => Promise<readonly unknown[]>,
  refusal: (table: string, child: string) => Error,
): Promise<void> {
  for (const [table, child, column] of await read(ACTIONS) as [string, string, string][]) {
    if (!drops.has(table.toLowerCase()) || child.toLowerCase() === table.toLowerCase()) continue;
    const [from, key] = [child, column].map(identifier);
    const rows = await read(`SELECT 1 FROM ${from} WHERE ${key} IS NOT NULL LIMIT 1`);
    if (rows.length > 0) throw refusal(table, child);
  }
}
