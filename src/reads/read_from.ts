import type { Cursor } from "./read_cursor.ts";
import type { ExpressionReader } from "./read_expression.ts";
import type { Expr, QueryTree, Source } from "./read_syntax.ts";

/** What the FROM of a SELECT adds up to. */
export interface From {
  readonly sources: Source[];
  readonly conditions: Expr[];
  readonly using: string[];
  natural: boolean;
}

/** Reads what stands in FROM. */
export class FromReader {
  readonly #c: Cursor;
  readonly #e: ExpressionReader;
  readonly #query: () => QueryTree;

  /** @param query Reads a query from the same cursor. */
  constructor(cursor: Cursor, expressions: ExpressionReader, query: () => QueryTree) {
    this.#c = cursor;
    this.#e = expressions;
    this.#query = query;
  }

  /** Reads the clause if it is next. */
  from(): From {
    const from: From = { sources: [], conditions: [], using: [], natural: false };
    if (this.#c.word("FROM")) this.#joined(from);
    return from;
  }

  #joined(from: From): void {
    this.#source(from);
    while (this.#join(from)) {
      this.#source(from);
      if (this.#c.word("ON")) from.conditions.push(this.#e.expr());
      else if (this.#c.word("USING")) from.using.push(...this.#c.names());
    }
  }

  #join(from: From): boolean {
    const c = this.#c;
    if (c.punct(",")) return true;
    if (c.word("NATURAL")) from.natural = true;
    if (c.word("LEFT") || c.word("RIGHT") || c.word("FULL")) c.word("OUTER");
    else if (!c.word("INNER")) c.word("CROSS");
    return c.word("JOIN");
  }

  #source(from: From): void {
    const c = this.#c;
    const none = { schema: undefined, name: "", args: undefined, indexed: false };
    if (!c.punct("(")) {
      from.sources.push(this.#table());
      return;
    }
    if (!c.view.isOneOf(c.at, ["SELECT", "VALUES", "WITH"])) {
      this.#joined(from);
      c.needPunct(")");
      return;
    }
    const query = this.#query();
    c.needPunct(")");
    from.sources.push({ ...none, query, alias: c.alias() });
  }

  #table(): Source {
    const c = this.#c;
    const first = c.name();
    const second = c.punct(".") ? c.name() : undefined;
    const args = c.punct("(") ? this.#args() : undefined;
    const alias = c.alias();
    let indexed = c.word("NOT", "INDEXED");
    if (c.word("INDEXED", "BY")) indexed = c.name() !== undefined;
    const schema = second === undefined ? undefined : first;
    return { schema, name: second ?? first, alias, query: undefined, args, indexed };
  }

  #args(): Expr[] {
    const args = this.#c.view.is(this.#c.at, ")") ? [] : this.#c.list(() => this.#e.expr());
    this.#c.needPunct(")");
    return args;
  }
}
