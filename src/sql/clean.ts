import { TokenView } from "./token_view.ts";
import { significantTokens, tokenize } from "./tokenize.ts";

// What may be sent of a statement. Servers hang, lose rows or lose the write on comments and blanks
// around statements, and the newer ones see RETURNING only before a blank.

/**
 * A statement without the blanks, comments and `;` around it. Comments inside become a blank each,
 * but stay in CREATE and ALTER, whose text the database keeps. A blank follows RETURNING. Text that
 * SQLite cannot cut into tokens is left as it is.
 *
 * @example
 * ```ts
 * import { clean } from "./clean.ts";
 * clean("SELECT /* all *" + "/ 1; -- done"); // "SELECT   1"
 * ```
 */
export function clean(sql: string): string {
  const { tokens, comments, error } = significantTokens(sql);
  return error === undefined ? cleanTokens(new TokenView(sql, tokens), comments) : sql;
}

/**
 * The same for a text whose tokens are at hand.
 *
 * @param comments Whether there is any comment in the text.
 */
export function cleanTokens(view: TokenView, comments: boolean): string {
  let first = 0;
  let last = view.tokens.length;
  while (first < last && view.is(first, ";")) first++;
  while (last > first && view.is(last - 1, ";")) last--;
  const part = view.between(first, last);
  if (view.isWord(first, "CREATE") || view.isWord(first, "ALTER")) return part;
  const text = comments ? withoutComments(part) : part;
  return lacksBlank(view, last) ? withBlanks(text) : text;
}

function withoutComments(part: string): string {
  if (!part.includes("--") && !part.includes("/*")) return part;
  let text = "";
  for (const { kind, start, end } of tokenize(part)) {
    text += kind === "comment" ? " " : part.slice(start, end);
  }
  return text;
}

/** Whether no blank follows a RETURNING that is not the last token. @param last The index behind that. */
function lacksBlank(view: TokenView, last: number): boolean {
  for (let i = view.find("RETURNING"); i >= 0 && i < last - 1; i = view.find("RETURNING", i + 1)) {
    if (view.sql.charCodeAt(view.end(i)) !== 32) return true;
  }
  return false;
}

/** A blank behind each RETURNING that has none. */
function withBlanks(text: string): string {
  const view = TokenView.of(text);
  let spaced = "";
  let from = 0;
  for (const [i, { end }] of view.tokens.entries()) {
    if (!view.isWord(i, "RETURNING") || end === text.length || text.charCodeAt(end) === 32) {
      continue;
    }
    spaced += text.slice(from, end) + " ";
    from = end;
  }
  return spaced + text.slice(from);
}
