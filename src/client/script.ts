import { DatabaseError } from "../errors.ts";
import { placeOf, readScript, refused, type Script } from "../sql/script.ts";
import type { Result } from "../sql/value.ts";
import { checkDrops } from "./drops.ts";

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
  const place = i < 0
    ? ""
    : position === undefined
    ? ` (${placeOf(lines[i]!, statements[i]!)})`
    : ` (line ${lines[i]! + position.line - 1} of the script)`;
  const hint = i >= 0 && unchecked && FOREIGN_KEYS.test(message) ? HINT : "";
  Object.assign(error, { message: message + place + hint });
}
