import { classify, writeParts } from "../sql/classify.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import { isWord } from "../sql/words.ts";

/**
 * Whether rqlite answers a write with rows. It looks for `returning` and a blank, and then needs
 * its own parser, which does not know `[name]` and `IS DISTINCT FROM`.
 */
export function returnsRows(sql: string): boolean {
  if (!/returning /i.test(sql)) return false;
  const { tokens } = significantTokens(sql);
  const end = tokens.findIndex((token) => sql.slice(token.start, token.end) === ";");
  const own = explained(sql, end < 0 ? tokens : tokens.slice(0, end));
  const { kind, at } = classify(sql, own);
  return kind === "write" && writeParts(sql, own, at).returning && isParsable(sql, own);
}

function explained(sql: string, tokens: readonly Token[]): readonly Token[] {
  if (!isWord(sql, tokens[0], "EXPLAIN")) return tokens;
  return tokens.slice(isWord(sql, tokens[1], "QUERY") ? 3 : 1);
}

function isParsable(sql: string, tokens: readonly Token[]): boolean {
  return !tokens.some((token, i) =>
    sql.startsWith("[", token.start) ||
    (isWord(sql, token, "DISTINCT") && isWord(sql, tokens[i + 1], "FROM"))
  );
}
