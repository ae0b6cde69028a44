import { allOf, type Expr, type OrderTerm, type QueryTree, type Window } from "./syntax_tree.ts";
import type { TokenCursor } from "./token_cursor.ts";

/** How tightly operators between two operands bind. */
const BINDING: ReadonlyMap<string, number> = new Map([
  ...["<", "<=", ">", ">="].map((name): [string, number] => [name, 5]),
  ...["&", "|", "<<", ">>"].map((name): [string, number] => [name, 7]),
  ...["+", "-"].map((name): [string, number] => [name, 8]),
  ...["*", "/", "%"].map((name): [string, number] => [name, 9]),
  ...["||", "->", "->>"].map((name): [string, number] => [name, 10]),
  ...["=", "==", "!=", "<>"].map((name): [string, number] => [name, 4]),
]);

const LOGIC: readonly (readonly [string, number])[] = [["OR", 1], ["AND", 2]];
const MATCHES = ["LIKE", "GLOB", "REGEXP", "MATCH"];

/** Reads expressions as SQLite's grammar has them. */
export class ExpressionParser {
  readonly #cursor: TokenCursor;
  readonly #query: () => QueryTree;

  /** @param query Reads a query from the same cursor. */
  constructor(cursor: TokenCursor, query: () => QueryTree) {
    this.#cursor = cursor;
    this.#query = query;
  }

  /** Reads an expression of operators that bind at least so tightly. */
  expr(least = 0): Expr {
    const from = this.#cursor.at;
    let left = this.#prefix();
    for (;;) {
      const next = this.#logic(left, from, least) ?? this.#test(left, from, least) ??
        this.#binary(left, from, least);
      if (next === undefined) return left;
      left = next;
    }
  }

  /** The terms of ORDER BY. */
  terms(): OrderTerm[] {
    return this.#cursor.list(() => {
      const expr = this.expr();
      if (!this.#cursor.word("ASC")) this.#cursor.word("DESC");
      if (this.#cursor.word("NULLS") && !this.#cursor.word("FIRST")) this.#cursor.needWord("LAST");
      return { expr };
    });
  }

  /** A window, from its opening parenthesis on. */
  window(): Window {
    const c = this.#cursor;
    const end = c.view.groupEnd(c.at);
    c.needPunct("(");
    const starts = ["PARTITION", "ORDER", "ROWS", "RANGE", "GROUPS"];
    const base = c.isName() && !c.view.isOneOf(c.at, starts) ? c.name() : undefined;
    const partition = c.word("PARTITION", "BY") ? c.list(() => this.expr()) : [];
    const order = c.word("ORDER", "BY") ? this.terms() : [];
    const frame = c.view.isOneOf(c.at, ["ROWS", "RANGE", "GROUPS"]);
    if (frame) c.at = end - 1;
    c.needPunct(")");
    return { base, partition, order, frame };
  }

  #made(from: number, name: string, ...operands: Expr[]): Expr {
    return { kind: "operator", name, operands, from, to: this.#cursor.at };
  }

  #logic(left: Expr, from: number, least: number): Expr | undefined {
    for (const [word, binding] of LOGIC) {
      if (binding < least || !this.#cursor.word(word)) continue;
      return this.#made(from, word, left, this.expr(binding + 1));
    }
    return undefined;
  }

