import type { Executor } from "../calls/executor.ts";
import { checkDrops } from "../client/script.ts";
import { NotSupportedError, ProgrammingError } from "../errors.ts";
import { migrationLock, TIMEOUT } from "../migrate/limits.ts";
import { analyse } from "../sql/analyse.ts";
import { refuse } from "../sql/refuse.ts";
import { splitScript } from "../sql/split.ts";
import { TokenView } from "../sql/token_view.ts";
import { admit } from "../transaction/admit.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";

/** One statement of a migration. */
export interface MigrationStatement {
  /** Its text. */
  readonly sql: string;
  /** Whether the file takes foreign keys to be off there, so that it must not change rows that refer to others. */
  readonly unchecked: boolean;
}

/** A migration file, checked by {@linkcode readMigration} and run by {@linkcode runMigration}. */
export interface Migration {
  /** Which one, for errors, such as "migration 2". */
  readonly name: string;
  /** What it does, in order, without `PRAGMA foreign_keys`; none if the file says nothing. */
  readonly statements: readonly MigrationStatement[];
}

/** What drizzle-kit writes between two statements. */
const BREAKPOINT = "--> statement-breakpoint";

/**
 * Reads what a migration file says, without sending anything.
 *
 * @param name Which one, for errors, such as "migration 2".
 * @param chunks What stands between its breakpoints.
 * @param breakpoints Whether there must be a breakpoint between two statements.
 * @throws {ProgrammingError} If two statements stand where one is expected, or SQLite cannot read one.
 * @throws {NotSupportedError} If it holds what must never be sent, or not in a transaction.
 *
 * @example
 * ```ts
 * import { readMigration } from "@tangled/rqlite/driver";
 *
 * const { statements } = readMigration("migration 1", ["CREATE TABLE a(n);", "-- nothing"], true);
 * console.log(statements); // [{ sql: "CREATE TABLE a(n)", unchecked: false }]
 * ```
 */
export function readMigration(
  name: string,
  chunks: readonly string[],
  breakpoints: boolean,
): Migration {
  const statements: MigrationStatement[] = [];
  // `drizzle-kit pull` describes what is there in one comment that has breakpoints inside.
  if (TokenView.of(chunks.join(BREAKPOINT)).tokens.length === 0) return { name, statements };
  let unchecked = false;
  const texts = chunks.flatMap((chunk) => statementsOf(chunk, breakpoints, name));
  const madeAnew = new Set(texts.map(newName));
  for (const sql of texts) {
    const keys = readForeignKeys(sql);
    if (keys === undefined) {
      check(sql);
      // drizzle-kit 0.31 writes each PRAGMA once for all tables that it makes anew.
      const table = droppedTable(sql);
      const replaced = table !== undefined && madeAnew.has(table);
      statements.push({ sql, unchecked: unchecked || replaced });
    } else {
      unchecked = keys === "off";
    }
  }
  return { name, statements };
}

/**
 * Runs the statements of a migration in a transaction. A server does not turn foreign keys off inside of one; so before
 * each table that is dropped where the file takes them to be off, it looks for rows that would be lost: where it has turned
 * them off, and where it makes the table anew.
 *
 * @param tx The transaction.
 * @param run Runs a statement in it, where the ORM has its own way to do so, such as one that is logged.
 * @throws {NotSupportedError} If rows of other tables would be changed or deleted; let it end the transaction.
 * @throws {ProgrammingError} If a table is made anew from a column that the old one lacks; let it end the transaction.
 * @throws {DatabaseError} If a statement fails.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { migrationOptions, readMigration, runMigration } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const first = readMigration("migration 1", ["CREATE TABLE notes(body TEXT)"], true);
 * await db.transaction((tx) => runMigration(tx, first), migrationOptions(db, "my migrations"));
 * await db.close();
 * ```
 */
export async function runMigration(
  tx: Executor,
  { name, statements }: Migration,
  run: (sql: string) => Promise<unknown> = (sql) => tx.execute(sql),
): Promise<void> {
  const read = async (sql: string): Promise<unknown[]> =>
    (await tx.query<unknown>(sql, [], { rows: "array" })).rows;
  for (const { sql, unchecked } of statements) {
    const table = unchecked ? droppedTable(sql) : undefined;
    if (table !== undefined) {
      await checkDrops(new Set([table]), read, (table, child) => lossOf(name, table, child));
    }
    await checkCopy(name, sql, read);
    await run(sql);
  }
}

/**
 * How migrations are run: as one transaction, so all of them or none, with few requests and while others that migrate the
 * same database wait, for a minute at most.
 *
 * @param client What the transaction is begun on; the lock is kept there, too.
 * @param name Those with the same one wait for each other.
 */
