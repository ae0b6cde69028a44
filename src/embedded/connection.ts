import { DatabaseSync, type StatementSync } from "node:sqlite";
import { MAX_PARAMETERS } from "../sql/placeholders.ts";
import type { Binding } from "./binding.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { StoredValue } from "./values.ts";

/** How a connection is opened. */
export interface ConnectionOptions {
  /** Whether the location is that of a database in memory. */
  readonly memory: boolean;
  /** Whether foreign keys are enforced. */
  readonly foreignKeys: boolean;
  /** Whether it refuses to write. */
  readonly readOnly: boolean;
}

/** The columns and rows of a statement that ran to its end. */
export interface RowSet {
  /** The names of the columns. */
  readonly columns: readonly string[];
  /** Declared types in lower case, "" where there is none. */
  readonly declared: readonly string[];
  /** The rows. */
  readonly rows: readonly (readonly StoredValue[])[];
}

/** What SQLite counts. */
export interface Counters {
  /** `last_insert_rowid()`. */
  readonly lastInsertId: bigint;
  /** `changes()`. */
  readonly rowsAffected: bigint;
}

/** What the type definitions of some runtimes leave out. */
interface ArrayStatement extends StatementSync {
  setReturnArrays(enabled: boolean): void;
}

/** One connection to a database, with SQLite's own errors. */
export class Connection {
  readonly #database: DatabaseSync;
  readonly #memory: boolean;
  readonly #readOnly: boolean;
  #closed = false;
  #cutsTexts: boolean | undefined;
  #counters: StatementSync | undefined;
  #refresh: StatementSync | undefined;

  /** Opens the file, without a look into it. @throws {SqliteError} when that fails */
  constructor(location: string, { memory, foreignKeys, readOnly }: ConnectionOptions) {
    this.#memory = memory;
    this.#readOnly = readOnly;
    this.#database = guarded(() =>
      new DatabaseSync(location, {
        enableForeignKeyConstraints: foreignKeys,
        enableDoubleQuotedStringLiterals: true,
        readOnly: readOnly && !memory,
      })
    );
  }

  /** Makes it what the engine needs, again where that failed. @throws {SqliteError} with SQLite's text */
  setUp(): void {
    // SQLite would keep the thread while it waits, also from whom it waits for.
    this.#pragma("busy_timeout=0");
    if (!this.#readOnly) this.#pragma("journal_mode=WAL");
    // In WAL mode NORMAL loses nothing when the process is killed, only when the machine is.
    this.#pragma(`synchronous=${this.#readOnly ? "OFF" : "NORMAL"}`);
    if (this.#readOnly) this.#pragma("query_only=1");
  }

  /** Whether the runtime loses what follows a NUL character in a text. */
  get cutsTexts(): boolean {
    return this.#cutsTexts ??= this.column("SELECT 'a' || char(0)")[0] === "a";
  }

  /** Whether the same may succeed in a while, as another process or connection has locked the file. */
  waitsAfter(error: unknown): boolean {
    // Whoever locks a database in memory is the engine itself.
    if (this.#memory || !(error instanceof SqliteError) || !error.busy) return false;
    // What a transaction has read is out of date and stays so.
    return !(error.outdated && this.#database.isTransaction);
  }

  /** @throws {Error} when it was closed */
  checkOpen(): void {
    if (this.#closed) throw new Error("the connection is closed");
  }

  /** Compiles a statement, which finds most mistakes. @throws {SqliteError} with SQLite's text */
  prepare(sql: string): StatementSync {
    return guarded(() => {
      const statement = this.#database.prepare(sql);
      requireArrays(statement);
      statement.setReadBigInts(true);
      statement.setReturnArrays(true);
      statement.setAllowBareNamedParameters(false);
      return statement;
    });
  }

  /** Runs a statement to its end. @throws {SqliteError} with SQLite's text */
  rows(statement: StatementSync, { named, positional }: Binding): RowSet {
    return guarded(() => {
      const rows = statement.all(named, ...positional) as unknown as StoredValue[][];
      // Asked for afterwards: SQLite compiles the statement again when the schema has changed.
      const columns = statement.columns();
      return {
        columns: columns.map(({ name }) => name),
        declared: columns.map(({ type }) => (type ?? "").toLowerCase()),
        rows,
      };
    });
  }

  /**
   * Steps a statement once, as rqlite does with what it takes for a write.
   *
   * @param explains It is an EXPLAIN, which counts nothing.
   * @throws {SqliteError} with SQLite's text
   */
  step(statement: StatementSync, { named, positional }: Binding, explains: boolean): Counters {
    return guarded(() => {
      if (statement.columns().length === 0) {
        statement.run(named, ...positional);
        return this.counters();
      }
      const before = this.counters();
      const row = statement.get(named, ...positional);
      const after = this.counters();
      // A statement that gave a row has not ended after one step; SQLite counts only at the end.
      const counted = row === undefined && !explains;
      return counted ? after : { ...after, rowsAffected: before.rowsAffected };
    });
  }

  /** What the last insert and the last change left behind. */
  counters(): Counters {
    this.#counters ??= this.prepare("SELECT last_insert_rowid(), changes()");
    const [row] = this.#counters.all() as unknown as [[bigint, bigint]];
    return { lastInsertId: row[0], rowsAffected: row[1] };
  }

  /** Takes note of what others did to the schema, which SQLite does only when it reads. */
  refresh(): void {
    try {
      this.#refresh ??= this.#database.prepare("SELECT 1 FROM sqlite_schema LIMIT 1");
      this.#refresh.all();
    } catch {
      // Whatever it is, the statement that follows will report it.
    }
  }

  /** Runs a statement without values. @throws {SqliteError} with SQLite's text */
  run(sql: string): void {
    guarded(() => this.#database.prepare(sql).run());
  }

  /** The first column of the rows of a statement. @throws {SqliteError} with SQLite's text */
  column(sql: string): StoredValue[] {
    return this.rows(this.prepare(sql), { named: {}, positional: [] }).rows
      .map(([value]) => value ?? null);
  }

  /** The connection itself, for copying. */
  get database(): DatabaseSync {
    return this.#database;
  }

  /** Closes it; what is open is rolled back. */
  close(): void {
    this.#closed = true;
    this.#counters = undefined;
    this.#refresh = undefined;
    this.#database.close();
  }

  #pragma(setting: string): void {
    guarded(() => this.#database.prepare(`PRAGMA ${setting}`).all());
  }
}

function requireArrays(statement: StatementSync): asserts statement is ArrayStatement {
  if ("setReturnArrays" in statement) return;
  throw new Error(
    "Cannot run the embedded engine as node:sqlite is too old here: Node must be 22.16 or newer",
  );
}

function guarded<T>(action: () => T): T {
  try {
    return action();
  } catch (cause) {
    if (!(cause instanceof Error) || !("code" in cause) || cause.code !== "ERR_SQLITE_ERROR") {
      throw cause;
    }
    const code = "errcode" in cause && typeof cause.errcode === "number" ? cause.errcode : 0;
    // Some builds of SQLite allow more than the usual number.
    const message = cause.message.replace(/(between \?1 and \?)\d+$/, `$1${MAX_PARAMETERS}`);
    throw new SqliteError(message, code, { cause });
  }
}
