import type { TokenView } from "../sql/token_view.ts";
import { candidateKeysOf, isSingle, type Relation, type Scope } from "./scope.ts";
import type { Expr, OrderTerm, Select } from "./syntax_tree.ts";
import type { Findings } from "./walk.ts";

// Whether a read leaves it to the planner which rows it answers.

/** A SELECT and what its names know. */
export interface ScopedSelect {
  /** The SELECT. */
  readonly select: Select;
  /** What its names know, after it was looked through. */
  readonly scope: Scope;
}

/** Answers the text of an expression, alike for the same tokens. */
interface Texts {
  text(expr: Expr): string;
}

/** A column of something in FROM. */
interface RelationColumn {
  readonly relation: Relation;
  readonly name: string;
}

/** How a column is known among the grouped expressions. */
export function keyOf({ relation, name }: RelationColumn): string {
  return `${relation.name}\n${name}`;
}

/** What a term of GROUP BY or ORDER BY means: the result column of its number or alias, or itself. */
export function meaning(term: Expr, { items }: Select, view: TokenView): Expr {
  if (term.kind === "value" && term.to === term.from + 1) {
    const at = Number(view.text(term.from)) - 1;
    const item = items.slice(0, at + 1).some(({ kind }) => kind === "star") ? undefined : items[at];
    return item?.kind === "expr" ? item.expr : term;
  }
  const [word, second] = term.kind === "column" ? term.parts : [];
  if (word === undefined || second !== undefined) return term;
  const name = word.toLowerCase();
  for (const item of items) {
    if (item.kind === "expr" && item.alias?.toLowerCase() === name) return item.expr;
  }
  return term;
}

/** What a term of GROUP BY means, where a column comes before an alias. */
export function groupMeaning(term: Expr, select: Select, scope: Scope, view: TokenView): Expr {
  const column = term.kind === "column" && scope.matches(term.parts).length > 0;
  return column ? term : meaning(term, select, view);
}

/** Whether an order tells all rows of a FROM apart. */
export function isTotal(order: readonly Expr[], scope: Scope): boolean {
  const columns = order.map((expr) => scope.columnOf(expr));
  return scope.relations.length > 0 && scope.relations.every((relation) => {
    const own = columns.flatMap((one) => one?.relation === relation ? [one.name] : []);
    return holdsUnique(relation, new Set(own));
  });
}

function holdsUnique({ table }: Relation, names: ReadonlySet<string>): boolean {
  if (table === undefined) return false;
  return candidateKeysOf(table).some((unique) =>
    unique.every((name) => names.has(name.toLowerCase()))
  );
}

/** Whether the ORDER BY of a query of one SELECT tells all its rows apart. */
export function isTotalFor(
  terms: readonly OrderTerm[],
  { select, scope }: ScopedSelect,
  texts: Texts,
  view: TokenView,
): boolean {
  const order = terms.map(({ expr }) => meaning(expr, select, view));
  if (!select.distinct && select.groups.length === 0) return isTotal(order, scope);
  const sorted = new Set(order.map((expr) => texts.text(expr)));
  if (select.distinct) {
    return select.items.every((item) => item.kind === "expr" && sorted.has(texts.text(item.expr)));
  }
  return select.groups.every((term) =>
    sorted.has(texts.text(groupMeaning(term, select, scope, view)))
  );
}

/** Whether a SELECT answers one row at most. */
export function isOneRow({ select, scope }: ScopedSelect, view: TokenView): boolean {
  if (select.rows !== undefined) return select.rows.length === 1;
  if (select.from.length === 0) return true;
  if (select.groups.length === 0 && scope.aggregated) return true;
  const { relations } = scope;
  if (relations.length > 0 && relations.every(({ columns }) => isSingle(columns))) return true;
  const [relation, second] = relations;
  if (relation === undefined || second !== undefined || select.where === undefined) return false;
  return holdsUnique(relation, new Set(fixed(select.where, scope, view)));
}

/** The columns that a condition compares with a literal or a placeholder. */
function fixed(expr: Expr, scope: Scope, view: TokenView): string[] {
  if (expr.kind !== "operator") return [];
  if (expr.name === "AND") return expr.operands.flatMap((operand) => fixed(operand, scope, view));
  if (expr.name !== "=" && expr.name !== "==") return [];
  const [left, right] = expr.operands;
  if (left === undefined || right === undefined) return [];
  const given = (one: Expr) =>
    one.kind === "placeholder" || one.kind === "value" ||
    // A column of the SELECT around has one value for all rows of this one.
    (one.kind === "column" && isOutside(one.parts, scope));
  const column = given(right)
    ? scope.columnOf(left)
    : given(left)
    ? scope.columnOf(right)
    : undefined;
  return column === undefined ? [] : [column.name];
}

function isOutside(parts: readonly string[], scope: Scope): boolean {
  return scope.aliasOf(parts) === undefined && scope.matches(parts).length === 0;
}

/** Whether the rows of one group have the same row of a relation. */
export function groupsRows(relation: Relation, { grouped }: Scope): boolean {
  const names = relation.columns.map(({ name }) => name)
    .filter((name) => grouped.has(keyOf({ relation, name })));
  return holdsUnique(relation, new Set(names));
}

/** Which row a column outside of the aggregates is taken of must not be the planner's choice. */
export function checkGroups(select: Select, scope: Scope, findings: Findings): void {
  if (!scope.aggregated && select.groups.length === 0 && select.having === undefined) return;
  for (const { relation, column } of scope.bare) {
    if (column === undefined || scope.grouped.has(keyOf({ relation, name: column.name }))) continue;
    if (!groupsRows(relation, scope)) findings.incomparable.add("columns that are not grouped");
  }
}
