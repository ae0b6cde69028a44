import type { Analysis } from "../sql/analyse.ts";
import type { IntegerMode, Result, Row, Value } from "../sql/value.ts";
import { affinity } from "./affinity.ts";
import { type Cell, decodeCell, inspect } from "./cell.ts";
import { checkEnvelope, type Envelope, type StatementAnswer } from "./envelope.ts";
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
  /**
   * The server ignored `blob_array`: `/db/execute` before 9.2, for RETURNING; its `/db/request` and `/db/query` do not.
   * Texts of columns declared BLOB are then decoded from base64. TEXT that someone stored in such a column
   * and that happens to be base64 cannot be told from a BLOB and is decoded too.
   *
   * @default {false}
   */
  readonly base64Blobs?: boolean;
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
  #envelope: Envelope;
  #exact = false;
  /** Positions whose rows were made in place and are the caller's now. */
  readonly #taken: Set<number> = new Set();

  /**
   * Parses the body of an answer.
   *
   * @throws {MalformedAnswerError} If it is not what rqlite sends.
   */
  constructor(text: string) {
    this.#text = text;
    this.#envelope = checkEnvelope(parse(text));
  }

  /** Why the request as a whole failed. */
  get error(): string | undefined {
    return this.#envelope.error;
  }

  /** How many results there are. */
  get length(): number {
    return this.#envelope.results.length;
  }

  /** The position of a queued write in its queue. */
  get sequenceNumber(): bigint | undefined {
    if (this.#envelope.sequence_number === undefined) return undefined;
    this.#makeExact();
    return BigInt(this.#envelope.sequence_number);
  }

  /** The error of one statement. */
  errorAt(index: number): string | undefined {
    return this.#envelope.results[index]?.error;
  }

  /**
   * Whether a write was applied while the rows of its RETURNING are lost: the server's parser did not see the clause.
   */
  lost(index: number, analysis: Analysis): boolean {
    const { error, columns } = this.#at(index);
    return analysis.kind === "write" && analysis.returning && columns === undefined &&
      error === undefined;
  }

  /**
   * The result of one statement.
   *
   * @throws {DataError} In mode "number", for an integer beyond ±(2^53 - 1); it names the column.
   * @throws {MalformedAnswerError} If a cell is an object.
   * @throws {RangeError} If there is no result at that position.
   */
  result(index: number, spec: ResultSpec): Result {
    if (this.#taken.has(index)) this.#reload();
    const { columns = [], types = columns.map(() => ""), values = [] } = this.#at(index);
    const rows = values.length === 0 ? [] : this.#rows(index, { columns, types }, spec);
    const { kind, returning } = spec.analysis;
    const rowsAffected = kind !== "write"
      ? 0
      : returning
      ? rows.length
      : this.#at(index).rows_affected ?? 0;
    return { columns, types, rows, rowsAffected, lastInsertId: this.#lastInsertId(index, spec) };
  }

  #at(index: number): StatementAnswer {
    const result = this.#envelope.results[index];
    if (result !== undefined) return result;
    throw new RangeError(`Cannot read result ${index} as there are ${this.length}`);
  }

  #rows(index: number, header: Header, spec: ResultSpec): Row[] {
    const real = header.types.map((type) => affinity(type) === "real");
    const contents = inspect(this.#at(index).values!, real);
    if (contents.doubtful) this.#makeExact();
    this.#taken.add(index);
    const values = this.#at(index).values!;
    const asIs = spec.integers === "number" || spec.integers === "auto";
    if (!asIs || contents.doubtful || contents.blobs || spec.base64Blobs) {
      decodeCells(values, header, spec);
    }
    const rows: (Row | Value[])[] = values as Value[][];
    if (spec.rows === "object") buildRows(rows, header.columns);
    // The caller knows the form it asked for.
    return rows as Row[];
  }

  #lastInsertId(index: number, { analysis, integers }: ResultSpec): number | bigint | undefined {
    const { kind, verb, returning, upsert } = analysis;
    const inserts = kind === "write" && (verb === "INSERT" || verb === "REPLACE") && !returning &&
      !upsert;
    if (!inserts || (this.#at(index).rows_affected ?? 0) === 0) return undefined;
    if (!Number.isSafeInteger(this.#at(index).last_insert_id ?? 0)) this.#makeExact();
    const id = this.#at(index).last_insert_id ?? 0;
    return integers === "bigint" ? BigInt(id) : id;
  }

  /** Gives integers beyond 2^53 their digits back. */
  #makeExact(): void {
    if (this.#exact) return;
    this.#exact = true;
    if (this.#taken.size > 0) this.#reload();
    else this.#envelope = restore(this.#envelope, this.#text) as Envelope;
  }

  #reload(): void {
    this.#taken.clear();
    const json = parse(this.#text);
    this.#envelope = checkEnvelope(json);
    if (this.#exact) this.#envelope = restore(this.#envelope, this.#text) as Envelope;
  }
}

interface Header {
  readonly columns: readonly string[];
  readonly types: readonly string[];
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new MalformedAnswerError("Cannot read the answer as it is not JSON", { cause });
  }
}

/** In place, because a second array of this length costs more than the rows. */
function decodeCells(rows: (Cell | Value)[][], header: Header, spec: ResultSpec): void {
  const specs = header.columns.map((column, i) => {
    const kind = affinity(header.types[i] ?? "");
    const base64 = spec.base64Blobs === true && kind === "blob" && header.types[i] !== "";
    return { column, real: kind === "real", base64, integers: spec.integers };
  });
  for (const cells of rows) {
    for (let i = 0; i < cells.length; i++) cells[i] = decodeCell(cells[i] as Cell, specs[i]!);
  }
}

function buildRows(rows: (Row | Value[])[], columns: readonly string[]): void {
  const build = rowBuilder(columns);
  for (let i = 0; i < rows.length; i++) rows[i] = build(rows[i] as Value[]);
}
