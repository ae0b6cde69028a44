import type { TokenView } from "../sql/token_view.ts";

/** Words that are neither a name nor an alias here; SQLite takes some of them for one in places. */
const RESERVED: ReadonlySet<string> = new Set(
  `ALL AND AS ASC BETWEEN BY CASE CAST COLLATE CROSS DESC DISTINCT ELSE END ESCAPE EXCEPT EXISTS FILTER FROM FULL
  GLOB GROUP HAVING IN INDEXED INNER INTERSECT IS ISNULL JOIN LEFT LIKE LIMIT MATCH NATURAL NOT NOTNULL NULL NULLS
  OFFSET ON OR ORDER OUTER OVER REGEXP RETURNING RIGHT SELECT SET THEN UNION USING VALUES WHEN WHERE WINDOW WITH
  CURRENT_DATE CURRENT_TIME CURRENT_TIMESTAMP RAISE`.split(/\s+/),
);

/** Thrown and caught while a text is parsed: it is not what is understood here. */
export class NotParsed extends Error {}

/** Reads tokens one after the other; what does not fit throws {@linkcode NotParsed}. */
export class TokenCursor {
  /** The tokens. */
  readonly view: TokenView;
  /** The index of the next token. */
  at = 0;

  /** @param view The significant tokens of a statement. */
  constructor(view: TokenView) {
    this.view = view;
  }

  /** Takes the keywords if they are next, all of them or none. */
  word(...words: string[]): boolean {
    if (!words.every((word, i) => this.view.isWord(this.at + i, word))) return false;
    this.at += words.length;
    return true;
  }

  /** Takes the operator if it is next. */
  punct(text: string): boolean {
    if (!this.view.is(this.at, text)) return false;
    this.at++;
    return true;
  }

  /** Takes the keyword, which must be next. */
  needWord(word: string): void {
    if (!this.word(word)) this.fail();
  }

  /** Takes the operator, which must be next. */
  needPunct(text: string): void {
    if (!this.punct(text)) this.fail();
  }

  /** Whether a name is next, not a keyword. */
  isName(at: number = this.at): boolean {
    const token = this.view.tokens[at];
    if (token?.kind === "quoted") return true;
    return token?.kind === "word" && !RESERVED.has(this.view.text(at).toUpperCase());
  }

  /** Takes a name, which must be next. */
  name(): string {
    if (!this.isName()) this.fail();
    return this.view.name(this.at++);
  }

  /** Takes an alias if there is one, with AS or without. */
  alias(): string | undefined {
    const needed = this.word("AS");
    const token = this.view.tokens[this.at];
    // 'a' is an alias as well.
    if (token?.kind !== "string" && !this.isName()) return needed ? this.fail() : undefined;
    return this.view.name(this.at++);
  }

  /** A list with commas between its items. */
  list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.punct(",")) items.push(item());
    return items;
  }

  /** Names in parentheses. */
  names(): string[] {
    this.needPunct("(");
    const names = this.list(() => this.name());
    this.needPunct(")");
    return names;
  }

  /** Gives up. */
  fail(): never {
    throw new NotParsed(`token ${this.at}`);
  }
}
