import { TextCache } from "../sql/text_cache.ts";
import type { Prepared } from "../sql/prepare.ts";
import { countColumns, MOST_COLUMNS } from "../reads/digest.ts";

/** In place of a number of columns: what cannot be checked, because it does not compile or is too large. */
const UNCHECKABLE = Infinity;

/** What only answers tell of reads, by their text, and a digest has to know. One for all transactions of a client. */
export class Shapes {
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
