import type { Placeholder } from "../sql/placeholders.ts";
import type { ReadText } from "./read_query.ts";
import type { ReadWalk, Walked } from "./read_walk.ts";
import type { Scope } from "./read_scope.ts";
import type { Expr, Item, QueryTree, Select } from "./read_syntax.ts";

/**
 * What the rows of a read are sorted by and do not tell themselves, as text for further result columns: with it the
 * digest, which does not depend on the order of rows, tells the order. Terms of local columns are left out.
 *
 * @param placeholders Of the whole text; those in the terms get their numbers.
 * @returns `undefined` where a term cannot be a result column.
 */
export function orderTerms(
  { query, view }: ReadText,
  { scope }: Walked,
  walk: ReadWalk,
  placeholders: readonly Placeholder[],
): string[] | undefined {
  const [select] = query.selects;
  if (select === undefined || scope === undefined || select.rows !== undefined) return [];
  const terms = missing(query, select, scope, walk);
  if (
    terms.length > 0 && (select.distinct || terms.some((expr) => usesAlias(expr, select, walk)))
  ) {
    return undefined;
  }
  return terms.map(({ from, to }) => {
    const start = view.tokens[from]!.start;
    return numbered(view.sql, start, view.tokens[to - 1]!.end, placeholders);
  });
}

function missing(query: QueryTree, select: Select, scope: Scope, walk: ReadWalk): Expr[] {
  return query.order.map(({ expr }) => expr).filter((expr) => {
    if (expr.kind === "value" || expr.kind === "placeholder") return false;
    if (select.items.some((item) => tells(item, expr, select, scope, walk))) return false;
    return walk.findings.during(() => walk.expressions.value(expr, scope)).size === 0;
  });
}

/** Whether a result column is what a term sorts by. */
function tells(item: Item, expr: Expr, select: Select, scope: Scope, walk: ReadWalk): boolean {
  const column = scope.columnOf(expr);
  if (item.kind === "star") {
    // What USING joins is one column for `*`, made of two.
    if (column === undefined || select.natural || select.using.length > 0) return false;
    return item.table === undefined || item.table.toLowerCase() === column.relation.name;
  }
  const name = expr.kind === "column" && expr.parts.length === 1 ? expr.parts[0]! : undefined;
  if (name !== undefined && item.alias?.toLowerCase() === name.toLowerCase()) return true;
  if (walk.expressions.text(item.expr) === walk.expressions.text(expr)) return true;
  const other = scope.columnOf(item.expr);
  return column !== undefined && other?.relation === column.relation && other.name === column.name;
}

/** Behind ORDER BY an alias may stand for its result column, which it does not among them. */
function usesAlias({ from, to }: Expr, { items }: Select, { view }: ReadWalk): boolean {
  const aliases = new Set(
    items.map((item) => item.kind === "expr" ? item.alias?.toLowerCase() : undefined),
  );
  for (let i = from; i < to; i++) {
    if (!view.is(i - 1, ".") && aliases.has(view.name(i).toLowerCase())) return true;
  }
  return false;
}

function numbered(
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
