import type { Facts, TableFacts } from "../schema/facts.ts";
import { prepare } from "../sql/prepare_frozen.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { AnswerReader } from "./answer_reader.ts";
import {
  columnsIn,
  countColumns,
  digestOf,
  metReal,
  MOST_COLUMNS,
  orderedDigestOf,
} from "../reads/digest.ts";
import { type RowValues, rowValuesGuard } from "./row_values.ts";
import { readGuard } from "./guard.ts";
import { checkOfRead, type ReadCheck } from "../reads/read_check.ts";
import { TextCache } from "../sql/text_cache.ts";

/** What was read, by its digests. */
export interface Digests {
  /** Of what all nodes share; it is compared on every node. */
  readonly guard: string | undefined;
  /** Of the rows as they are; it is compared by the leader. */
  readonly judged: string | undefined;
  /** The rows themselves, where a digest does not tell all of them, or in its place. */
  readonly rows?: string | undefined;
  /** The values of the one row, in place of a digest; none without a row. */
  readonly values?: RowValues | undefined;
}

/** What a digest is made for. */
export interface Shape {
  /** How many columns the read has. */
  readonly columns: number;
  /** There may be a REAL among its values. */
  readonly reals: boolean;
}

/** Why there is no digest. */
export class DigestError extends Error {
  /** The number of columns that the read has, if the digest was made for another one. */
  readonly columns: number | undefined;
  /** It met a REAL, and was made for rows without. */
  readonly real: boolean;

  /** @param extra How many columns it has more than the read. */
  constructor(message: string, extra: number) {
    super(message);
    const columns = columnsIn(message);
    this.columns = columns === undefined ? undefined : columns - extra;
    this.real = metReal(message);
  }
}

/**
 * By what reads are compared: by digests, by these and the rows themselves, or by the values of the only row of a table,
 * which need no digest.
 */
export type ComparedBy = "digests" | "rows" | TableFacts;

/** How one read is checked at commit, decided when its request was built. */
export class Check {
  /** What is read. */
  readonly read: Prepared;
  /** The table that it is about, where it is compared value by value. */
  readonly table: TableFacts | undefined;
  readonly #form: ReadCheck;
  readonly #shape: Shape;
  readonly #whole: boolean;

  constructor(read: Prepared, form: ReadCheck, shape: Shape, by: ComparedBy = "digests") {
    this.read = read;
    this.table = typeof by === "string" ? undefined : by;
    this.#whole = by !== "digests";
    this.#form = form;
    this.#shape = shape;
  }

  /**
   * The same for rows with a zero that may be 0.0 or -0.0: no SQL tells them apart, but answers do, so the leader judges.
   *
   * @param tables What is read.
   */
  signed(tables: readonly string[]): Check {
    const form = { ...this.#form, scopes: [...new Set([...this.#form.scopes, ...tables])] };
    return new Check(this.read, form, this.#shape, "rows");
  }

  /** The same by the values of the only row of a table, where it {@linkcode isOfRows}. */
  of(table: TableFacts): Check {
    return new Check(this.read, this.#form, this.#shape, table);
  }

  /** Whether its rows are all that is compared, and every node compares them. */
  get isOfRows(): boolean {
    const { guard, judged, extra, scopes } = this.#form;
    return guard !== undefined && judged === undefined && extra === 0 && scopes.length === 0;
  }

  /** What nobody may write between the judgement and the commit. */
  get scopes(): readonly string[] {
    return this.#form.scopes;
  }

  /** The read as it is sent: with the present time in views replaced, as in what is compared. */
  get rows(): Prepared {
    return this.#form.read === this.read.sql ? this.read : { ...this.read, sql: this.#form.read };
  }

  /** Asks for the {@linkcode Digests}. */
  get statements(): Prepared[] {
    const rows = this.#whole ? this.rows : undefined;
    const digests = this.table === undefined ? [this.#guard(), this.#judged()] : [];
    return [...digests, rows].filter((one) => one !== undefined);
  }

  /** Reads the answers to the {@linkcode statements}. */
  digests(answer: AnswerReader): Digests | DigestError {
    if (this.table !== undefined) {
      return { guard: undefined, judged: undefined, rows: answer.text(this.rows) };
    }
    const found: (string | undefined)[] = [];
    let failed: DigestError | undefined;
    for (
      const [statement, extra] of [
        [this.#guard(), this.#form.extra],
        [this.#judged(), this.#judgedExtra],
      ] as const
    ) {
      const digest = statement === undefined ? undefined : answer.digest(statement);
      if (digest instanceof Error) failed ??= new DigestError(digest.message, extra);
      else found.push(digest);
    }
    const rows = this.#whole ? answer.text(this.rows) : undefined;
    return failed ?? { guard: found[0], judged: found[1], rows };
  }

  /** The statement that fails on every node where the rows are not the same any more. */
  guard({ guard, values }: Digests): Prepared | undefined {
    const { guard: sql } = this.#form;
    if (values !== undefined && sql !== undefined) {
      return rowValuesGuard({ ...this.read, sql }, this.#shape.columns, values);
    }
    const statement = this.#guard();
    return statement === undefined || guard === undefined ? undefined : readGuard(statement, guard);
  }

  #guard(): Prepared | undefined {
    const { guard, extra } = this.#form;
    if (guard === undefined) return undefined;
    return { ...this.read, sql: digestOf(guard, this.#shape.columns + extra, this.#shape.reals) };
  }

  #judged(): Prepared | undefined {
    const { judged, ordered } = this.#form;
    if (judged === undefined) return undefined;
    const digest = ordered ? orderedDigestOf : digestOf;
    const columns = this.#shape.columns + this.#judgedExtra;
    return { ...this.read, sql: digest(judged, columns, this.#shape.reals) };
  }

  get #judgedExtra(): number {
    return this.#form.ordered ? 0 : this.#form.extra;
  }
}

/** How a read is checked, by what is known of the schema; asked for once for each time that it is sent. */
export function formOf({ sql, params }: Prepared, facts: Facts): ReadCheck {
  const now = new Date();
  const freezeText = (text: string): string => prepare(text, { now, freezeReads: true }).sql;
  return checkOfRead(sql, facts, freezeText, params);
}

/** In place of a number of columns: what cannot be checked, because it does not compile or is too large. */
const UNCHECKABLE = Infinity;

/** What only answers tell of reads, by their text, and a digest has to know. One for all transactions of a client. */
export class ReadShapes {
  readonly #counts: TextCache<number> = new TextCache(1000, 1_000_000);
  readonly #reals: TextCache<true> = new TextCache(1000, 1_000_000);

  /**
   * The number of columns, where it is known and a digest can be made of so many.
   *
   * @param guess What the schema tells.
   */
  columnsOf({ sql }: Prepared, guess?: number): number | undefined {
    const known = this.#counts.get(sql) ?? countColumns(sql) ?? guess;
    return known === undefined || known > MOST_COLUMNS ? undefined : known;
  }

  /** Whether it is known that no digest can be made. */
  isUncheckable({ sql }: Prepared): boolean {
    const known = this.#counts.get(sql);
    return known !== undefined && known > MOST_COLUMNS;
  }

  /** Takes the number that an answer had; without one no digest can be made. */
  learn({ sql }: Prepared, columns: number = UNCHECKABLE): void {
    this.#counts.set(sql, columns);
  }

  /** Whether there was a REAL among the values. */
  hasReals({ sql }: Prepared): boolean {
    return this.#reals.get(sql) === true;
  }

  /** There was one. */
  learnReals({ sql }: Prepared): void {
    this.#reals.set(sql, true);
  }
}