export function migrationOptions(client: Executor, name: string): TransactionOptions {
  const lock = migrationLock(client, name, TIMEOUT);
  return { lock, mode: "lazy", timeout: TIMEOUT, retries: 10 };
}

/**
 * What a statement does to foreign keys, if it is `PRAGMA foreign_keys = …`.
 *
 * @example
 * ```ts
 * import { readForeignKeys } from "@tangled/rqlite/driver";
 *
 * console.log(readForeignKeys("PRAGMA foreign_keys=OFF"), readForeignKeys("SELECT 1")); // off undefined
 * ```
 */
export function readForeignKeys(statement: string): "on" | "off" | undefined {
  const { kind, pragma, statements, text } = analyse(statement);
  if (kind !== "pragma" || statements !== 1) return undefined;
  if (pragma?.name !== "foreign_keys" || !pragma.writes) return undefined;
  const view = TokenView.of(text);
  const last = view.tokens.length - 1;
  const value = view.name(view.is(last, ")") ? last - 1 : last);
  return /^(?:on|yes|true|0*[1-9]\d*)$/i.test(value) ? "on" : "off";
}

/** The table that a statement drops, in lower case. */
function droppedTable(statement: string): string | undefined {
  const view = TokenView.of(statement);
  if (!view.isWord(0, "DROP") || !view.isWord(1, "TABLE")) return undefined;
  const first = view.isWord(2, "IF") && view.isWord(3, "EXISTS") ? 4 : 2;
  return view.name(view.is(first + 1, ".") ? first + 2 : first).toLowerCase();
}

/** What a statement renames a table to, in lower case. */
function newName(statement: string): string | undefined {
  const view = TokenView.of(statement);
  const to = view.tokens.length - 2;
  if (!view.isWord(0, "ALTER") || !view.isWord(to - 1, "RENAME")) return undefined;
  return view.isWord(to, "TO") ? view.name(to + 1).toLowerCase() : undefined;
}

/** Columns, in lower case, that are copied to a table that is made anew. */
interface Copy {
  readonly table: string;
  readonly columns: readonly string[];
}

/** What drizzle-kit 0.31 writes: `INSERT INTO "__new_t"(…) SELECT "a", "b" FROM "t"`; only names in double quotes. */
function copyOf(statement: string): Copy | undefined {
  const view = TokenView.of(statement);
  const isCopy = view.isWord(0, "INSERT") && view.isWord(1, "INTO") &&
    view.name(2).startsWith("__new_");
  const select = view.behind(3);
  if (!isCopy || !view.isWord(select, "SELECT")) return undefined;
  let i = select + 1;
  while (view.is(i + 1, ",")) i += 2;
  if (!view.isWord(i + 1, "FROM") || view.tokens.length > i + 3) return undefined;
  const names = Array.from({ length: (i - select + 1) / 2 }, (_, n) => select + 1 + 2 * n);
  const quoted = names.filter((name) => view.text(name).startsWith('"'));
  return {
    table: view.name(i + 2),
    columns: quoted.map((name) => view.name(name).toLowerCase()),
  };
}

/** SQLite takes a name in double quotes that is none of a column for a text, which every row would get. */
async function checkCopy(
  name: string,
  sql: string,
  read: (sql: string) => Promise<readonly unknown[]>,
): Promise<void> {
  const copy = copyOf(sql);
  if (copy === undefined || copy.columns.length === 0) return;
  const { table, columns } = copy;
  const rows = await read(
    `SELECT lower(name) FROM temp.pragma_table_xinfo('${table.replaceAll("'", "''")}')`,
  ) as [string][];
  const known = new Set([...rows.map(([column]) => column), "rowid", "_rowid_", "oid"]);
  const lacking = columns.find((column) => !known.has(column));
  if (rows.length === 0 || lacking === undefined) return;
  throw new ProgrammingError(
    `Cannot apply ${name} as it copies ${lacking} from ${table}, which has no such column: ` +
      `take it out of both lists of the statement, as SQLite would take the name for a text`,
    { sql },
  );
}

function statementsOf(chunk: string, breakpoints: boolean, name: string): string[] {
  const statements = splitScript(chunk);
  if (!breakpoints || statements.length <= 1) return statements;
  throw new ProgrammingError(
    `Cannot apply ${name} as ${statements.length} statements stand between two breakpoints: ` +
      "write `--> statement-breakpoint` between them",
    { sql: chunk },
  );
}

function check(sql: string): void {
  const analysis = analyse(sql);
  const refusal = refuse(analysis);
  if (refusal !== undefined) throw refusal;
  admit({ analysis, sql, params: [] });
}

function lossOf(name: string, table: string, child: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot apply ${name} as it makes ${table} anew with foreign keys off, which is not possible in a ` +
      `transaction: with them on, dropping the old table would change the rows of ${child}. Start rqlited without -fk ` +
      "for this migration, or change the table with ALTER TABLE",
  );
}
