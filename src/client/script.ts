import { DatabaseError } from "../errors.ts";
import { identifier } from "../sql/quoting.ts";
import { placeOf, readScript, refused, type Script } from "../sql/script.ts";
import type { Result } from "../sql/value.ts";

/**
 * Runs a script as one batch; an error of a statement says where that stands in the text.
 *
 * @param read The rows of a query, as the leader has them.
 */
export async function runScript(
  text: string,
  batch: (statements: readonly string[]) => Promise<Result[]>,
  read: (sql: string) => Promise<readonly unknown[]>,
): Promise<Result[]> {
  const script = readScript(text);
  const { drops } = script;
  if (script.unchecked && drops.size > 0) {
    // The script takes foreign keys to be off.
    await checkDrops(drops, read, (table, child) =>
      refused(
        drops.get(table.toLowerCase())!,
        `the server checks foreign keys, whatever a script says, and dropping ${table} would change rows of ${child}: ` +
          "use ALTER TABLE, start rqlited without -fk, or leave out `PRAGMA foreign_keys` if they may go",
      ));
  }
  try {
    return await batch(script.statements);
  } catch (error) {
    if (error instanceof DatabaseError) locate(error, script);
    throw error;
  }
}

/** What SQLite says of foreign keys, also where the table that they refer to is not there yet. */
const FOREIGN_KEYS = /foreign key|no such table: main\./i;

const HINT =
  ". The server checks foreign keys, and `PRAGMA foreign_keys` of a script is left out: make the tables " +
  "before the rows that refer to them, and begin with `PRAGMA defer_foreign_keys = ON;`, so that keys are checked at the end";

/** The error is of this call alone, so it may be written to; the call gives it its stack. */
function locate(error: DatabaseError, { statements, lines, unchecked }: Script): void {
  const { message, sql, position } = error;
  const i = error.statementIndex ?? statements.indexOf(sql ?? "");
  const [line, statement] = [lines[i], statements[i]];
  const found = line !== undefined && statement !== undefined;
  const place = !found
    ? ""
    : position === undefined
    ? ` (${placeOf(line, statement)})`
    : ` (line ${line + position.line - 1} of the script)`;
  const hint = found && unchecked && FOREIGN_KEYS.test(message) ? HINT : "";
  Object.assign(error, { message: message + place + hint });
}

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
