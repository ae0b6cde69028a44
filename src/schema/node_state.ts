import { TokenView } from "../sql/token_view.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import { volatileValuesIn } from "../sql/volatile_values.ts";

/** Functions that answer the same for the same arguments on every node; dates with a time of their own are, too. */
const sharedFunctions: ReadonlySet<string> = new Set(
  `abs acos acosh asin asinh atan atan2 atanh avg bm25 ceil ceiling char coalesce concat concat_ws cos cosh count
  cume_dist date datetime degrees dense_rank exp first_value floor format fts5 generate_series glob group_concat hex highlight if ifnull
  iif instr json json_array json_array_insert json_array_length json_each json_error_position json_extract
  json_group_array json_group_object json_insert json_object json_patch json_pretty json_quote json_remove json_replace
  json_set json_tree json_type json_valid jsonb jsonb_array jsonb_array_insert jsonb_each jsonb_extract
  jsonb_group_array jsonb_group_object jsonb_insert jsonb_object jsonb_patch jsonb_remove jsonb_replace jsonb_set
  jsonb_tree julianday lag last_value lead length like likelihood likely ln log log10 log2 lower ltrim match max median
  min mod nth_value ntile nullif octet_length percent_rank percentile percentile_cont percentile_disc pi pow power
  printf quote radians raise rank replace round row_number rtrim sign sin sinh snippet soundex sqrt strftime
  string_agg substr substring subtype sum tan tanh time timediff total trim trunc typeof unhex unicode unistr
  unistr_quote unixepoch unlikely upper zeroblob`.split(/\s+/),
);

/** Words that a parenthesis follows without a call. */
const notCalled: ReadonlySet<string> = new Set(
  `ALL AND AS BETWEEN BY CASE CAST CHECK CONFLICT DISTINCT ELSE ESCAPE EXCEPT EXISTS FILTER FROM GROUP HAVING IN INTERSECT IS
  JOIN KEY LIMIT MATERIALIZED NOT OFFSET ON OR OVER REFERENCES RETURNING SELECT SET THEN UNION UNIQUE USING VALUES WHEN
  WHERE WITH`.split(/\s+/),
);

const presentTime: readonly string[] = ["CURRENT_TIMESTAMP", "CURRENT_DATE", "CURRENT_TIME"];

/** The same in all databases of a cluster, though its name begins with sqlite_. */
const SEQUENCE = "sqlite_sequence";

/** The tokens of a text, or `undefined` if SQLite could not cut it. */
export function viewOf(sql: string): TokenView | undefined {
  const { tokens, error } = significantTokens(sql);
  return error === undefined ? new TokenView(sql, tokens) : undefined;
}

/**
 * Whether the text holds a clock, chance, connection state, a function that is not known to be free of them, or what a
 * node keeps for itself. A time read from a column is taken for a time.
 */
export function usesNode(view: TokenView): boolean {
  if (volatileValuesIn(view, () => 0).some(({ index }) => index === undefined)) return true;
  return view.tokens.some((token, i) => view.isName(i) && differs(view, i, token));
}

function differs(view: TokenView, i: number, { kind }: Token): boolean {
  if (kind === "word") {
    if (view.isOneOf(i, presentTime)) return !view.is(i - 1, ".") && !view.isWord(i - 1, "AS");
    if (view.isWord(i, "REGEXP")) return true;
  }
  const name = view.name(i).toLowerCase();
  const named = kind !== "string" || view.isOneOf(i - 1, ["FROM", "JOIN"]);
  if (named && isOwnOfNode(name)) return true;
  if (kind === "string" || !view.is(i + 1, "(")) return false;
  return !sharedFunctions.has(name) && isCalled(view, i, kind === "word");
}

function isOwnOfNode(name: string): boolean {
  return name === "dbstat" || name.startsWith("pragma_") ||
    (name.startsWith("sqlite_") && name !== SEQUENCE);
}

/** Not a keyword, a target of INSERT, a type, or the head of a common table expression. */
function isCalled(view: TokenView, i: number, word: boolean): boolean {
  if (word && notCalled.has(view.text(i).toUpperCase())) return false;
  if (view.isOneOf(i - 1, ["INTO", "AS"])) return false;
  if (view.is(i - 1, ".") && view.isWord(i - 3, "INTO")) return false;
  const end = view.groupEnd(i + 1);
  const head = view.isWord(end, "AS") &&
    (view.is(end + 1, "(") || view.isOneOf(end + 1, ["NOT", "MATERIALIZED"]));
  return !head;
}

/** The names in the text, in lower case: words, and whatever stands in quotes. */
export function namesIn(view: TokenView): Set<string> {
  const names = new Set<string>();
  view.tokens.forEach((_, i) => view.isName(i) && names.add(view.name(i).toLowerCase()));
  return names;
}

/** Whether a read selects `*` or `t.*` anywhere; not `count(*)`, not a multiplication. */
function hasStar(view: TokenView): boolean {
  return view.tokens.some((_, i) =>
    view.is(i, "*") &&
    (view.is(i - 1, ",") || view.is(i - 1, ".") ||
      view.isOneOf(i - 1, ["SELECT", "DISTINCT", "ALL"]))
  );
}

/** Whether the text may use columns without naming them: by `*`, NATURAL JOIN or `IN table`. */
export function usesUnnamed(view: TokenView): boolean {
  if (hasStar(view)) return true;
  return view.tokens.some((_, i) =>
    view.isWord(i, "NATURAL") || (view.isWord(i, "IN") && !view.is(i + 1, "("))
  );
}
