import type { Findings } from "./read_findings.ts";
import type { Column, Match, Scope } from "./read_scope.ts";
import { isTotal } from "./row_order.ts";
import type { Call, Expr, QueryTree, Window } from "./read_syntax.ts";
import type { TokenView } from "../sql/view.ts";
import { affinity } from "../wire/affinity.ts";
import {
  type Argument,
  CAN_FAIL,
  COUNTERS,
  isAggregate,
  isOfPeers,
  kindOfCall,
  needsOrder,
} from "./shared_functions.ts";
import { kindOfCast, kindOfOperator } from "./shared_operators.ts";
import { either, kindOfLiteral, type ValueKind } from "./value_kind.ts";

/** What expressions need of the walk around them. */
export interface Surroundings {
  readonly findings: Findings;
  readonly view: TokenView;
  /** What the placeholder with a token is. */
  kindOfPlaceholder(start: number): ValueKind;
  /** Looks through a query in an expression. */
  query(query: QueryTree, outer: Scope, use: "scalar" | "exists" | "set"): readonly Column[];
}

const SHARED: ReadonlySet<string> = new Set();

/** Looks through expressions: what they are made of, and what their values are. */
export class ExpressionWalk {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  /** A result column: a local column alone is none that decides anything. */
  item(expr: Expr, scope: Scope): Omit<Column, "name"> {
    if (expr.kind === "column") return this.#column(expr.parts, scope);
    return { kind: this.value(expr, scope), local: SHARED };
  }

  /** A value that decides something or is computed with. */
  value(expr: Expr, scope: Scope): ValueKind {
    const grouped = scope.grouped.size > 0 && scope.grouped.has(this.text(expr));
    if (grouped) scope.inside++;
    const kind = this.#value(expr, scope);
    if (grouped) scope.inside--;
    return kind;
  }

  /** The text of an expression, alike for the same tokens. */
  text({ from, to }: { readonly from: number; readonly to: number }): string {
    const { view } = this.#around;
    const words: string[] = [];
    for (let i = from; i < to; i++) {
      words.push(view.tokens[i]?.kind === "word" ? view.text(i).toLowerCase() : view.text(i));
    }
    return words.join(" ");
  }

