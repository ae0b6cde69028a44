import type { Result } from "../sql/value.ts";

/**
 * The rowid of an INSERT inside a transaction. It is checked at commit only if somebody has looked at it until then, so
 * that inserts of rows that have nothing to do with each other do not conflict; later it is the one that was stored.
 */
export class InsertedId {
  #value: number | bigint | undefined;
  /** Somebody looked. */
  seen: boolean;

  /** @param told Whether the rows of RETURNING tell it, too. */
  constructor(value: number | bigint, told: boolean) {
    this.#value = value;
    this.seen = told;
  }

  /** Takes the one that was stored; `undefined` if the answer is lost. */
  stored(value: number | bigint | undefined): void {
    if (!this.seen) this.#value = value;
  }

  /** A result that notices who looks at its id. */
  watch(result: Result): Result {
    const look = (): number | bigint | undefined => {
      this.seen = true;
      return this.#value;
    };
    return Object.defineProperty(result, "lastInsertId", { get: look, enumerable: true });
  }
}
