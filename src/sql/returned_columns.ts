import { TokenView } from "./token_view.ts";

/** Whether RETURNING names nothing but columns, so that the types of its rows are declared ones. */
export function returnsColumns(sql: string): boolean {
  const view = TokenView.of(sql);
  const at = view.tokens.findLastIndex((_, i) => view.isWord(i, "RETURNING"));
  return view.tokens.every((token, i) =>
    i <= at ||
    (view.isName(i)
      ? token.kind !== "string" && !view.isOneOf(i, ["CASE", "NULL"])
      : view.is(i, ",") || view.is(i, ".") ||
        (view.is(i, "*") && (i === at + 1 || !view.isName(i - 1))))
  );
}
