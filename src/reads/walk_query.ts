import type { TokenView } from "../sql/token_view.ts";
import type { ParsedQuery } from "./parse_query.ts";
import {
  checkGroups,
  groupMeaning,
  groupsRows,
  isOneRow,
  isTotalFor,
  keyOf,
  type ScopedSelect,
} from "./row_order.ts";
import { type Column, CteScope, noteSingle, Scope } from "./scope.ts";
import type { Expr, QueryTree, Select, SelectItem, SubqueryUse } from "./syntax_tree.ts";
import { either, type ValueKind } from "./value_kind.ts";
import type { Findings, Walk, WalkContext, WalkedQuery } from "./walk.ts";
import { ExpressionWalk } from "./walk_expression.ts";
import { FromWalk } from "./walk_from.ts";

/** Looks through one text: the read's own, or that of a view. */
export class QueryWalk implements Walk {
  /** What is gathered. */
  readonly findings: Findings;
  /** The tokens of the text. */
  readonly view: TokenView;
  /** What is asked outside. */
  readonly context: WalkContext;
  /** Looks through the expressions. */
  readonly expressions: ExpressionWalk;
  readonly #from: FromWalk;

  /**
   * @param view The tokens of the text.
   * @param findings Gathers what is found.
   */
  constructor(view: TokenView, findings: Findings, context: WalkContext) {
    this.view = view;
    this.findings = findings;
    this.context = context;
    this.expressions = new ExpressionWalk(this);
    this.#from = new FromWalk(this);
  }

  /** Looks through an expression that decides something or is computed with. */
  value(expr: Expr, scope: Scope): ValueKind {
    return this.expressions.value(expr, scope);
  }

  /** Looks through a query. */
  query(
    query: QueryTree,
    ctes: CteScope | undefined,
    outer: Scope | undefined,
    use: "rows" | SubqueryUse,
  ): WalkedQuery {
    const inner = query.ctes.length === 0 ? ctes : new CteScope(query.ctes, ctes);
    const selects = query.selects.map((select) => ({ select, scope: new Scope(inner, outer) }));
    const columns = selects.map(({ select, scope }) => this.#select(select, query, scope))
      .reduce((a, b) => this.#compound(a, b));
    if (!query.all) this.#useAsDistinct(columns);
    for (const limit of [query.limit, query.offset]) {
      if (limit !== undefined) this.expressions.value(limit, new Scope(inner, outer));
    }
    const [first, second] = selects;
    const only = second === undefined ? first : undefined;
    this.#checkOrder(query, only, use);
    if (only !== undefined && isOneRow(only, this.view)) noteSingle(columns);
    return { columns, scope: only?.scope };
  }

  /**
   * Which rows a LIMIT lets through must not be the planner's choice.
   *
   * @param only The SELECT of a query that is no compound.
   */
  #checkOrder(
    { limit, offset, order }: QueryTree,
    only: ScopedSelect | undefined,
    use: "rows" | SubqueryUse,
  ): void {
    if (limit === undefined && use !== "scalar") return;
    if (use === "exists" && offset === undefined && this.#isPositive(limit)) return;
    const total = only !== undefined &&
      (isOneRow(only, this.view) || isTotalFor(order, only, this.expressions, this.view));
    if (!total) this.findings.incomparable.add("LIMIT without a total order");
  }

  #isPositive(expr: Expr | undefined): boolean {
    return expr?.kind === "value" && expr.to === expr.from + 1 &&
      /^[1-9][0-9]*$/.test(this.view.text(expr.from));
  }

  #compound(a: readonly Column[], b: readonly Column[]): readonly Column[] {
    for (const { local } of [...a, ...b]) this.findings.useLocal(local);
    return a.map((column, i) => ({ ...column, kind: either(column.kind, b[i]?.kind ?? "any") }));
  }

  /** Looks through a text of its own, which knows nothing of what is around it, and answers its columns. */
  text({ view, tree }: ParsedQuery): readonly Column[] {
    const walk = new QueryWalk(view, this.findings, this.context);
    return walk.query(tree, undefined, undefined, "rows").columns;
  }

