import { statementRanges } from "../sql/split.ts";
import { classify, writeParts } from "../sql/classify.ts";
import { TokenView } from "../sql/token_view.ts";
import { goTrim } from "./go_text.ts";

/** One statement of a string. */
export interface Piece {
  /** The statement with its semicolon; "" when there is nothing but blanks and comments. */
  readonly sql: string;
  /** Its tokens in the whole string, which ends at a NUL character: SQLite does not look further. */
  readonly view: TokenView;
}

/**
 * Cuts a string into the statements that SQLite would compile one after the other. Whatever follows
 * the last semicolon and says nothing, such as a comment, is a piece too: rqlite compiles it and
 * loses the result of the statement before.
 */
export function toPieces(sql: string): Piece[] {
  const source = sql.split("\0", 1)[0] ?? "";
  const whole = TokenView.of(source);
  const pieces: Piece[] = [];
  let at = 0;
  for (const [from, to] of statementRanges(whole)) {
    const end = whole.end(to);
    const text = source.slice(at, end);
    // rqlite trims what is left after each statement, which shows in some of SQLite's errors.
    const sql = at === 0 ? text : goTrim(text);
    pieces.push({ sql, view: whole.slice(from, to) });
    at = end;
  }
  const trailing = pieces.length === 0 || goTrim(source.slice(at)) !== "";
  if (trailing) pieces.push({ sql: "", view: whole.slice(0, 0) });
  return pieces;
}

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

/** rqlite's own parser knows that an EXPLAIN changes nothing, which SQLite does not tell. */
export function isExplain(sql: string): boolean {
  return /explain /i.test(sql) && TokenView.of(sql).isWord(0, "EXPLAIN");
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
