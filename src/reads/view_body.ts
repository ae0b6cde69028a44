import { analyse } from "../sql/analyse.ts";
import { significantTokens } from "../sql/tokenize.ts";
import { groupEnd, isWord } from "../sql/words.ts";

/** The SELECT of a CREATE VIEW, without comments; `undefined` if there is none. */
export function viewBody(sql: string): string | undefined {
  const { text } = analyse(sql);
  const { tokens } = significantTokens(text);
  for (let i = 1; i < tokens.length;) {
    if (isWord(text, tokens[i], "AS") && tokens[i + 1] !== undefined) {
      const last = tokens.at(-1)!;
      return text.slice(tokens[i + 1]!.start, text[last.start] === ";" ? last.start : last.end);
    }
    i = text[tokens[i]!.start] === "(" ? groupEnd(text, tokens, i) : i + 1;
  }
  return undefined;
}
