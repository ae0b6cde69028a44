import type { Analysis } from "../sql/analyse.ts";
import type { IntegerMode, Result, Row } from "../sql/value.ts";
import { type Cell, looksReal, LOST, withoutLost } from "./cell.ts";
import {
  type Contents,
  type Envelope,
  Holds,
  inspect,
  type StatementAnswer,
  takeBytes,
} from "./envelope.ts";
import { MalformedAnswerError, parseBody, restore } from "./json.ts";
import {
  buildRows,
  copyRows,
  decodeCells,
  isDoubt,
  isReturning,
  isSurelyReal,
  type Look,
  needNoDecoding,
  othersOf,
  type ResultSpec,
} from "./rows.ts";

export type { ResultSpec };
export { MalformedAnswerError };

/** How the server writes a byte that is not UTF-8, unlike U+FFFD itself; or a backslash, which ends no such escape. */
const ESCAPES = /\\(?:\\|ufffd)/g;

/**
 * The answer to a list of statements. BLOBs are bytes where the server says so. In a column whose type it takes for text,
 * and where an *expression* makes one, such as `x'ff'` or `max(b)`, they arrive as text in which bytes that are not UTF-8
 * are lost: {@linkcode Answer.doubts} tells where, and {@linkcode Answer.look} takes what a second request told.
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
  /** By position, the results whose rows were made in place and are their callers' now. */
  readonly #taken: true[] = [];
  /** By position, the results of several callers. */
  readonly #kept: true[] = [];
  readonly #looks: Look[] = [];

  /**
   * Parses the body of an answer.
   *
   * @throws {MalformedAnswerError} If it is not what rqlite sends.
   */
  constructor(text: string) {
    this.#text = text.includes("\\ufffd")
      ? text.replace(ESCAPES, (found) => found === "\\\\" ? found : LOST_ESCAPE)
      : text;
    const json = parseBody(this.#text, JSON.parse);
    this.#contents = inspect(
      json,
      /\\(?:u00[01]|udfff|[bf])|"0001-01-01T00:00:00Z"/.test(this.#text),
    );
    this.#envelope = json as Envelope;
  }

  /** Why the request as a whole failed. */
  get error(): string | undefined {
    return this.#envelope.error;
  }

  /** How long the answer was, in characters. */
  get size(): number {
    return this.#text.length;
  }

  /** How long the node took for a result, in milliseconds; 0 where it was not asked. */
  timeAt(index: number): number {
    return Number(this.#at(index).time ?? 0) * 1000;
  }

  /** Several callers take that result: each gets rows of its own. */
  keep(index: number): void {
    this.#kept[index] = true;
  }

  /** How many results there are. */
  get length(): number {
    return this.#contents.length;
  }

  /** The error of one statement. */
  errorAt(index: number): string | undefined {
    const error = this.#envelope.results?.[index]?.error;
    return error === undefined ? undefined : withoutLost(error);
  }

  /**
   * The columns of a result of which only a second look can tell what they hold.
   *
   * @param declared Declared types of its columns, as far as they were learned.
   */
  doubts(index: number, integers: IntegerMode, declared: readonly string[] = []): number[] {
    const { types = [], values = [] } = this.#at(index);
    const contents = this.#contents[index] ?? NONE;
    const found: number[] = [];
    for (let i = 0; i < contents.length; i++) {
      const type = types[i] ?? "";
      const holds = contents[i] ?? 0;
      if (!isDoubt(type, holds, values.length, integers)) continue;
      const known = type === declared[i] &&
        (type === "integer" || (type === "real" && !(holds & Holds.long)));
      // What cannot be how a REAL is written is an INTEGER.
      const unclear = !known && (isDoubt(type, holds & ~Holds.long, values.length, integers) ||
        this.#exactly(index).some(({ [i]: cell }) => typeof cell === "bigint" && looksReal(cell)));
      if (unclear) found.push(i);
    }
    return found;
  }

  /** The columns of a result, and their types. */
  headAt(index: number): Head {
    const { columns = [], types = [] } = this.#at(index);
    return { columns, types };
  }

  /**
   * Takes a result as that of a statement that told about its own columns.
   *
   * @returns The columns that it has to tell about, too, as the server goes by another type for them here; `undefined` if
   * it is no such result, or lacks what the server makes of a column otherwise.
   */
  look(index: number, look: Look): number[] | undefined {
    const { types, columns } = this.#envelope.results?.[index] ?? {};
    const wide = columns?.length === look.columns.length + look.told.length;
    const others = wide && types !== undefined ? othersOf(look, types) : undefined;
    if (others !== undefined) this.#looks[index] = look;
    return others;
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
    const { rows_affected = 0 } = this.#at(index);
    const look = this.#looks[index] ?? this.headAt(index);
    const kept = this.#kept[index] === true;
    const rows = this.#rows(index, spec, look, kept);
    const { columns, types } = look;
    return {
      columns: kept ? [...columns] : columns,
      types: kept ? [...types] : types,
      rows,
      rowsAffected: isReturning(spec.analysis)
        ? rows.length
        : spec.analysis.kind === "write"
        ? rows_affected
        : 0,
      lastInsertId: this.#lastInsertId(index, spec),
    };
  }

  /**
   * The rowid of an INSERT; `undefined` if it inserted nothing. Only where nothing else needs reading.
   *
   * @param upsert It has DO UPDATE, which leaves the rowid of before: only the result in front tells that.
   */
  insertedAt(index: number, upsert = false): number | bigint | undefined {
    if (!this.#at(index).rows_affected) return undefined;
    if (upsert && !this.#moved(index)) return undefined;
    return this.#rowidAt(index);
  }

  /** The rowid that the connection inserted last, as of a result; absent in it when it is 0. */
  #rowidAt(index: number): number | bigint {
    if (!Number.isSafeInteger(this.#at(index).last_insert_id ?? 0)) this.#makeExact();
    return this.#at(index).last_insert_id ?? 0;
  }

  /** Whether a row was inserted since the result in front. */
  #moved(index: number): boolean {
    const { columns, error } = this.#envelope.results?.[index - 1] ?? { columns: [] };
    const told = columns === undefined && error === undefined;
    return told && this.#rowidAt(index - 1) !== this.#rowidAt(index);
  }

  #at(index: number): StatementAnswer {
    const result = this.#envelope.results?.[index];
    if (result !== undefined) return result;
    throw new RangeError(`Cannot read result ${index} of an answer with ${this.length}`);
  }

  #rows(index: number, spec: ResultSpec, look: Head & Partial<Look>, kept: boolean): Row[] {
    const holds = this.#contents[index] ?? NONE;
    const { columns, types, told = NONE } = look;
    for (let i = 0; i < holds.length; i++) {
      if ((holds[i] ?? 0) & Holds.long && !isSurelyReal(types[i] ?? "")) this.#makeExact();
    }
    if (this.#taken[index]) this.#reload();
    const { values: found = [] } = this.#at(index);
    const values = kept ? copyRows(found) : found;
    if (!kept) this.#taken[index] = true;
    // Being exact for the sake of another result put `bigint` into REAL columns too.
    const plain = !this.#exact && told.length === 0 && needNoDecoding(holds, spec);
    if (!plain) decodeCells(values, { columns, types, told }, spec);
    if (spec.rows === "object") buildRows(values, columns);
    // The caller knows the form it asked for.
    return values as unknown[] as Row[];
  }

  /** The rows with the exact digits of their integers. */
  #exactly(index: number): readonly Cell[][] {
    this.#makeExact();
    return this.#at(index).values ?? [];
  }

  #lastInsertId(index: number, { analysis, integers }: ResultSpec): number | bigint | undefined {
    const id = isInsert(analysis) ? this.insertedAt(index, analysis.upsert) : undefined;
    return id !== undefined && integers === "bigint" ? BigInt(id) : id;
  }

  /** Gives integers beyond 2^53 their digits back. */
  #makeExact(): void {
    if (this.#exact) return;
    this.#exact = true;
    if (this.#taken.length > 0) return this.#reload();
    const restored = restore(this.#envelope, this.#text) as Envelope;
    // Where it had to be parsed anew, BLOBs are lists again.
    if (restored !== this.#envelope) takeBytes(restored, this.#contents);
    this.#envelope = restored;
  }

  /** Results that were taken are no longer what the text says. */
  #reload(): void {
    this.#taken.length = 0;
    const json = parseBody(this.#text, JSON.parse);
    this.#envelope = (this.#exact ? restore(json, this.#text) : json) as Envelope;
    takeBytes(this.#envelope, this.#contents);
  }
}

/** The columns of a result, and their types. */
type Head = Omit<Look, "told">;

const NONE: readonly number[] = [];

const LOST_ESCAPE = `\\u${LOST.charCodeAt(0).toString(16)}`;

/** After anything else the server sends the rowid of some earlier insert, or of nothing. */
function isInsert({ kind, verb, returning }: Analysis): boolean {
  const inserts = verb === "INSERT" || verb === "REPLACE";
  return kind === "write" && inserts && !returning;
}
