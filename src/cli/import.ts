import type { Client } from "../client/client.ts";
import { DatabaseError, OutcomeUnknownError } from "../errors.ts";
import type { InsertManyOptions } from "../client/method_options.ts";
import { wholeNumber, wordOf } from "./arguments.ts";
import { command } from "./command.ts";
import { isAbort, Stopped, UsageError } from "./exit.ts";
import { counted } from "./format_rows.ts";
import { csvRows, type FileRow, type FileRows, jsonRows, type Types } from "./import_rows.ts";

const CONFLICTS = ["error", "ignore", "replace"] as const;

/** `import`: the rows of a file into a table. */
export const importRows = command({
  name: "import",
  summary: "inserts the rows of a file of CSV or JSON lines into a table",
  operands: "TABLE [FILE]",
  count: [1, 2],
  options: {
    format: {
      type: "string",
      short: "f",
      value: "FORMAT",
      help: "csv or jsonl; else as the file's name ends",
    },
    columns: {
      type: "string",
      value: "A,B",
      help: "what the fields are for; then line 1 is a row as well",
    },
    delimiter: {
      type: "string",
      value: "CHARACTER",
      help: "between fields; a comma if it is not given, a tab in .tsv",
    },
    conflict: {
      type: "string",
      value: "WAY",
      help: "a row whose key is there already: error, ignore, replace",
    },
    skip: {
      type: "string",
      value: "ROWS",
      help: "leaves out the first rows, as those that are in already",
    },
  },
  details:
    'Without FILE, or with -, it is standard input. In CSV an empty field is NULL and "" an empty text, and line 1 names\n' +
    "the columns. Rows go in requests of up to 10,000: each is in as a whole, or not. Where one fails it is said how many\n" +
    "are in, and --skip goes on behind them.",
  async run(session) {
    const { operands: [table = "", file = "-"], values, input, output, progress, signal } = session;
    const format = formatOf(values.format, file);
    const onConflict = wordOf("conflict", values.conflict ?? "error", CONFLICTS);
    const skip = wholeNumber("skip", values.skip ?? "0");
    const columns = values.columns?.split(",").map((name) => name.trim());
    const delimiter = delimiterOf(values.delimiter, format, file);
    const db = await session.connect();
    progress.tell("reading");
    const pieces = input.texts(file);
    const found: FileRows = format === "csv"
      ? await csvRows(pieces, { delimiter, columns, types: await typesOf(db, table, signal) })
      : { columns, rows: jsonRows(pieces) };
    const { rows, rowsAffected } = await new Import(found, skip).into(db, table, {
      onConflict,
      onProgress: (rows) => progress.tell(counted(rows)),
    }, signal);
    await progress.end();
    if (output.json) await output.line(JSON.stringify({ rows, rowsAffected }));
    await output.done(`${counted(rows)} read, ${counted(rowsAffected)} inserted`);
  },
});

function formatOf(given: string | undefined, file: string): "csv" | "jsonl" {
  const format = given ??
    (/\.(?:jsonl|ndjson)$/i.test(file) ? "jsonl" : /\.[ct]sv$/i.test(file) ? "csv" : undefined);
  if (format === "csv" || format === "jsonl") return format;
  throw new UsageError(
    given === undefined
      ? "Cannot tell what the file holds: say --format csv or --format jsonl"
      : `Cannot use --format ${given}: it is csv or jsonl`,
  );
}

function delimiterOf(given: string | undefined, format: "csv" | "jsonl", file: string): string {
  if (given !== undefined && format === "jsonl") {
    throw new UsageError("Cannot use --delimiter with JSON lines, which have no fields to divide");
  }
  const delimiter = given ?? (/\.tsv$/i.test(file) ? "\t" : ",");
  if (/^[^"\r\n]$/.test(delimiter)) return delimiter;
  if (delimiter === "\\t") return "\t";
  throw new UsageError("Cannot use --delimiter as it must be one character, and no quote");
}

async function typesOf(db: Client, table: string, signal: AbortSignal): Promise<Types> {
  const { rows } = await db.query<[string, string]>(
    "SELECT name, lower(type) FROM temp.pragma_table_xinfo(?)",
    [table],
    { rows: "array", signal },
  );
  if (rows.length === 0) {
    throw new UsageError(`Cannot import into ${table} as there is no such table`);
  }
  return new Map(rows.map(([name, type]) => [name.toLowerCase(), type]));
}

/** Rows on their way; knows on which lines those of the next request are. */
class Import {
  readonly #found: FileRows;
  readonly #skip: number;
  /** How many were inserted, those that were left out not counted. */
  #applied = 0;
  /** The lines of the rows that are not. */
  #lines: number[] = [];

  constructor(found: FileRows, skip: number) {
    this.#found = found;
    this.#skip = skip;
  }

  /** Inserts them. @throws {Stopped} If the signal ends it; the message tells what is in. */
  async into(
    db: Client,
    table: string,
    { onConflict, onProgress }: Pick<InsertManyOptions, "onConflict" | "onProgress">,
    signal: AbortSignal,
  ): Promise<{ rows: number; rowsAffected: number }> {
    const { columns } = this.#found;
    try {
      // Not ended by the signal itself: a request that is under way is waited for, so that it is known what is in.
      const { rowsAffected } = await db.insertMany(table, this.#rows(signal), {
        columns,
        onConflict,
        onProgress: (rows) => {
          this.#lines.splice(0, rows - this.#applied);
          this.#applied = rows;
          onProgress?.(rows);
        },
      });
      return { rows: this.#applied, rowsAffected };
    } catch (error) {
      if (isAbort(error, signal)) throw new Stopped(error, this.#state);
      if (error instanceof Error) Object.assign(error, { message: this.#located(error) });
      throw error;
    }
  }

  async *#rows(signal: AbortSignal): AsyncGenerator<FileRow["row"]> {
    let index = 0;
    for await (const { row, line } of this.#found.rows) {
      signal.throwIfAborted();
      if (index++ < this.#skip) continue;
      this.#lines.push(line);
      yield row;
    }
  }

  /** What an error says, with lines in place of rows. */
  #located(error: Error): string {
    const lineOf = (row: string) => this.#lines[Number(row) - this.#applied];
    const at = error instanceof DatabaseError ? error.statementIndex : undefined;
    const message = error.message.replace(/\b(r)ows? (\d+)(?: to (\d+))?/i, (all, r, from, to) => {
      const [first, last] = [lineOf(from), lineOf(to)];
      if (first === undefined) return all;
      const line = r === "R" ? "Line" : "line";
      return to === undefined ? `${line} ${first}` : `${line}s ${first} to ${last}`;
    });
    const place = at === undefined || message !== error.message ? "" : ` (line ${lineOf(`${at}`)})`;
    return `${message}${place}. ${this.#state}${this.#doubt(error)}`;
  }

  /** What is not known where the answer to the last request was lost. */
  #doubt(error: Error): string {
    const rows = error instanceof OutcomeUnknownError ? error.rowsUnknown : undefined;
    if (rows === undefined) return "";
    const [first, last] = [this.#lines[0], this.#lines[rows - 1]];
    const behind = this.#skip + this.#applied + rows;
    return `, unless line ${first} is in: then all up to line ${last} are, and --skip ${behind} goes on behind them`;
  }

  get #state(): string {
    const done = this.#skip + this.#applied;
    if (this.#applied === 0) return "No row of this file was inserted";
    return `${counted(this.#applied)} were inserted: --skip ${done} goes on behind them`;
  }
}
