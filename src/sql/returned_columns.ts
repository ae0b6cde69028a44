import { significantTokens } from "./tokenize.ts";
import { isName, isPunct, isWord } from "./words.ts";

/** Whether RETURNING names nothing but columns, so that the types of its rows are declared ones. */
export function returnsColumns(sql: string): boolean {
  const { tokens } = significantTokens(sql);
  const at = tokens.findLastIndex((token) => isWord(sql, token, "RETURNING"));
  return tokens.slice(at + 1).every((token, i, list) =>
    isName(token)
      ? token.kind !== "string" && !isWord(sql, token, "CASE") && !isWord(sql, token, "NULL")
      : isPunct(sql, token, ",") || isPunct(sql, token, ".") ||
        (isPunct(sql, token, "*") && !isName(list[i - 1]))
  );
}