  /** Which of equal rows stands for them is the planner's choice, where equal is not the same. */
  #useAsDistinct(columns: readonly Column[]): void {
    this.findings.groups = true;
    for (const { local, kind } of columns) {
      this.findings.useLocal(local);
      if (kind === "any" && local.size === 0) {
        this.findings.incomparable.add("equals of different types");
      }
    }
  }

  /** Its result columns, and in the scope what else was seen. */
  #select(select: Select, query: QueryTree, scope: Scope): readonly Column[] {
    scope.windows = select.windows;
    // A table-valued function sees what stands before it.
    for (const item of select.from) scope.relations.push(this.#from.relation(item, scope));
    for (const condition of select.conditions) this.expressions.value(condition, scope);
    this.#shared(select, scope);
    this.#groups(select, scope);
    scope.collecting = true;
    const columns = select.rows === undefined
      ? select.items.flatMap((item) => this.#item(item, scope))
      : this.#rows(select.rows, scope);
    scope.collecting = false;
    if (select.where !== undefined) this.expressions.value(select.where, scope);
    scope.collecting = true;
    if (select.having !== undefined) this.expressions.value(select.having, scope);
    if (query.selects.length === 1) {
      for (const { expr } of query.order) this.#term(expr, columns, scope);
    }
    scope.collecting = false;
    if (select.distinct) this.#useAsDistinct(columns);
    checkGroups(select, scope, this.findings);
    return columns;
  }

  /** What a term of ORDER BY sorts by; the alias of a result column comes before a column. */
  #term(expr: Expr, columns: readonly Column[], scope: Scope): void {
    const ordinal = expr.kind === "value" ? Number(this.view.text(expr.from)) : 0;
    this.findings.useLocal(columns[ordinal - 1]?.local ?? []);
    const alias = expr.kind === "column" ? scope.aliasOf(expr.parts) : undefined;
    if (alias !== undefined) this.findings.useLocal(alias.local);
    else this.expressions.value(expr, scope);
  }

  /** Columns by which USING and NATURAL join. */
  #shared({ using, natural }: Select, scope: Scope): void {
    const names = natural
      ? scope.relations.flatMap(({ columns }) => columns.map(({ name }) => name))
      : using;
    for (const name of names) {
      const matches = scope.matches([name]);
      if (matches.length < 2) continue;
      for (const { column } of matches) this.findings.useLocal(column?.local ?? []);
    }
  }

  #groups(select: Select, scope: Scope): void {
    const kinds: [ValueKind, Expr][] = [];
    for (const term of select.groups) {
      const expr = groupMeaning(term, select, scope, this.view);
      const kind = this.expressions.value(expr, scope);
      kinds.push([kind, expr]);
      scope.grouped.add(this.expressions.text(expr)).add(this.expressions.text(term));
      const column = scope.columnOf(expr);
      if (column !== undefined) scope.grouped.add(keyOf(column));
    }
    for (const [kind, expr] of kinds) {
      const relation = scope.columnOf(expr)?.relation;
      if (relation !== undefined && groupsRows(relation, scope)) continue;
      this.#useAsDistinct([{ name: "", kind, local: new Set() }]);
    }
  }

  #item(item: SelectItem, scope: Scope): readonly Column[] {
    if (item.kind === "star") return this.#star(item.table?.toLowerCase(), scope);
    const { expr, alias } = item;
    const own = expr.kind === "column" ? expr.parts.at(-1) : undefined;
    const name = alias ?? own ?? this.expressions.text(expr);
    const column = { ...this.expressions.item(expr, scope), name: name.toLowerCase() };
    if (alias !== undefined) scope.aliases.set(column.name, column);
    return [column];
  }

  #star(table: string | undefined, scope: Scope): readonly Column[] {
    const relations = scope.relations.filter(({ name }) => table === undefined || name === table);
    if (relations.length === 0) this.findings.incomparable.add("the columns of `*`");
    for (const relation of relations) {
      if (relation.columns.length === 0 || relation.hidden.has("atom")) {
        this.findings.incomparable.add("the columns of `*`");
      }
      for (const column of relation.columns) scope.bare.push({ relation, column, rowid: false });
    }
    return relations.flatMap(({ columns }) => columns);
  }

  #rows(rows: readonly (readonly Expr[])[], scope: Scope): readonly Column[] {
    const kinds = rows.map((row) => row.map((expr) => this.expressions.value(expr, scope)));
    return kinds.reduce((a, b) => a.map((kind, i) => either(kind, b[i] ?? "any")))
      .map((kind, i) => ({ name: `column${i + 1}`, kind, local: new Set() }));
  }
}
