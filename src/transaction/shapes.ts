import { TextCache } from "../sql/cache.ts";
import type { Prepared } from "../sql/prepare.ts";
import { countColumns, isShapeError, MOST_COLUMNS } from "../reads/digest.ts";

/** In place of a number of columns: what cannot be checked, because it does not compile or is too large. */
const UNCHECKABLE = Infinity;

/** How many columns reads have, by their text: what a digest has to know. One for all transactions of a client. */
export class Shapes {
  readonly #counts: TextCache<number> = new TextCache(1000, 1_000_000);

  /** The number of columns, where it is known and a digest can be made of so many. */
  columnsOf({ sql }: Prepared): number | undefined {
    const known = this.#counts.get(sql) ?? countColumns(sql);
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

  /** Takes it from the error of a digest that was made for another number; false if the error is about something else. */
  learnFrom({ sql }: Prepared, message: string): boolean {
    if (!isShapeError(message)) return false;
    this.#counts.set(sql, columnsIn(message));
    return true;
  }
}

/** SQLite says: table x has 3 values for 2 columns. */
function columnsIn(text: string): number {
  return Number(/ has (\d+) values/.exec(text)?.[1] ?? 0);
}
