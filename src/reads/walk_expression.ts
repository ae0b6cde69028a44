import { affinity } from "../wire/affinity.ts";
import { isTotal } from "./row_order.ts";
import type { Column, Match, Scope } from "./scope.ts";
import {
  type Argument,
  CAN_FAIL,
  COUNTERS,
  isAggregate,
  isOfPeers,
  kindOfCall,
  kindOfCast,
  kindOfOperator,
  needsOrder,
} from "./shared_operations.ts";
import type { CallExpr, Expr, QueryTree, SubqueryUse, TokenRange, Window } from "./syntax_tree.ts";
import { either, kindOfLiteral, type ValueKind } from "./value_kind.ts";
import type { Walk } from "./walk.ts";

const SHARED: ReadonlySet<string> = new Set();

/** Looks through expressions: what they are made of, and what their values are. */
export class ExpressionWalk {
  readonly #walk: Walk;

  /** @param walk That of the text. */
  constructor(walk: Walk) {
    this.#walk = walk;
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
  text({ from, to }: TokenRange): string {
    const { view } = this.#walk;
    const words: string[] = [];
    for (let i = from; i < to; i++) {
      words.push(view.tokens[i]?.kind === "word" ? view.text(i).toLowerCase() : view.text(i));
    }
    return words.join(" ");
  }

  #incomparable(reason: string): ValueKind {
    this.#walk.findings.incomparable.add(reason);
    return "any";
  }

  #value(expr: Expr, scope: Scope): ValueKind {
    switch (expr.kind) {
      case "value":
        return kindOfLiteral(this.#walk.view.text(expr.from)) ??
          this.#incomparable("a number that versions of SQLite may read differently");
      case "placeholder":
        return this.#walk.context.kindOfPlaceholder(this.#walk.view.start(expr.from));
      case "column": {
        const { kind, local } = this.#column(expr.parts, scope);
        this.#walk.findings.useLocal(local);
        return kind;
      }
      case "collate":
        if (expr.name.toUpperCase() !== "BINARY") this.#walk.findings.collates = true;
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
    return kindOfCast(kind, from) ?? this.#incomparable(`CAST AS ${type}`);
  }

  #query(query: QueryTree, use: SubqueryUse, scope: Scope): ValueKind {
    const { columns } = this.#walk.query(query, scope.ctes, scope, use);
    if (use === "exists") return "integer";
    for (const { local } of columns) this.#walk.findings.useLocal(local);
    return columns[0]?.kind ?? "any";
  }

  #operator(name: string, operands: readonly Expr[], scope: Scope): ValueKind {
    const [left, right] = operands;
    if (name === "MATCH" && left?.kind === "column" && isFullText(left.parts, scope)) {
      if (right !== undefined) this.value(right, scope);
      return "integer";
    }
    const kinds = operands.map((operand) => this.value(operand, scope));
    return kindOfOperator(name, kinds) ?? this.#incomparable(name);
  }

  #call(call: CallExpr, scope: Scope): ValueKind {
    const { findings } = this.#walk;
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
    if (aggregate && foreign) this.#incomparable(`${name}() of columns from outside`);
    if (aggregate) scope.aggregated = true;
    if (CAN_FAIL.has(name) && local.size > 0) this.#incomparable(`${name}() of local columns`);
    if (needsOrder(name) && !isTotal(call.order.map(({ expr }) => expr), scope)) {
      this.#incomparable(`${name}() without a total order`);
    }
    if ((name === "min" || name === "max") && kinds.some(({ kind }) => kind !== "integer")) {
      findings.groups = true;
    }
    return kindOfCall(name, kinds, over !== undefined) ?? this.#incomparable(`${name}()`);
  }

  /** Everything between the parentheses, and FILTER. */
  #inner({ args, order, filter }: CallExpr, scope: Scope): Argument[] {
    for (const { expr } of order) this.value(expr, scope);
    if (filter !== undefined) this.value(filter, scope);
    return args.map((arg) => this.#argument(arg, scope));
  }

  #argument(arg: Expr, scope: Scope): Argument {
    const literal = arg.kind === "value" && arg.to === arg.from + 1
      ? this.#walk.view.text(arg.from)
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
        this.#incomparable("a window that is not known");
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
      this.#incomparable("a window without a total order");
    }
  }

  #column(parts: readonly string[], from: Scope): Omit<Column, "name"> {
    const { findings } = this.#walk;
    findings.columns++;
    for (let scope: Scope | undefined = from; scope !== undefined; scope = scope.outer) {
      const matches = scope.matches(parts);
      const found = matches.length > 0;
      const alias = found ? undefined : scope.aliasOf(parts);
      if (!found && alias === undefined) continue;
      scope.uses++;
      if (alias !== undefined) return alias;
      if (scope.collecting && scope.inside === 0) scope.bare.push(...matches);
      return this.#found(matches, parts.length > 2);
    }
    return { kind: this.#incomparable(`the name ${parts.join(".")}`), local: SHARED };
  }

  #found(matches: readonly Match[], qualified: boolean): Omit<Column, "name"> {
    const { findings } = this.#walk;
    const local = new Set<string>();
    let kind: ValueKind = "null";
    for (const { relation, column, rowid } of matches) {
      const table = relation.table?.name.toLowerCase();
      if (table !== undefined && (rowid || qualified)) findings.unmaskable.add(table);
      if (rowid && relation.rowids === false) this.#incomparable("rowids that VACUUM renumbers");
      if (column === undefined) this.#incomparable("hidden columns");
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
