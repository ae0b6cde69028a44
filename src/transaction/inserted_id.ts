import type { Result } from "../sql/value.ts";

/**
 * The rowid of an INSERT inside a transaction. It is checked at commit only if somebody has looked at it until then, so
 * that inserts of rows that have nothing to do with each other do not conflict; later it is the one that was stored.
 */
export class InsertedId {
  #value: number | bigint | undefined;
  #seen: boolean;
  /** The commit is under way without a check of it. */
  #open = false;

  /** @param told Whether the rows of RETURNING tell it, too. */
  constructor(value: number | bigint, told: boolean) {
    this.#value = value;
    this.#seen = told;
  }

  /** Somebody looked. */
  get seen(): boolean {
    return this.#seen;
  }

  /** Somebody relies on it. */
  look(): void {
    this.#seen = true;
  }

  /** From now on it is too late to check it: until it is stored, nobody knows it. */
  send(): void {
    this.#open = !this.#seen;
  }

  /** Takes the one that was stored; `undefined` if the answer is lost. */
  stored(value: number | bigint | undefined): void {
    const long = typeof this.#value === "bigint" && value !== undefined;
    if (this.#open) this.#value = long ? BigInt(value) : value;
    this.#open = false;
  }

  /** A result that notices who looks at its id. */
  watch(result: Result): Result {
    const look = (): number | bigint | undefined => {
      if (this.#open) return undefined;
      this.look();
      return this.#value;
    };
    return Object.defineProperty(result, "lastInsertId", { get: look, enumerable: true });
  }
}
