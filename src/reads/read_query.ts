import { significantTokens } from "../sql/tokenize.ts";
import { TokenView } from "../sql/view.ts";
import { Cursor } from "./read_cursor.ts";
import { ExpressionReader } from "./read_expression.ts";
import { FromReader } from "./read_from.ts";
import {
  type Cte,
  type Item,
  NOTHING,
  type QueryTree,
  type Select,
  Unreadable,
  type Window,
} from "./read_syntax.ts";

/** A query and the tokens that it is made of. */
export interface ReadText {
  /** The query. */
  readonly query: QueryTree;
  /** Its tokens. */
  readonly view: TokenView;
}

/**
 * Takes a SELECT, VALUES or WITH apart.
 *
 * @returns `undefined` for anything else, and for what is not understood.
 */
export function readQuery(sql: string): ReadText | undefined {
  const { tokens, error } = significantTokens(sql);
  if (error !== undefined) return undefined;
  const view = new TokenView(sql, tokens);
  try {
    const query = new QueryReader(new Cursor(view)).whole();
    return { query, view };
  } catch (error) {
    if (error instanceof Unreadable || error instanceof RangeError) return undefined;
    throw error;
  }
}

class QueryReader {
  readonly #c: Cursor;
  readonly #e: ExpressionReader;
  readonly #f: FromReader;

  constructor(cursor: Cursor) {
    this.#c = cursor;
    this.#e = new ExpressionReader(cursor, () => this.query());
    this.#f = new FromReader(cursor, this.#e, () => this.query());
  }

  whole(): QueryTree {
    const query = this.query();
    this.#c.punct(";");
    return this.#c.at === this.#c.view.tokens.length ? query : this.#c.fail();
  }

  query(): QueryTree {
    const c = this.#c;
    const from = c.at;
    const ctes = c.word("WITH") ? this.#ctes() : [];
    const selects = [this.#select()];
    let all = true;
    for (let next = this.#compound(); next !== undefined; next = this.#compound()) {
      all &&= next === "all";
      selects.push(this.#select());
    }
    const order = c.word("ORDER", "BY") ? this.#e.terms() : [];
    const first = c.word("LIMIT") ? this.#e.expr() : undefined;
    if (first === undefined) {
      return { ctes, selects, all, order, limit: undefined, offset: undefined, from, to: c.at };
    }
    if (c.punct(",")) {
      return { ctes, selects, all, order, limit: this.#e.expr(), offset: first, from, to: c.at };
    }
    const offset = c.word("OFFSET") ? this.#e.expr() : undefined;
    return { ctes, selects, all, order, limit: first, offset, from, to: c.at };
  }

  #compound(): "all" | "distinct" | undefined {
    const c = this.#c;
    if (c.word("UNION")) return c.word("ALL") ? "all" : "distinct";
    return c.word("INTERSECT") || c.word("EXCEPT") ? "distinct" : undefined;
  }

  #ctes(): Cte[] {
    const c = this.#c;
    c.word("RECURSIVE");
    return c.list(() => {
      const name = c.name();
      const columns = c.view.is(c.at, "(") ? c.names() : undefined;
      c.needWord("AS");
      c.word("NOT");
      c.word("MATERIALIZED");
      c.needPunct("(");
      const query = this.query();
      c.needPunct(")");
      return { name, columns, query };
    });
  }

  #select(): Select {
    const c = this.#c;
    if (c.word("VALUES")) return this.#values();
    c.needWord("SELECT");
    const distinct = c.word("DISTINCT");
    if (!distinct) c.word("ALL");
    const items = c.list(() => this.#item());
    const from = this.#f.from();
    const where = c.word("WHERE") ? this.#e.expr() : undefined;
    const groups = c.word("GROUP", "BY") ? c.list(() => this.#e.expr()) : [];
    const having = c.word("HAVING") ? this.#e.expr() : undefined;
    const windows = new Map(c.word("WINDOW") ? c.list(() => this.#window()) : []);
    return { distinct, items, ...from, where, groups, having, windows, rows: undefined };
  }

  #window(): [string, Window] {
    const name = this.#c.name().toLowerCase();
    this.#c.needWord("AS");
    return [name, this.#e.window()];
  }

  #values(): Select {
    const c = this.#c;
    const rows = c.list(() => {
      c.needPunct("(");
      const row = c.list(() => this.#e.expr());
      c.needPunct(")");
      return row;
    });
    return { ...NOTHING, rows };
  }

  #item(): Item {
    const c = this.#c;
    const from = c.at;
    if (c.punct("*")) return { kind: "star", table: undefined, from, to: c.at };
    if (c.isName() && c.view.is(from + 1, ".") && c.view.is(from + 2, "*")) {
      c.at += 3;
      return { kind: "star", table: c.view.name(from), from, to: c.at };
    }
    const expr = this.#e.expr();
    const to = c.at;
    return { kind: "expr", expr, alias: c.alias(), from, to };
  }
}
