/**
 * Keeps what was used lately. Two generations: entries that are not asked for while the younger one
 * fills up are dropped, so a hit costs one look-up and moves nothing.
 */
export class TextCache<T> {
  readonly #entries: number;
  readonly #characters: number;
  #young: Map<string, T> = new Map();
  #old: Map<string, T> = new Map();
  #length = 0;

  /**
   * @param entries How many a generation holds.
   * @param characters How long its keys may be together.
   */
  constructor(entries: number, characters: number) {
    this.#entries = entries;
    this.#characters = characters;
  }

  /** What is kept under a text. */
  get(text: string): T | undefined {
    const young = this.#young.get(text);
    if (young !== undefined) return young;
    const old = this.#old.get(text);
    if (old !== undefined) this.set(text, old);
    return old;
  }

  /** Keeps something, unless the text is too long to be worth it. */
  set(text: string, value: T): void {
    if (text.length * 8 > this.#characters) return;
    if (this.#young.size >= this.#entries || this.#length + text.length > this.#characters) {
      this.#old = this.#young;
      this.#young = new Map();
      this.#length = 0;
    }
    this.#young.set(text, value);
    this.#length += text.length;
  }
}
