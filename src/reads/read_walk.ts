import type { TokenView } from "../sql/view.ts";
import type { Findings } from "./read_findings.ts";
import type { ReadText } from "./read_query.ts";
import { type Column, Env, noteSingle, Scope } from "./read_scope.ts";
import type { Expr, QueryTree } from "./read_syntax.ts";
import { isOneRow, isTotalFor } from "./row_order.ts";
import { either, type ValueKind } from "./value_kind.ts";
import { CteWalk } from "./walk_cte.ts";
import { ExpressionWalk } from "./walk_expression.ts";
import { SelectWalk, useAsDistinct } from "./walk_select.ts";
import { SourceWalk } from "./walk_source.ts";
import { walkView } from "./walk_view.ts";

/** What a query is to what is around it: its rows, one value, whether there are rows, or a set of values. */
type Use = "rows" | "scalar" | "exists" | "set";

/** A query that was looked through. */
export interface Walked {
  /** Its result columns. */
  readonly columns: readonly Column[];
  /** What the names in its ORDER BY know; `undefined` for a compound. */
  readonly scope: Scope | undefined;
}

/** What is asked of the text outside of the walk. */
export interface Asked {
  /** What the placeholder is that begins at an offset. */
  kindOfPlaceholder(start: number): ValueKind;
  /** Replaces the present time in the text of a view. */
  readonly freezeText: ((sql: string) => string) | undefined;
}

/** Looks through one text: the read's own, or that of a view. */
export class ReadWalk {
  readonly findings: Findings;
  readonly view: TokenView;
  /** Looks through its expressions. */
  readonly expressions: ExpressionWalk;
  readonly #selects: SelectWalk;
  readonly #asked: Asked;

  constructor(view: TokenView, findings: Findings, asked: Asked) {
    this.view = view;
    this.findings = findings;
    this.#asked = asked;
    this.expressions = new ExpressionWalk({
      findings,
      view,
      kindOfPlaceholder: (start) => asked.kindOfPlaceholder(start),
      query: (query, outer, use) => this.query(query, outer.env, outer, use).columns,
    });
    const ctes = new CteWalk(findings, (query, env, outer) => {
      return this.query(query, env, outer, "rows").columns;
    });
    const sources = new SourceWalk({
      findings,
      value: (expr, scope) => this.expressions.value(expr, scope),
      query: (query, scope) => this.query(query, scope.env, scope.outer, "rows").columns,
      cte: (state, scope) => ctes.columns(state, scope),
      view: (table) =>
        walkView(table, {
          findings,
          freezeText: asked.freezeText,
          text: (text) => this.#text(text),
        }),
    });
    this.#selects = new SelectWalk(findings, view, this.expressions, sources);
  }

  /** Looks through a query. */
  query(query: QueryTree, env: Env | undefined, outer: Scope | undefined, use: Use): Walked {
    const inner = query.ctes.length === 0 ? env : new Env(query.ctes, env);
    const scopes = query.selects.map(() => new Scope(inner, outer));
    const columns = query.selects
      .map((select, i) => this.#selects.columns(select, query, scopes[i]!))
      .reduce((a, b) => this.#compound(a, b));
    if (!query.all) useAsDistinct(columns, this.findings);
    for (const limit of [query.limit, query.offset]) {
      if (limit !== undefined) this.expressions.value(limit, new Scope(inner, outer));
    }
    this.#checkOrder(query, scopes[0]!, use);
    const [select, second] = query.selects;
    const one = second === undefined && select !== undefined;
    if (one && isOneRow(select, scopes[0]!, this.view)) noteSingle(columns);
    return { columns, scope: scopes.length === 1 ? scopes[0] : undefined };
  }

  /** Which rows a LIMIT lets through must not be the planner's choice. */
  #checkOrder(query: QueryTree, scope: Scope, use: Use): void {
    const limited = query.limit !== undefined || use === "scalar";
    const [select, second] = query.selects;
    if (
      !limited || (use === "exists" && query.offset === undefined && this.#isPositive(query.limit!))
    ) {
      return;
    }
    const total = second === undefined && select !== undefined &&
      (isOneRow(select, scope, this.view) || isTotalFor(query, scope, this.expressions, this.view));
    if (!total) this.findings.hard.add("LIMIT without a total order");
  }

  #isPositive({ kind, from, to }: Expr): boolean {
    return kind === "value" && to === from + 1 && /^[1-9][0-9]*$/.test(this.view.text(from));
  }

  #compound(a: readonly Column[], b: readonly Column[]): readonly Column[] {
    for (const { local } of [...a, ...b]) this.findings.useLocal(local);
    return a.map((column, i) => ({ ...column, kind: either(column.kind, b[i]?.kind ?? "any") }));
  }

  /** The text of a view knows nothing of what is around it. */
  #text({ view, query }: ReadText): readonly Column[] {
    const walk = new ReadWalk(view, this.findings, this.#asked);
    return walk.query(query, undefined, undefined, "rows").columns;
  }
}