  #hard(reason: string): ValueKind {
    this.#around.findings.hard.add(reason);
    return "any";
  }

  #value(expr: Expr, scope: Scope): ValueKind {
    switch (expr.kind) {
      case "value":
        return kindOfLiteral(this.#around.view.text(expr.from)) ??
          this.#hard("a number that versions of SQLite may read differently");
      case "placeholder":
        return this.#around.kindOfPlaceholder(this.#around.view.tokens[expr.from]!.start);
      case "column": {
        const { kind, local } = this.#column(expr.parts, scope);
        this.#around.findings.useLocal(local);
        return kind;
      }
      case "collate":
        if (expr.name.toUpperCase() !== "BINARY") this.#around.findings.collates = true;
        return this.value(expr.operand, scope);
      case "cast":
        return this.#cast(expr.type, this.value(expr.operand, scope));
      case "case":
        for (const test of expr.tests) this.value(test, scope);
        return expr.values.map((one) => this.value(one, scope)).reduce(either, "null");
      case "query":
        return this.#query(expr.query, expr.use, scope);
      case "operator":
        return this.#operator(expr.name, expr.operands, scope);
      case "call":
        return this.#call(expr, scope);
    }
  }

  #cast(type: string, from: ValueKind): ValueKind {
    const to = affinity(type);
    const kind = to === "blob" ? "text" : to === "text" || to === "integer" ? to : "real";
    return kindOfCast(kind, from) ?? this.#hard(`CAST AS ${type}`);
  }

  #query(query: QueryTree, use: "scalar" | "exists" | "set", scope: Scope): ValueKind {
    const columns = this.#around.query(query, scope, use);
    if (use === "exists") return "integer";
    for (const { local } of columns) this.#around.findings.useLocal(local);
    return columns[0]?.kind ?? "any";
  }

  #operator(name: string, operands: readonly Expr[], scope: Scope): ValueKind {
    const [left, right] = operands;
    if (name === "MATCH" && left?.kind === "column" && isFullText(left.parts, scope)) {
      if (right !== undefined) this.value(right, scope);
      return "integer";
    }
    const kinds = operands.map((operand) => this.value(operand, scope));
    return kindOfOperator(name, kinds) ?? this.#hard(name);
  }

  #call(call: Call, scope: Scope): ValueKind {
    const { findings } = this.#around;
    const { name, args, over } = call;
    if (COUNTERS.has(name) || name === "random" || name === "randomblob") {
      findings.refusal ??= `${name}()`;
    }
    const aggregate = over === undefined && isAggregate(name, args.length);
    if (over !== undefined) this.#window(name, over, scope);
    const before = [findings.columns, scope.uses];
    if (aggregate) scope.inside++;
    let kinds: Argument[] = [];
    const local = findings.during(() => {
      kinds = this.#inner(call, scope);
    });
    if (aggregate) scope.inside--;
    // An aggregate of columns of the SELECT around is computed there.
    const foreign = findings.columns !== before[0] && scope.uses === before[1];
    if (aggregate && foreign) this.#hard(`${name}() of columns from outside`);
    if (aggregate) scope.aggregated = true;
    if (CAN_FAIL.has(name) && local.size > 0) this.#hard(`${name}() of local columns`);
    if (needsOrder(name) && !isTotal(call.order.map(({ expr }) => expr), scope)) {
      this.#hard(`${name}() without a total order`);
    }
    if ((name === "min" || name === "max") && kinds.some(({ kind }) => kind !== "integer")) {
      findings.groups = true;
    }
    return kindOfCall(name, kinds, over !== undefined) ?? this.#hard(`${name}()`);
  }

  /** Everything between the parentheses, and FILTER. */
  #inner({ args, order, filter }: Call, scope: Scope): Argument[] {
    for (const { expr } of order) this.value(expr, scope);
    if (filter !== undefined) this.value(filter, scope);
    return args.map((arg) => this.#argument(arg, scope));
  }

  #argument(arg: Expr, scope: Scope): Argument {
    const literal = arg.kind === "value" && arg.to === arg.from + 1
      ? this.#around.view.text(arg.from)
      : undefined;
    return { kind: this.value(arg, scope), literal, bound: arg.kind === "placeholder" };
  }

  #window(name: string, over: Window | string, scope: Scope): void {
    const parts: Window[] = [];
    for (let next: Window | string | undefined = over; next !== undefined;) {
      const window: Window | undefined = typeof next === "string"
        ? scope.windows.get(next.toLowerCase())
        : next;
      if (window === undefined || parts.length > 9) {
        this.#hard("a window that is not known");
        return;
      }
      parts.push(window);
      next = window.base;
    }
    const order = parts.flatMap((window) => window.order);
    for (const expr of parts.flatMap(({ partition }) => partition)) this.value(expr, scope);
    for (const { expr } of order) this.value(expr, scope);
    const peers = isOfPeers(name) && !parts.some(({ frame }) => frame);
    if (!peers && !isTotal(order.map(({ expr }) => expr), scope)) {
      this.#hard("a window without a total order");
    }
  }

  #column(parts: readonly string[], from: Scope): Omit<Column, "name"> {
    const { findings } = this.#around;
    findings.columns++;
    for (let scope: Scope | undefined = from; scope !== undefined; scope = scope.outer) {
      const matches = scope.matches(parts);
      const alias = parts.length === 1 ? scope.aliases.get(parts[0]!.toLowerCase()) : undefined;
      if (matches.length === 0 && alias === undefined) continue;
      scope.uses++;
      if (matches.length === 0) return alias!;
      if (scope.collecting && scope.inside === 0) scope.bare.push(...matches);
      return this.#found(matches, parts.length > 2);
    }
    return { kind: this.#hard(`the name ${parts.join(".")}`), local: SHARED };
  }

  #found(matches: readonly Match[], qualified: boolean): Omit<Column, "name"> {
    const { findings } = this.#around;
    const local = new Set<string>();
    let kind: ValueKind = "null";
    for (const { relation, column, rowid } of matches) {
      const table = relation.table?.name.toLowerCase();
      if (table !== undefined && (rowid || qualified)) findings.unmaskable.add(table);
      if (rowid && relation.rowids === false) this.#hard("rowids that VACUUM renumbers");
      if (column === undefined) this.#hard("hidden columns");
      kind = either(kind, column?.kind ?? "any");
      for (const one of column?.local ?? []) local.add(one);
    }
    return { kind, local };
  }
}

function isFullText(parts: readonly string[], from: Scope): boolean {
  for (let scope: Scope | undefined = from; scope !== undefined; scope = scope.outer) {
    const [match, second] = scope.matches(parts);
    if (match !== undefined) {
      return second === undefined && match.relation.table?.kind === "virtual";
    }
  }
  return false;
}
