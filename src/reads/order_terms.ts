import type { Placeholder } from "../sql/placeholders.ts";
import type { ScopedSelect } from "./row_order.ts";
import type { Expr, OrderTerm, QueryTree, Select, SelectItem } from "./syntax_tree.ts";
import type { WalkedQuery } from "./walk.ts";
import type { QueryWalk } from "./walk_query.ts";

/**
 * What the rows of a read are sorted by and do not show themselves, as text for further result columns: with it the
 * digest, which does not depend on the order of rows, tells the order. Terms of local columns are left out.
 *
 * @param placeholders Of the whole text; those in the terms get their numbers.
 * @returns `undefined` where a term cannot be a result column.
 */
export function orderTerms(
  query: QueryTree,
  { scope }: WalkedQuery,
  walk: QueryWalk,
  placeholders: readonly Placeholder[],
): string[] | undefined {
  const [select] = query.selects;
  if (select === undefined || scope === undefined || select.rows !== undefined) return [];
  const terms = termsNotShown(query.order, { select, scope }, walk);
  if (
    terms.length > 0 && (select.distinct || terms.some((expr) => usesAlias(expr, select, walk)))
  ) {
    return undefined;
  }
  const { view } = walk;
  return terms.map(({ from, to }) =>
    withNumbers(
      view.sql,
      view.start(from),
      view.end(to - 1),
      placeholders,
    )
  );
}

function termsNotShown(
  order: readonly OrderTerm[],
  { select, scope }: ScopedSelect,
  walk: QueryWalk,
): Expr[] {
  return order.map(({ expr }) => expr).filter((expr) => {
    if (expr.kind === "value" || expr.kind === "placeholder") return false;
    if (select.items.some((item) => shows(item, expr, { select, scope }, walk))) return false;
    return walk.findings.during(() => walk.expressions.value(expr, scope)).size === 0;
  });
}

/** Whether a result column is what a term sorts by. */
function shows(
  item: SelectItem,
  expr: Expr,
  { select, scope }: ScopedSelect,
  walk: QueryWalk,
): boolean {
  const column = scope.columnOf(expr);
  if (item.kind === "star") {
    // What USING joins is one column for `*`, made of two.
    if (column === undefined || select.natural || select.using.length > 0) return false;
    return item.table === undefined || item.table.toLowerCase() === column.relation.name;
  }
  const [name, second] = expr.kind === "column" ? expr.parts : [];
  if (
    name !== undefined && second === undefined && item.alias?.toLowerCase() === name.toLowerCase()
  ) return true;
  if (walk.expressions.text(item.expr) === walk.expressions.text(expr)) return true;
  const other = scope.columnOf(item.expr);
  return column !== undefined && other?.relation === column.relation && other.name === column.name;
}

/** Behind ORDER BY an alias may stand for its result column, which it does not among them. */
function usesAlias({ from, to }: Expr, { items }: Select, { view }: QueryWalk): boolean {
  const aliases = new Set(
    items.map((item) => item.kind === "expr" ? item.alias?.toLowerCase() : undefined),
  );
  for (let i = from; i < to; i++) {
    if (!view.is(i - 1, ".") && aliases.has(view.name(i).toLowerCase())) return true;
  }
  return false;
}

function withNumbers(
  sql: string,
  from: number,
  to: number,
  placeholders: readonly Placeholder[],
): string {
  let text = "";
  let at = from;
  for (const { start, end, index } of placeholders) {
    if (start < from || end > to) continue;
    text += `${sql.slice(at, start)}?${index}`;
    at = end;
  }
  return text + sql.slice(at, to);
}
