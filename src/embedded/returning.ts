import { classify, writeParts } from "../sql/classify.ts";
import { TokenView } from "../sql/token_view.ts";

/**
 * Whether rqlite answers a write with rows. It looks for `returning` and a blank, and then needs
 * its own parser, which does not know `[name]` and `IS DISTINCT FROM`.
 */
export function returnsRows(sql: string): boolean {
  if (!/returning /i.test(sql)) return false;
  const view = TokenView.of(sql);
  const end = view.tokens.findIndex((_, i) => view.is(i, ";"));
  const own = withoutExplain(end < 0 ? view : view.slice(0, end));
  const { kind, at } = classify(own);
  return kind === "write" && writeParts(own, at).returning && isParsable(own);
}

/** The tokens behind EXPLAIN, or all if it is none. */
export function withoutExplain(view: TokenView): TokenView {
  return view.isWord(0, "EXPLAIN") ? view.slice(view.isWord(1, "QUERY") ? 3 : 1) : view;
}

function isParsable(view: TokenView): boolean {
  return !view.tokens.some(({ start }, i) =>
    view.sql.startsWith("[", start) || (view.isWord(i, "DISTINCT") && view.isWord(i + 1, "FROM"))
  );
}
