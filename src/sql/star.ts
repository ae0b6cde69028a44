/**
 * Finding `*` as a result column.
 *
 * @module
 */

import type { TokenView } from "./token_view.ts";

/** Whether a read selects `*` or `t.*` anywhere; not `count(*)`, not a multiplication. */
export function hasStar(view: TokenView): boolean {
  return view.tokens.some((_, i) => view.is(i, "*") && opensColumn(view, i - 1));
}

function opensColumn(view: TokenView, i: number): boolean {
  return view.is(i, ",") || view.is(i, ".") || view.isOneOf(i, ["SELECT", "DISTINCT", "ALL"]);
}
