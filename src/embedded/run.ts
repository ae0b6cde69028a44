import { classify } from "../sql/classify.ts";
import { bind, type Inputs, inputsOf, nameProblem } from "./binding.ts";
import type { Argument, Statement } from "./body.ts";
import type { Connection, RowSet } from "./connection.ts";
import { withExactTexts } from "./exact_text.ts";
import type { RowsOutcome, WriteOutcome } from "./results.ts";
import { SqliteError } from "./sqlite_error.ts";
import { type Piece, toPieces, withoutExplain } from "./statement_text.ts";
import type { Turn } from "./turns.ts";
import { convertRows, DateOutOfRange } from "./values.ts";

/** How statements are run. */
export interface RunFlags {
  /** Whether column names become `table.column`. */
  readonly qualifyColumns: boolean;
  /** Whether the values are counted even where there are none, as rqlite's driver does. */
  readonly strictCount: boolean;
}

/** Where statements run, and how. */
export interface RunContext {
  /** What runs them. */
  readonly connection: Connection;
  /** How they are run. */
  readonly flags: RunFlags;
  /** The turn of the request that they belong to. */
  readonly turn: Turn;
}

/** A statement can not run, or failed; the message is what the client reads. */
export class StatementFailed extends Error {
  /** "StatementFailed". */
  override readonly name = "StatementFailed";
  /** Whether it is a write where only reads are allowed. */
  readonly readOnly: boolean;

  /** With the text for the client. */
  constructor(message: string, readOnly = false) {
    super(message);
    this.readOnly = readOnly;
  }
}

/** Runs all pieces of a statement, each for one step. @throws {StatementFailed} */
export async function runForEffect(
  { connection, flags: { strictCount }, turn }: RunContext,
  statement: Statement,
): Promise<WriteOutcome> {
  const { args } = statement;
  return await failing(async () => {
    const started = performance.now();
    let counters = { lastInsertId: 0n, rowsAffected: 0n };
    let used = 0;
    for (const piece of toPieces(statement.sql)) {
      counters = { lastInsertId: 0n, rowsAffected: 0n };
      if (piece.sql === "") continue;
      await turn.whenFree(connection, () => {
        const prepared = connection.prepare(piece.sql);
        const inputs = inputsOf(piece);
        if (args.length > 0 || strictCount) checkCount(inputs, args, used, args.length);
        const explains = piece.view.isWord(0, "EXPLAIN");
        counters = connection.step(prepared, bind(inputs, args, used), explains);
        used += inputs.names.length;
      });
    }
    return { kind: "write", ...counters, seconds: secondsSince(started) };
  }, args);
}

/**
 * Runs the last piece of a statement for its rows; the others are only compiled.
 *
 * @throws {StatementFailed} with the text for the client
 */
export async function runForRows(
  { connection, flags: { qualifyColumns }, turn }: RunContext,
  statement: Statement,
): Promise<RowsOutcome> {
  return await failing(() => {
    const started = performance.now();
    const pieces = toPieces(statement.sql);
    return turn.whenFree(connection, () => {
      const set = lastRows(connection, pieces, statement.args);
      const { types, rows } = convertRows(set.rows, set.declared);
      const columns = qualifyColumns ? qualified(connection, pieces, set.columns) : set.columns;
      return { kind: "rows", columns, types, rows, seconds: secondsSince(started) };
    });
  }, statement.args);
}

function lastRows(
  connection: Connection,
  pieces: readonly Piece[],
  args: readonly Argument[],
): RowSet {
  let used = 0;
  for (const [i, piece] of pieces.entries()) {
    if (piece.sql === "") break;
    const prepared = connection.prepare(piece.sql);
    const inputs = inputsOf(piece);
    checkCount(inputs, args, used, args.length - used);
    if (i === pieces.length - 1) {
      const binding = bind(inputs, args, used);
      return withExactTexts(connection, piece, binding, connection.rows(prepared, binding));
    }
    used += inputs.names.length;
  }
  return { columns: [], declared: [], rows: [] };
}

/** rqlite asks the first statement of a string for the tables, and the last one for the columns. */
function qualified(
  connection: Connection,
  [first]: readonly Piece[],
  columns: readonly string[],
): readonly string[] {
  if (columns.length === 0 || !first?.sql) return columns;
  const tables = connection.prepare(first.sql).columns().map(({ table }) => table);
  return columns.map((name, i) => tables[i] ? `${tables[i]}.${name}` : name);
}

/**
 * Whether SQLite takes the first statement of a string for one that changes nothing.
 *
 * @throws {StatementFailed} when it does not compile
 */
export async function isReadOnly(
  { connection, turn }: RunContext,
  statement: Statement,
): Promise<boolean> {
  return await failing(() => {
    const [piece] = toPieces(statement.sql);
    if (piece === undefined || piece.sql === "") return true;
    return turn.whenFree(connection, () => {
      connection.prepare(piece.sql);
      const view = withoutExplain(piece.view);
      const { kind } = classify(view);
      if (kind === "read") return true;
      // Explaining a write would reset what changes() tells.
      if (kind === "write") return false;
      return changesNothing(connection, piece.sql.slice(view.tokens[0]?.start ?? 0));
    });
  }, []);
}

// SQLite's own test, sqlite3_stmt_readonly, looks for these instructions in the program.
const WRITING: ReadonlySet<unknown> = new Set(["Checkpoint", "JournalMode", "Vacuum"]);

function changesNothing(connection: Connection, sql: string): boolean {
  const explained = connection.prepare(`EXPLAIN ${sql}`);
  const { rows } = connection.rows(explained, { named: {}, positional: [] });
  return rows.every(([, opcode, , p2]) =>
    !WRITING.has(opcode) && !(opcode === "Transaction" && p2 !== 0n)
  );
}

function checkCount(
  { names }: Inputs,
  args: readonly Argument[],
  used: number,
  shown: number,
): void {
  if (args.length - used >= names.length) return;
  throw new StatementFailed(
    `not enough args to execute query: want ${names.length} got ${shown}`,
  );
}

async function failing<T>(action: () => T | Promise<T>, args: readonly Argument[]): Promise<T> {
  const problem = nameProblem(args);
  if (problem !== undefined) throw new StatementFailed(problem);
  try {
    return await action();
  } catch (error) {
    if (error instanceof SqliteError) throw new StatementFailed(error.message, error.readOnly);
    if (error instanceof DateOutOfRange) throw new StatementFailed(error.message);
    throw error;
  }
}

function secondsSince(started: number): number {
  return Math.max(performance.now() - started, 0.001) / 1000;
}
