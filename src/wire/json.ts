import { isDoubtful, longIntegers } from "./long_integers.ts";

/**
 * Parses JSON like `JSON.parse`, except that integers beyond ±(2^53 - 1) that fit into 64 bits arrive as `bigint`,
 * exactly. An integer that does not fit is a number: in rqlite's answers it is a REAL.
 *
 * @throws {SyntaxError} If the text is not JSON.
 *
 * @example
 * ```ts
 * import { parseExact } from "./json.ts";
 *
 * parseExact("[1, 9007199254740993]"); // [1, 9007199254740993n]
 * ```
 */
export function parseExact(text: string): unknown {
  return restore(JSON.parse(text), text);
}

/**
 * Gives `value`, which `JSON.parse(text)` made and nobody changed, the digits it lost. Works in place where it
 * can: a second parse with a reviver costs ten times as much.
 */
export function restore(value: unknown, text: string): unknown {
  const walk = new Walk(longIntegers(text));
  const restored = walk.visit(value);
  return walk.inStep ? restored : JSON.parse(text, revive);
}

/** Visits the doubtful numbers of a value in the order of its text, and puts the exact ones into their places. */
class Walk {
  readonly #exact: readonly (number | bigint)[];
  #next = 0;
  #sorted = true;

  constructor(exact: readonly (number | bigint)[]) {
    this.#exact = exact;
  }

  /** Whether the order of the visits was the order of the text for certain. */
  get inStep(): boolean {
    return this.#sorted && this.#next === this.#exact.length;
  }

  visit(value: unknown): unknown {
    if (typeof value === "number") return isDoubtful(value) ? this.#take(value) : value;
    if (Array.isArray(value)) return this.#visitItems(value);
    // Small integers, in place of a list of them.
    if (value instanceof Uint8Array) return value;
    return typeof value === "object" && value !== null ? this.#visitMembers(value) : value;
  }

  #visitItems(items: unknown[]): unknown[] {
    for (let i = 0; i < items.length; i++) {
      const item = items[i];
      if (typeof item === "number") {
        if (isDoubtful(item)) items[i] = this.#take(item);
      } else if (typeof item === "object" && item !== null) {
        items[i] = this.visit(item);
      }
    }
    return items;
  }

  #visitMembers(members: object): object {
    for (const [key, item] of Object.entries(members)) {
      // Keys that look like array indexes come first, whatever their place in the text.
      if (/^\d+$/.test(key)) this.#sorted = false;
      const restored = this.visit(item);
      // Not assigned, as the name may be `__proto__`.
      if (restored !== item) Object.defineProperty(members, key, { value: restored });
    }
    return members;
  }

  #take(rounded: number): number | bigint {
    const exact = this.#exact[this.#next++];
    // Of a name that occurs twice in an object only the last value is left, and some write integers as 1e17.
    if (exact === undefined || Number(exact) !== rounded) this.#sorted = false;
    return exact ?? rounded;
  }
}

function revive(_key: string, value: unknown, context?: { source?: string }): unknown {
  if (typeof value !== "number" || !isDoubtful(value)) return value;
  const source = context?.source ?? "";
  if (!/^-?\d+$/.test(source)) return value;
  const exact = BigInt(source);
  return BigInt.asIntN(64, exact) === exact ? exact : value;
}

/**
 * What a body says.
 *
 * @param parse Reads its text.
 * @throws {MalformedAnswerError} If it is not JSON.
 */
export function parseBody(text: string, parse: (text: string) => unknown): unknown {
  try {
    return parse(text);
  } catch (cause) {
    throw new MalformedAnswerError("Cannot read the answer as it is not JSON", { cause });
  }
}

/** A body that is not what rqlite sends: cut off, another server's, or of a wrong shape. */
export class MalformedAnswerError extends Error {
  /** "MalformedAnswerError". */
  override name = "MalformedAnswerError";

  /** @param message What is wrong with it; holds no values. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
  }
}