  /** What binds like `=` and is written in words. */
  #test(left: Expr, from: number, least: number): Expr | undefined {
    const c = this.#cursor;
    if (c.word("COLLATE")) {
      return { kind: "collate", name: c.name(), operand: left, from, to: c.at };
    }
    if (least > 4) return undefined;
    if (c.word("ISNULL") || c.word("NOTNULL") || c.word("NOT", "NULL")) {
      return this.#made(from, "IS", left);
    }
    if (c.word("IS")) {
      c.word("NOT");
      if (c.word("DISTINCT")) c.needWord("FROM");
      return this.#made(from, "IS", left, this.expr(5));
    }
    const negated = c.word("NOT");
    if (c.word("BETWEEN")) return this.#between(left, from);
    if (c.word("IN")) return this.#in(left, from);
    const match = MATCHES.find((word) => c.word(word));
    if (match === undefined) return negated ? c.fail() : undefined;
    const right = this.expr(5);
    if (!c.word("ESCAPE")) return this.#made(from, match, left, right);
    return this.#made(from, match, left, right, this.expr(7));
  }

  #between(left: Expr, from: number): Expr {
    const low = this.expr(5);
    this.#cursor.needWord("AND");
    return this.#made(from, "BETWEEN", left, low, this.expr(5));
  }

  #in(left: Expr, from: number): Expr {
    const c = this.#cursor;
    if (c.isName()) return this.#made(from, "IN", left, this.#table());
    const open = c.at;
    c.needPunct("(");
    if (c.punct(")")) return this.#made(from, "IN", left);
    if (this.#begins()) return this.#made(from, "IN", left, this.#inner(open, "set"));
    const list = c.list(() => this.expr());
    c.needPunct(")");
    return this.#made(from, "IN", left, ...list);
  }

  /** `x IN t` is `x IN (SELECT * FROM t)`. */
  #table(): Expr {
    const c = this.#cursor;
    const from = c.at;
    const first = c.name();
    const second = c.punct(".") ? c.name() : undefined;
    if (c.view.is(c.at, "(")) c.fail();
    const piece = { from, to: c.at };
    const query = allOf(second === undefined ? undefined : first, second ?? first, piece);
    return { kind: "query", use: "set", query, ...piece };
  }

  #binary(left: Expr, from: number, least: number): Expr | undefined {
    const c = this.#cursor;
    const name = c.view.tokens[c.at]?.kind === "punct" ? c.view.text(c.at) : "";
    const binding = BINDING.get(name);
    if (binding === undefined || binding < least) return undefined;
    c.at++;
    return this.#made(from, name, left, this.expr(binding + 1));
  }

  #prefix(): Expr {
    const c = this.#cursor;
    const from = c.at;
    if (c.view.isWord(from, "NOT") && !c.view.isWord(from + 1, "EXISTS")) {
      c.at++;
      return this.#made(from, "NOT", this.expr(3));
    }
    for (const sign of ["-", "+", "~"]) {
      if (c.punct(sign)) return this.#made(from, `unary ${sign}`, this.expr(12));
    }
    c.word("NOT");
    if (c.word("EXISTS")) {
      const open = c.at;
      c.needPunct("(");
      return this.#inner(open, "exists");
    }
    return this.#group() ?? this.#special() ?? this.#atom();
  }

  #begins(): boolean {
    return this.#cursor.view.isOneOf(this.#cursor.at, ["SELECT", "VALUES", "WITH"]);
  }

  /** A query behind its opening parenthesis. */
  #inner(from: number, use: "scalar" | "exists" | "set"): Expr {
    const query = this.#query();
    this.#cursor.needPunct(")");
    return { kind: "query", use, query, from, to: this.#cursor.at };
  }

  #group(): Expr | undefined {
    const c = this.#cursor;
    const from = c.at;
    if (!c.punct("(")) return undefined;
    if (this.#begins()) return this.#inner(from, "scalar");
    const list = c.list(() => this.expr());
    c.needPunct(")");
    const [only] = list;
    if (list.length === 1 && only !== undefined) {
      const single = only.kind === "value" || only.kind === "placeholder";
      return single ? only : { ...only, from, to: c.at };
    }
    return this.#made(from, "row", ...list);
  }

  #special(): Expr | undefined {
    const c = this.#cursor;
    const from = c.at;
    if (c.word("CASE")) return this.#case(from);
    if (!c.word("CAST")) return undefined;
    c.needPunct("(");
    const operand = this.expr();
    c.needWord("AS");
    const start = c.at;
    const end = c.view.groupEnd(from + 1) - 1;
    const words = c.view.tokens.slice(start, end).map((_, i) => c.view.name(start + i));
    c.at = end;
    c.needPunct(")");
    return { kind: "cast", type: words.join(" ").toLowerCase(), operand, from, to: c.at };
  }

  #case(from: number): Expr {
    const c = this.#cursor;
    const tests = c.view.isWord(c.at, "WHEN") ? [] : [this.expr()];
    const values: Expr[] = [];
    while (c.word("WHEN")) {
      tests.push(this.expr());
      c.needWord("THEN");
      values.push(this.expr());
    }
    if (c.word("ELSE")) values.push(this.expr());
    c.needWord("END");
    return { kind: "case", tests, values, from, to: c.at };
  }

  #atom(): Expr {
    const c = this.#cursor;
    const from = c.at;
    const kind = c.view.tokens[from]?.kind;
    if (kind === "placeholder") return { kind, from, to: ++c.at };
    const literal = kind === "string" || kind === "number" || kind === "blob" ||
      c.view.isOneOf(from, ["NULL", "TRUE", "FALSE"]);
    if (literal) return { kind: "value", from, to: ++c.at };
    // These words may name functions, too: glob(a, b).
    const called = c.view.is(from + 1, "(") && c.view.isOneOf(from, [...MATCHES, "LEFT", "RIGHT"]);
    const first = called ? c.view.name(c.at++) : c.name();
    if (c.view.is(c.at, "(")) return this.#call(first.toLowerCase(), from);
    const parts = [first];
    while (c.punct(".")) parts.push(c.name());
    return parts.length > 3 ? c.fail() : { kind: "column", parts, from, to: c.at };
  }

  #call(name: string, from: number): Expr {
    const c = this.#cursor;
    c.needPunct("(");
    c.word("DISTINCT");
    const none = c.view.is(c.at, ")") || c.punct("*");
    const args = none ? [] : c.list(() => this.expr());
    const order = c.word("ORDER", "BY") ? this.terms() : [];
    c.needPunct(")");
    const filter = c.word("FILTER") ? this.#filter() : undefined;
    const over = c.word("OVER") ? this.#over() : undefined;
    return { kind: "call", name, args, order, filter, over, from, to: c.at };
  }

  #filter(): Expr {
    this.#cursor.needPunct("(");
    this.#cursor.needWord("WHERE");
    const filter = this.expr();
    this.#cursor.needPunct(")");
    return filter;
  }

  #over(): Window | string {
    return this.#cursor.view.is(this.#cursor.at, "(")
      ? this.window()
      : this.#cursor.name().toLowerCase();
  }
}
