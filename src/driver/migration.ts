import { ProgrammingError } from "../errors.ts";
import { analyse } from "../sql/analyse.ts";
import { refuse } from "../sql/refuse.ts";
import { splitScript } from "../sql/split.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { admit } from "../transaction/admit.ts";

/** A migration file, as Drizzle reads it. */
export interface MigrationMeta {
  /** What stands between its breakpoints. */
  sql: string[];
  /** When it was made, in milliseconds. */
  folderMillis: number;
  /** Of its file. */
  hash: string;
  /** Whether there are breakpoints. */
  bps: boolean;
}

/** One migration of the folder, checked. */
export interface Migration {
  /** Which one, for errors. */
  readonly name: string;
  /** When it was made, in milliseconds: what Drizzle orders migrations by. */
  readonly createdAt: number;
  /** Of its file. */
  readonly hash: string;
  /** What it does, without PRAGMA foreign_keys. */
  readonly statements: readonly string[];
  /** It had that PRAGMA: drizzle-kit turns foreign keys off where it makes a table anew. */
  readonly withoutForeignKeys: boolean;
}

/**
 * Reads what a migration file says.
 *
 * @param position Its place in the folder, from 1.
 * @throws {ProgrammingError} If it says nothing, or several things where one is expected.
 * @throws {NotSupportedError} If it holds what must never be sent, or not in a transaction.
 */
export function readMigration(meta: MigrationMeta, position: number): Migration {
  const name = `migration ${position} (made ${new Date(meta.folderMillis).toISOString()})`;
  const all = meta.sql.flatMap((chunk) => statementsOf(chunk, meta.bps, name));
  const statements = all.filter((statement) => !turnsForeignKeys(statement));
  if (statements.length === 0) {
    throw new ProgrammingError(
      `Cannot apply ${name} as its file holds no statement: write one, or take it out of meta/_journal.json`,
    );
  }
  return {
    name,
    createdAt: meta.folderMillis,
    hash: meta.hash,
    statements,
    withoutForeignKeys: statements.length < all.length,
  };
}

/** The tables that a migration drops. */
export function droppedTables({ statements }: Migration): string[] {
  return statements.flatMap((statement) => droppedTable(statement) ?? []);
}

function droppedTable(statement: string): string | undefined {
  const view = new TokenView(statement, significantTokens(statement).tokens);
  if (!view.isWord(0, "DROP") || !view.isWord(1, "TABLE")) return undefined;
  const first = view.isWord(2, "IF") && view.isWord(3, "EXISTS") ? 4 : 2;
  return view.name(view.is(first + 1, ".") ? first + 2 : first);
}

function statementsOf(chunk: string, breakpoints: boolean, name: string): string[] {
  const statements = splitScript(chunk);
  if (breakpoints && statements.length > 1) {
    throw new ProgrammingError(
      `Cannot apply ${name} as ${statements.length} statements stand between two breakpoints: ` +
        "write `--> statement-breakpoint` between them",
      { sql: chunk },
    );
  }
  for (const statement of statements) {
    if (turnsForeignKeys(statement)) continue;
    const analysis = analyse(statement);
    const refusal = refuse(analysis);
    if (refusal !== undefined) throw refusal;
    admit({ analysis, sql: statement, params: [] });
  }
  return statements;
}

/** Whether a statement is `PRAGMA foreign_keys = …`. */
export function turnsForeignKeys(statement: string): boolean {
  const { kind, pragma, statements } = analyse(statement);
  return kind === "pragma" && statements === 1 && pragma?.name === "foreign_keys" && pragma.writes;
}
