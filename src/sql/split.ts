import { statementRanges } from "./boundaries.ts";
import { cleanTokens } from "./clean.ts";
import { significantTokens } from "./tokenize.ts";

/**
 * The statements of a script, each cleaned; those without content are left out. The body of a
 * CREATE TRIGGER stays whole.
 *
 * @param script SQL statements separated by `;`.
 *
 * @example
 * ```ts
 * import { split } from "./split.ts";
 * split("CREATE TABLE t(a); -- first\nINSERT INTO t VALUES(';');");
 * // ["CREATE TABLE t(a)", "INSERT INTO t VALUES(';')"]
 * ```
 */
export function split(script: string): string[] {
  const { tokens, comments } = significantTokens(script);
  return statementRanges(script, tokens).map(([from, to]) => {
    const part = tokens.slice(from, to);
    return part.some((token) => token.kind === "error")
      ? script.slice(part[0]!.start, part[part.length - 1]!.end)
      : cleanTokens(script, part, comments);
  });
}
