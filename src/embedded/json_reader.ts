/** The text is not JSON. */
export class JsonError extends Error {
  /** "JsonError". */
  override readonly name = "JsonError";
}

/** A number as it was written. */
export class NumberToken {
  /** Its digits, sign and all. */
  readonly text: string;

  /** Keeps the token. */
  constructor(text: string) {
    this.text = text;
  }
}

/** A JSON value whose numbers are still tokens and whose objects are maps. */
export type Json = null | boolean | string | NumberToken | Json[] | Map<string, Json>;

const NUMBER = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y;
const PLAIN = /[ !#-[\]-\uffff]*/y;
const BLANK = /[ \t\n\r]*/y;
const MAX_DEPTH = 10_000;

/** Reads JSON piece by piece, so that what follows an early mistake is never looked at. */
export class JsonReader {
  readonly #text: string;
  #at = 0;

  /** Starts at the beginning of the text. */
  constructor(text: string) {
    this.#text = text;
  }

  /** The next character that is not blank, "" at the end. */
  peek(): string {
    BLANK.lastIndex = this.#at;
    BLANK.test(this.#text);
    this.#at = BLANK.lastIndex;
    return this.#text.charAt(this.#at);
  }

  /** Takes the next character when it is the wanted one. */
  take(wanted: string): boolean {
    if (this.peek() !== wanted) return false;
    this.#at++;
    return true;
  }

  /** Reads one value. @throws {JsonError} when there is none */
  value(depth = 0): Json {
    if (depth > MAX_DEPTH) throw new JsonError("exceeded max depth");
    switch (this.peek()) {
      case '"':
        return this.#string();
      case "[":
        return this.#array(depth);
      case "{":
        return this.#object(depth);
      case "t":
        return this.#word("true", true);
      case "f":
        return this.#word("false", false);
      case "n":
        return this.#word("null", null);
    }
    return this.#number();
  }

  /** Calls `element` for each element up to the closing bracket; the opening one is taken. */
  elements(element: () => void): void {
    if (this.take("]")) return;
    do element(); while (this.take(","));
    this.#expect("]");
  }

  #array(depth: number): Json[] {
    this.#expect("[");
    const values: Json[] = [];
    this.elements(() => values.push(this.value(depth + 1)));
    return values;
  }

  #object(depth: number): Map<string, Json> {
    this.#expect("{");
    const members = new Map<string, Json>();
    if (this.take("}")) return members;
    do {
      if (this.peek() !== '"') throw new JsonError("expected a key");
      const key = this.#string();
      this.#expect(":");
      members.set(key, this.value(depth + 1));
    } while (this.take(","));
    this.#expect("}");
    return members;
  }

  #string(): string {
    const start = this.#at++;
    let plain = true;
    for (;;) {
      this.#match(PLAIN);
      const next = this.#text.charAt(this.#at);
      if (next === '"') break;
      if (next !== "\\") throw new JsonError("unterminated string");
      plain = false;
      this.#at += 2;
    }
    const end = this.#at++;
    return plain ? this.#text.slice(start + 1, end) : unescape(this.#text.slice(start, end + 1));
  }

  #number(): NumberToken {
    const text = this.#match(NUMBER);
    const next = this.#text.charAt(this.#at).toLowerCase();
    const cut = next === "." ? !/[.eE]/.test(text) : next === "e" && !/[eE]/.test(text);
    if (cut) throw new JsonError("unfinished number");
    return new NumberToken(text);
  }

  #word<T>(word: string, value: T): T {
    if (!this.#text.startsWith(word, this.#at)) throw new JsonError(`expected ${word}`);
    this.#at += word.length;
    return value;
  }

  #match(pattern: RegExp): string {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found === undefined) throw new JsonError("unexpected character");
    this.#at += found.length;
    return found;
  }

  #expect(character: string): void {
    if (!this.take(character)) throw new JsonError(`expected ${character}`);
  }
}

/** The text of a JSON string with escapes; half a surrogate pair becomes U+FFFD. */
function unescape(token: string): string {
  try {
    return String(JSON.parse(token)).toWellFormed();
  } catch (cause) {
    throw new JsonError("invalid string", { cause });
  }
}
