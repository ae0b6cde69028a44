import { viewOf } from "../schema/node_state.ts";
import type { TokenView } from "../sql/token_view.ts";
import { ExpressionParser } from "./parse_expression.ts";
import {
  type Cte,
  EMPTY_SELECT,
  type Expr,
  type FromClause,
  type FromItem,
  type QueryTree,
  type Select,
  type SelectItem,
  type Window,
} from "./syntax_tree.ts";
import { NotParsed, TokenCursor } from "./token_cursor.ts";

/** A query and the tokens that it is made of. */
export interface ParsedQuery {
  /** What it is made of. */
  readonly tree: QueryTree;
  /** Its tokens. */
  readonly view: TokenView;
}

/**
 * Takes a SELECT, VALUES or WITH apart.
 *
 * @returns `undefined` for anything else, and for what is not understood.
 */
export function parseQuery(sql: string): ParsedQuery | undefined {
  const view = viewOf(sql);
  if (view === undefined) return undefined;
  try {
    return { tree: new QueryParser(new TokenCursor(view)).whole(), view };
  } catch (error) {
    if (error instanceof NotParsed || error instanceof RangeError) return undefined;
    throw error;
  }
}

/** A FROM while it is parsed. */
interface ParsedFrom {
  readonly from: FromItem[];
  readonly conditions: Expr[];
  readonly using: string[];
  natural: boolean;
}

class QueryParser {
  readonly #cursor: TokenCursor;
  readonly #expressions: ExpressionParser;

  constructor(cursor: TokenCursor) {
    this.#cursor = cursor;
    this.#expressions = new ExpressionParser(cursor, () => this.query());
  }

  whole(): QueryTree {
    const query = this.query();
    this.#cursor.punct(";");
    return this.#cursor.at === this.#cursor.view.tokens.length ? query : this.#cursor.fail();
  }

  query(): QueryTree {
    const c = this.#cursor;
    const from = c.at;
    const ctes = c.word("WITH") ? this.#ctes() : [];
    const selects = [this.#select()];
    let all = true;
    for (let next = this.#compound(); next !== undefined; next = this.#compound()) {
      all &&= next === "all";
      selects.push(this.#select());
    }
    const order = c.word("ORDER", "BY") ? this.#expressions.terms() : [];
    const first = c.word("LIMIT") ? this.#expressions.expr() : undefined;
    if (first === undefined) {
      return { ctes, selects, all, order, limit: undefined, offset: undefined, from, to: c.at };
    }
    if (c.punct(",")) {
      return {
        ctes,
        selects,
        all,
        order,
        limit: this.#expressions.expr(),
        offset: first,
        from,
        to: c.at,
      };
    }
    const offset = c.word("OFFSET") ? this.#expressions.expr() : undefined;
    return { ctes, selects, all, order, limit: first, offset, from, to: c.at };
  }

  #compound(): "all" | "distinct" | undefined {
    const c = this.#cursor;
    if (c.word("UNION")) return c.word("ALL") ? "all" : "distinct";
    return c.word("INTERSECT") || c.word("EXCEPT") ? "distinct" : undefined;
  }

  #ctes(): Cte[] {
    const c = this.#cursor;
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
    const c = this.#cursor;
    if (c.word("VALUES")) return this.#values();
    c.needWord("SELECT");
    const distinct = c.word("DISTINCT");
    if (!distinct) c.word("ALL");
    const items = c.list(() => this.#item());
    const clause = this.#from();
    const where = c.word("WHERE") ? this.#expressions.expr() : undefined;
    const groups = c.word("GROUP", "BY") ? c.list(() => this.#expressions.expr()) : [];
    const having = c.word("HAVING") ? this.#expressions.expr() : undefined;
    const windows = new Map(c.word("WINDOW") ? c.list(() => this.#window()) : []);
    return { distinct, items, ...clause, where, groups, having, windows, rows: undefined };
  }

  #window(): [string, Window] {
    const name = this.#cursor.name().toLowerCase();
    this.#cursor.needWord("AS");
    return [name, this.#expressions.window()];
  }

  #values(): Select {
    const c = this.#cursor;
    const rows = c.list(() => {
      c.needPunct("(");
      const row = c.list(() => this.#expressions.expr());
      c.needPunct(")");
      return row;
    });
    return { ...EMPTY_SELECT, rows };
  }

  #item(): SelectItem {
    const c = this.#cursor;
    const from = c.at;
    if (c.punct("*")) return { kind: "star", table: undefined, from, to: c.at };
    if (c.isName() && c.view.is(from + 1, ".") && c.view.is(from + 2, "*")) {
      c.at += 3;
      return { kind: "star", table: c.view.name(from), from, to: c.at };
    }
    const expr = this.#expressions.expr();
    const to = c.at;
    return { kind: "expr", expr, alias: c.alias(), from, to };
  }

  #from(): FromClause {
    const clause: ParsedFrom = { from: [], conditions: [], using: [], natural: false };
    if (this.#cursor.word("FROM")) this.#joined(clause);
    return clause;
  }

  #joined(clause: ParsedFrom): void {
    this.#fromItem(clause);
    while (this.#join(clause)) {
      this.#fromItem(clause);
      if (this.#cursor.word("ON")) clause.conditions.push(this.#expressions.expr());
      else if (this.#cursor.word("USING")) clause.using.push(...this.#cursor.names());
    }
  }

  #join(clause: ParsedFrom): boolean {
    const c = this.#cursor;
    if (c.punct(",")) return true;
    if (c.word("NATURAL")) clause.natural = true;
    if (c.word("LEFT") || c.word("RIGHT") || c.word("FULL")) c.word("OUTER");
    else if (!c.word("INNER")) c.word("CROSS");
    return c.word("JOIN");
  }

  #fromItem(clause: ParsedFrom): void {
    const c = this.#cursor;
    const none = { schema: undefined, name: "", args: undefined, indexed: false };
    if (!c.punct("(")) {
      clause.from.push(this.#table());
      return;
    }
    if (!c.view.isOneOf(c.at, ["SELECT", "VALUES", "WITH"])) {
      this.#joined(clause);
      c.needPunct(")");
      return;
    }
    const query = this.query();
    c.needPunct(")");
    clause.from.push({ ...none, query, alias: c.alias() });
  }

  #table(): FromItem {
    const c = this.#cursor;
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
    const args = this.#cursor.view.is(this.#cursor.at, ")")
      ? []
      : this.#cursor.list(() => this.#expressions.expr());
    this.#cursor.needPunct(")");
    return args;
  }
}
