import type { Client } from "../client/client.ts";
import { IntegrityError, ProgrammingError } from "../errors.ts";
import { identifier } from "../sql/quoting.ts";
import type { Statement } from "../sql/statement.ts";
import type { Migration } from "./files.ts";
import type { Limits } from "./limits.ts";

/** A migration that was applied. */
export interface Applied {
  /** Grows with each, and is never used again. */
  readonly n: number;
  /** Its name, without `.sql`. */
  readonly name: string;
  /** Of what was run. */
  readonly checksum: string;
  /** When, by the clock of the client that did it. */
  readonly appliedAt: Date;
}

const COLUMNS = "SELECT name FROM temp.pragma_table_info(?)";
const OWN_COLUMNS = ["n", "name", "checksum", "applied_at"];

/**
 * The table of what was applied: rows come behind the last one and go from there, and none is ever changed. As the
 * numbers of rows that are gone do not come again, the last one tells what all of them are.
 */
export class Journal {
  readonly #client: Client;
  readonly #name: string;
  readonly #table: string;

  /** Sends nothing. */
  constructor(client: Client, name: string) {
    this.#client = client;
    this.#name = name;
    this.#table = identifier(name);
  }

  /**
   * What was applied, in that order; `undefined` where there is no table.
   *
   * @throws {ProgrammingError} If the table is another program's.
   */
  async read(limits: Limits): Promise<Applied[] | undefined> {
    const ask = async (sql: string, ...params: string[]): Promise<unknown[][]> => {
      const how = { level: "linearizable", integers: "number", rows: "array" } as const;
      return (await this.#client.query<unknown[]>(sql, params, { ...limits(), ...how })).rows;
    };
    for (;;) {
      try {
        const rows = await ask(`SELECT ${OWN_COLUMNS.join()} FROM ${this.#table} ORDER BY n`);
        return (rows as [number, string, string, string][]).map(([n, name, checksum, at]) => ({
          n,
          name,
          checksum,
          appliedAt: new Date(at),
        }));
      } catch (cause) {
        if (!(cause instanceof ProgrammingError)) throw cause;
        const columns = (await ask(COLUMNS, this.#name)).flat();
        if (columns.length === 0) return undefined;
        // Else another migrator has made it in this moment.
        if (OWN_COLUMNS.some((name) => !columns.includes(name))) throw this.#foreign(cause);
      }
    }
  }

  /**
   * What comes in front of a migration in its commit, so that it is noted if it is applied, and applied only behind what
   * was read. Otherwise the last statement fails, by an error that {@linkcode isOvertaken} knows.
   */
  entering({ name, checksum }: Migration, seen: readonly Applied[] | undefined): Statement[] {
    const entry = this.#entry(name, checksum, seen?.at(-1)?.n);
    if (seen !== undefined) return [entry];
    const columns = "n INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, " +
      "checksum TEXT NOT NULL, applied_at TEXT NOT NULL";
    return [`CREATE TABLE IF NOT EXISTS ${this.#table}(${columns})`, entry];
  }

  /** The same in front of what takes a migration back; the first statement is the one that fails. */
  leaving({ name }: Migration, seen: readonly Applied[]): Statement[] {
    // A DELETE cannot fail, so a row is entered first, and goes with the other.
    const mark = `${name} is taken back`;
    return [
      this.#entry(mark, "", seen.at(-1)?.n),
      [`DELETE FROM ${this.#table} WHERE name IN (?, ?)`, name, mark],
    ];
  }

  #foreign(cause: unknown): ProgrammingError {
    return new ProgrammingError(
      `Cannot read what was applied as ${this.#name} is another table: give the name of one in \`table\``,
      { cause },
    );
  }

  #entry(name: string, checksum: string, last: number | undefined): Statement {
    return [
      `INSERT INTO ${this.#table}(name, checksum, applied_at) ` +
      `VALUES(?, CASE WHEN (SELECT max(n) FROM ${this.#table}) IS ? THEN ? END, ?)`,
      ...[name, last ?? null, checksum, new Date().toISOString()],
    ];
  }
}

/** Whether an error says that others have applied something, or taken it back, since the table was read. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof IntegrityError && error.constraint === "notnull";
}
