import type { TokenView } from "../sql/view.ts";
import type { Findings } from "./read_findings.ts";
import type { Column, Scope } from "./read_scope.ts";
import type { Expr, Item, QueryTree, Select } from "./read_syntax.ts";
import { checkGroups, groupMeaning, groupsRows, keyOf } from "./row_order.ts";
import { either, type ValueKind } from "./value_kind.ts";
import type { ExpressionWalk } from "./walk_expression.ts";
import type { SourceWalk } from "./walk_source.ts";

/** Which of equal rows stands for them is the planner's choice, where equal is not the same. */
export function useAsDistinct(columns: readonly Column[], findings: Findings): void {
  findings.groups = true;
  for (const { local, kind } of columns) {
    findings.useLocal(local);
    if (kind === "any" && local.size === 0) findings.hard.add("equals of different types");
  }
}

/** Looks through one SELECT, without what is around it. */
export class SelectWalk {
  readonly #findings: Findings;
  readonly #view: TokenView;
  readonly #expressions: ExpressionWalk;
  readonly #sources: SourceWalk;

  constructor(
    findings: Findings,
    view: TokenView,
    expressions: ExpressionWalk,
    sources: SourceWalk,
  ) {
    this.#findings = findings;
    this.#view = view;
    this.#expressions = expressions;
    this.#sources = sources;
  }

  /** Its result columns, and in the scope what else was seen. */
  columns(select: Select, query: QueryTree, scope: Scope): readonly Column[] {
    scope.windows = select.windows;
    // A table-valued function sees what stands before it.
    for (const source of select.sources) {
      scope.relations.push(this.#sources.relation(source, scope));
    }
    for (const condition of select.conditions) this.#expressions.value(condition, scope);
    this.#shared(select, scope);
    this.#groups(select, scope);
    scope.collecting = true;
    const columns = select.rows === undefined
      ? select.items.flatMap((item) => this.#item(item, scope))
      : this.#rows(select.rows, scope);
    scope.collecting = false;
    if (select.where !== undefined) this.#expressions.value(select.where, scope);
    scope.collecting = true;
    if (select.having !== undefined) this.#expressions.value(select.having, scope);
    if (query.selects.length === 1) {
      for (const { expr } of query.order) this.#term(expr, columns, scope);
    }
    scope.collecting = false;
    if (select.distinct) useAsDistinct(columns, this.#findings);
    checkGroups(select, scope, this.#findings);
    return columns;
  }

  /** What a term of ORDER BY sorts by; the alias of a result column comes before a column. */
  #term(expr: Expr, columns: readonly Column[], scope: Scope): void {
    const ordinal = expr.kind === "value" ? Number(this.#view.text(expr.from)) : 0;
    this.#findings.useLocal(columns[ordinal - 1]?.local ?? []);
    const [name, second] = expr.kind === "column" ? expr.parts : [];
    const alias = second === undefined ? scope.aliases.get(name?.toLowerCase() ?? "") : undefined;
    if (alias !== undefined) this.#findings.useLocal(alias.local);
    else this.#expressions.value(expr, scope);
  }

  /** Columns by which USING and NATURAL join. */
  #shared({ using, natural }: Select, scope: Scope): void {
    const names = natural
      ? scope.relations.flatMap(({ columns }) => columns.map(({ name }) => name))
      : using;
    for (const name of names) {
      const matches = scope.matches([name]);
      if (matches.length < 2) continue;
      for (const { column } of matches) this.#findings.useLocal(column?.local ?? []);
    }
  }

  #groups(select: Select, scope: Scope): void {
    const kinds: [ValueKind, Expr][] = [];
    for (const term of select.groups) {
      const expr = groupMeaning(term, select, scope, this.#view);
      const kind = this.#expressions.value(expr, scope);
      kinds.push([kind, expr]);
      scope.grouped.add(this.#expressions.text(expr)).add(this.#expressions.text(term));
      const column = scope.columnOf(expr);
      if (column !== undefined) scope.grouped.add(keyOf(column));
    }
    for (const [kind, expr] of kinds) {
      const relation = scope.columnOf(expr)?.relation;
      if (relation !== undefined && groupsRows(relation, scope)) continue;
      useAsDistinct([{ name: "", kind, local: new Set() }], this.#findings);
    }
  }

  #item(item: Item, scope: Scope): readonly Column[] {
    if (item.kind === "star") return this.#star(item.table?.toLowerCase(), scope);
    const { expr, alias } = item;
    const name = alias ??
      (expr.kind === "column" ? expr.parts.at(-1)! : this.#expressions.text(expr));
    const column = { ...this.#expressions.item(expr, scope), name: name.toLowerCase() };
    if (alias !== undefined) scope.aliases.set(column.name, column);
    return [column];
  }

  #star(table: string | undefined, scope: Scope): readonly Column[] {
    const relations = scope.relations.filter(({ name }) => table === undefined || name === table);
    if (relations.length === 0) this.#findings.hard.add("the columns of `*`");
    for (const relation of relations) {
      if (relation.columns.length === 0 || relation.hidden.has("atom")) {
        this.#findings.hard.add("the columns of `*`");
      }
      for (const column of relation.columns) scope.bare.push({ relation, column, rowid: false });
    }
    return relations.flatMap(({ columns }) => columns);
  }

  #rows(rows: readonly (readonly Expr[])[], scope: Scope): readonly Column[] {
    const kinds = rows.map((row) => row.map((expr) => this.#expressions.value(expr, scope)));
    return kinds.reduce((a, b) => a.map((kind, i) => either(kind, b[i] ?? "any")))
      .map((kind, i) => ({ name: `column${i + 1}`, kind, local: new Set() }));
  }
}
