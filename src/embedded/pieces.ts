import { TokenView } from "../sql/token_view.ts";
import { statementRanges } from "../sql/boundaries.ts";
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
