import type { TokenView } from "./token_view.ts";

/** The most parameters a statement may have. */
export const MAX_PARAMETERS = 32766;

/** What else there is where a statement has more of them. */
export function withFewer(verb: string): string {
  const inserts = verb === "INSERT" || verb === "REPLACE";
  return inserts ? ": insertMany() takes any number of rows" : "";
}

/** One occurrence of a placeholder. */
export interface Placeholder {
  /** Offset in the text. */
  readonly start: number;
  /** Offset behind it. */
  readonly end: number;
  /** SQLite's number, from 1; several occurrences may share it. */
  readonly index: number;
  /** The name without its prefix, undefined for `?` and `?1`. */
  readonly name: string | undefined;
}

/** The placeholders of a statement. */
export interface Placeholders {
  /** Every occurrence, in order. */
  readonly list: readonly Placeholder[];
  /** The highest number. */
  readonly count: number;
  /** The first one that SQLite would refuse. */
  readonly refused: string | undefined;
}

/**
 * Hands out numbers: `?` is one more than the highest so far, a name keeps the number it got first.
 */
export class Numbering {
  /** The highest number so far. */
  highest = 0;
  #names: Map<string, number> | undefined;

  /**
   * The number of the next placeholder.
   *
   * @param text As written, such as `?`, `?12` or `:a`.
   */
  next(text: string): number {
    const index = this.peek(text);
    this.highest = Math.max(this.highest, index);
    if (text.charCodeAt(0) !== 63) (this.#names ??= new Map()).set(text, index);
    return index;
  }

  /** What {@linkcode next} would answer. */
  peek(text: string): number {
    if (text.length > 1 && text.charCodeAt(0) === 63) return Number(text.slice(1));
    return (text === "?" ? undefined : this.#names?.get(text)) ?? this.highest + 1;
  }
}

/** Finds and numbers the placeholders of a statement. */
export function numberPlaceholders({ sql, tokens }: TokenView): Placeholders {
  const list: Placeholder[] = [];
  const numbering = new Numbering();
  for (const { kind, start, end } of tokens) {
    if (kind !== "placeholder") continue;
    const text = sql.slice(start, end);
    const index = numbering.next(text);
    if (!(index >= 1 && index <= MAX_PARAMETERS)) return { list, count: 0, refused: text };
    const name = sql.charCodeAt(start) === 63 ? undefined : text.slice(1);
    list.push({ start, end, index, name });
  }
  return { list, count: numbering.highest, refused: undefined };
}

/** The bare name of each number, undefined where it has none. */
export function namesOf({ list, count }: Placeholders): (string | undefined)[] {
  const names = new Array<string | undefined>(count).fill(undefined);
  for (const { index, name } of list) names[index - 1] ??= name;
  return names;
}
