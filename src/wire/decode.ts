import type { Analysis } from "../sql/analyse.ts";
import type { IntegerMode, Result, Row, Value } from "../sql/value.ts";
import { affinity } from "./affinity.ts";
import { type Cell, decodeCell } from "./cell.ts";
import { type Contents, type Envelope, inspect, type StatementAnswer } from "./envelope.ts";
import { restore } from "./json.ts";
import { MalformedAnswerError } from "./malformed_answer.ts";
import { rowBuilder } from "./row.ts";

export { MalformedAnswerError };

/** What a statement was and how its caller wants the result. */
export interface ResultSpec {
  /** The statement. */
  readonly analysis: Analysis;
  /** Rows as objects or as arrays. */
  readonly rows: "object" | "array";
  /** How INTEGER values come back. */
  readonly integers: IntegerMode;
}

/**
 * The answer to a list of statements. BLOBs are bytes where the server says so: what an *expression* makes of a
 * BLOB, such as `x'ff'` or `max(b)`, arrives as text in which bytes that are not UTF-8 are lost for good.
 *
 * @example
 * ```ts
 * import { analyse } from "../sql/analyse.ts";
 * import { Answer } from "./decode.ts";
 *
 * const answer = new Answer('{"results":[{"columns":["a"],"types":["integer"],"values":[[1]]}]}');
 * answer.result(0, { analysis: analyse("SELECT a FROM t"), rows: "object", integers: "number" }).rows;
 * // [{ a: 1 }]
 * ```
 */
export class Answer {
  readonly #text: string;
  readonly #contents: readonly Contents[];
  #envelope: Envelope;
  #exact = false;
  /** Results whose rows were made in place and are their callers' now. */
  readonly #taken: Set<number> = new Set();

  /**
   * Parses the body of an answer.
   *
   * @throws {MalformedAnswerError} If it is not what rqlite sends.
   */
  constructor(text: string) {
    this.#text = text;
    const json = parse(text);
    this.#contents = inspect(json);
    this.#envelope = json as Envelope;
  }

  /** Why the request as a whole failed. */
  get error(): string | undefined {
    return this.#envelope.error;
  }

  /** How many results there are. */
  get length(): number {
    return this.#contents.length;
  }

  /** The error of one statement. */
  errorAt(index: number): string | undefined {
    return this.#envelope.results?.[index]?.error;
  }

  /**
   * Whether a write was applied while the rows of its RETURNING are lost: the server's parser did not see the clause.
   *
   * @throws {RangeError} If there is no result at that position.
   */
  lost(index: number, analysis: Analysis): boolean {
    const { error, columns } = this.#at(index);
    return isReturning(analysis) && columns === undefined && error === undefined;
  }

  /**
   * The result of one statement.
   *
   * @throws {DataError} In mode "number", for an integer beyond ±(2^53 - 1); it names the column.
   * @throws {RangeError} If there is no result at that position.
   */
  result(index: number, spec: ResultSpec): Result {
    const { columns = [], types = [], rows_affected = 0 } = this.#at(index);
    const rows = this.#rows(index, spec);
    return {
      columns,
      types,
      rows,
      rowsAffected: isReturning(spec.analysis)
        ? rows.length
        : spec.analysis.kind === "write"
        ? rows_affected
        : 0,
      lastInsertId: this.#lastInsertId(index, spec),
    };
  }

  /** The rowid of an INSERT; `undefined` if it inserted nothing. Only where nothing else needs reading. */
  insertedAt(index: number): number | bigint | undefined {
    const { rows_affected, last_insert_id } = this.#at(index);
    if (!rows_affected) return undefined;
    // Absent when it is 0.
    if (Number.isSafeInteger(last_insert_id ?? 0)) return last_insert_id ?? 0;
    this.#makeExact();
    return this.#at(index).last_insert_id ?? 0;
  }

  #at(index: number): StatementAnswer {
    const result = this.#envelope.results?.[index];
    if (result !== undefined) return result;
    throw new RangeError(`Cannot read result ${index} of an answer with ${this.length}`);
  }

  #rows(index: number, spec: ResultSpec): Row[] {
    const { doubtful, blobs } = this.#contents[index]!;
    if (doubtful) this.#makeExact();
    if (this.#taken.has(index)) this.#reload();
    const { columns = [], types = [], values = [] } = this.#at(index);
    this.#taken.add(index);
    const rows = values as (Row | Value[])[];
    const asIs = spec.integers === "number" || spec.integers === "auto";
    // Being exact for the sake of another result put `bigint` into REAL columns too.
    if (this.#exact || blobs || !asIs) {
      decodeCells(values, columns, types, spec);
    }
    if (spec.rows === "object") buildRows(rows, columns);
    // The caller knows the form it asked for.
    return rows as Row[];
  }

  #lastInsertId(index: number, { analysis, integers }: ResultSpec): number | bigint | undefined {
    const id = isPlainInsert(analysis) ? this.insertedAt(index) : undefined;
    return id !== undefined && integers === "bigint" ? BigInt(id) : id;
  }

  /** Gives integers beyond 2^53 their digits back. */
  #makeExact(): void {
    if (this.#exact) return;
    this.#exact = true;
    if (this.#taken.size > 0) this.#reload();
    else this.#envelope = restore(this.#envelope, this.#text) as Envelope;
  }

  /** Results that were taken are no longer what the text says. */
  #reload(): void {
    this.#taken.clear();
    const json = parse(this.#text);
    this.#envelope = (this.#exact ? restore(json, this.#text) : json) as Envelope;
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedAnswerError("Cannot read the answer as it is not JSON", { cause });
  }
}

function isReturning({ kind, returning }: Analysis): boolean {
  return kind === "write" && returning;
}

/** After anything else the server sends the rowid of some earlier insert, or of nothing. */
function isPlainInsert({ kind, verb, returning, upsert }: Analysis): boolean {
  const inserts = verb === "INSERT" || verb === "REPLACE";
  return kind === "write" && inserts && !returning && !upsert;
}

function decodeCells(
  rows: (Cell | Value)[][],
  columns: readonly string[],
  types: readonly string[],
  { integers }: ResultSpec,
): void {
  const specs = columns.map((column, i) => {
    const type = types[i]!;
    return { column, real: affinity(type) === "real", integers };
  });
  for (const cells of rows) {
    for (let i = 0; i < cells.length; i++) cells[i] = decodeCell(cells[i] as Cell, specs[i]!);
  }
}

/** In place, because a second array of this length costs more than the rows. */
function buildRows(rows: (Row | Value[])[], columns: readonly string[]): void {
  const build = rowBuilder(columns);
  for (let i = 0; i < rows.length; i++) rows[i] = build(rows[i] as Value[]);
}
