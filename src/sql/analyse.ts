/**
 * Everything that the client must know of a statement before it sends it.
 *
 * @module
 */

import { statementRanges } from "./boundaries.ts";
import { TextCache } from "./cache.ts";
import {
  classify,
  type StatementKind,
  type Verb,
  type WriteParts,
  writeParts,
} from "./classify.ts";
import { cleanTokens } from "./clean.ts";
import { namesOf, numberPlaceholders, type Placeholder } from "./placeholders.ts";
import { isPlain } from "./plain.ts";
import { type Pragma, readPragma } from "./pragma.ts";
import { findProblem } from "./problem.ts";
import { rowsServed } from "./rows_served.ts";
import { type Foreign, foreignTarget } from "./scope.ts";
import { type SignificantTokens, significantTokens, type Token } from "./tokenize.ts";
import type { VolatileSite } from "./site.ts";
import { TokenView } from "./view.ts";
import { volatileSites } from "./volatile.ts";
import { isWord } from "./words.ts";

export type { StatementKind } from "./classify.ts";
export type { Placeholder } from "./placeholders.ts";
export type { Pragma, PragmaPlace } from "./pragma.ts";
export type { Foreign } from "./scope.ts";
export type { VolatileKind, VolatileSite } from "./site.ts";

/** What is known of one SQL string. Offsets are offsets in `text`. */
export interface Analysis {
  /** As the caller wrote it. */
  readonly source: string;
  /** What may be sent, see {@linkcode clean}; "" when nothing is left. */
  readonly text: string;
  /** What the statement does. */
  readonly kind: StatementKind;
  /** Its main keyword in upper case, behind WITH; "EXPLAIN" for an explained statement. */
  readonly verb: string;
  /** How many statements with content the string holds. */
  readonly statements: number;
  /** Each occurrence of a placeholder. */
  readonly placeholders: readonly Placeholder[];
  /** The highest number of a placeholder. */
  readonly parameterCount: number;
  /** By number less one: the bare name of a named placeholder. */
  readonly names: readonly (string | undefined)[];
  /** A write with RETURNING at the top level. */
  readonly returning: boolean;
  /** A RETURNING write that every server's own parser understands. */
  readonly plain: boolean;
  /** The target of a write as written, such as `main."t"`. */
  readonly table: string | undefined;
  /** It stores rows that it computes: a write, or CREATE TABLE … AS SELECT. */
  readonly stores: boolean;
  /** A read with FROM, at any depth. */
  readonly from: boolean;
  /** ON CONFLICT … DO UPDATE. */
  readonly upsert: boolean;
  /** What a write says of conflicts by OR, in upper case. */
  readonly or: string | undefined;
  /** What a PRAGMA is about, also one that is explained. */
  readonly pragma: Pragma | undefined;
  /** What a write or DDL is about that not all nodes have alike. */
  readonly foreign: Foreign | undefined;
  /** What every node would evaluate for itself; never inside the stored text of DDL. */
  readonly volatile: readonly VolatileSite[];
  /** Why SQLite could not even cut the text into tokens. */
  readonly problem: string | undefined;
}

const cache: TextCache<Analysis> = new TextCache(1000, 1_000_000);

/**
 * Analyses a string that should hold one statement. Answers are cached by text.
 *
 * @param sql Any text; what is wrong with it is said in the answer, nothing is thrown.
 */
export function analyse(sql: string): Analysis {
  const known = cache.get(sql);
  if (known !== undefined) return known;
  const analysis = analyseNow(sql);
  cache.set(sql, analysis);
  return analysis;
}

function analyseNow(source: string): Analysis {
  const scan = significantTokens(source);
  if (scan.error !== undefined) return assemble(source, source, scan);
  const text = cleanTokens(source, scan.tokens, scan.comments);
  return assemble(source, text, text === source ? scan : significantTokens(text));
}

function assemble(source: string, text: string, scan: SignificantTokens): Analysis {
  const ranges = statementRanges(text, scan.tokens);
  const [from, to] = ranges[0] ?? [0, 0];
  const tokens = from === 0 && to === scan.tokens.length
    ? scan.tokens
    : scan.tokens.slice(from, to);
  const verb = classify(text, tokens);
  const parts = verb.kind === "write" ? writeParts(text, tokens, verb.at) : undefined;
  const placeholders = numberPlaceholders(text, scan.tokens);
  const stores = verb.kind === "write" || createsFromSelect(text, tokens);
  return {
    source,
    text,
    kind: verb.kind,
    verb: verb.verb,
    statements: ranges.length,
    placeholders: placeholders.list,
    parameterCount: placeholders.count,
    names: namesOf(placeholders),
    ...writeFacts(text, tokens, parts, ranges.length),
    stores,
    from: verb.kind === "read" && tokens.some((token) => isWord(text, token, "FROM")),
    pragma: pragmaOf(text, tokens, verb),
    foreign: verb.kind === "write" || verb.kind === "ddl"
      ? foreignTarget(text, tokens, verb.at)
      : undefined,
    volatile: sitesOf(text, tokens, verb, stores, placeholders.list),
    problem: findProblem(text, scan.error, placeholders.refused, verb.verb),
  };
}

/** Most PRAGMAs do what they do when they are compiled: EXPLAIN is no safer. */
function pragmaOf(text: string, tokens: readonly Token[], { kind }: Verb): Pragma | undefined {
  if (kind === "pragma") return readPragma(text, tokens);
  if (kind !== "explain") return undefined;
  const at = isWord(text, tokens[1], "QUERY") && isWord(text, tokens[2], "PLAN") ? 3 : 1;
  return isWord(text, tokens[at], "PRAGMA") ? readPragma(text, tokens, at) : undefined;
}

function writeFacts(
  text: string,
  tokens: readonly Token[],
  parts: WriteParts | undefined,
  statements: number,
): Pick<Analysis, "returning" | "plain" | "table" | "upsert" | "or"> {
  const returning = parts?.returning ?? false;
  return {
    returning,
    plain: returning && statements === 1 && isPlain(text, tokens),
    table: parts?.table,
    upsert: parts?.upsert ?? false,
    or: parts?.or,
  };
}

function sitesOf(
  text: string,
  tokens: readonly Token[],
  verb: Verb,
  stores: boolean,
  placeholders: readonly Placeholder[],
): VolatileSite[] {
  if (!stores && verb.kind !== "read" && verb.kind !== "explain") return [];
  let next = 0;
  const sites = volatileSites(text, tokens, (start) => {
    while (next < placeholders.length && placeholders[next]!.start < start) next++;
    return placeholders[next]?.index ?? 0;
  });
  return stores ? sites.map((site) => withRows(site, text, tokens, verb)) : sites;
}

function withRows(
  site: VolatileSite,
  text: string,
  tokens: readonly Token[],
  { at }: Verb,
): VolatileSite {
  if (site.kind !== "random" && site.kind !== "randomblob") return site;
  const place = tokens.findIndex(({ start }) => start === site.start);
  const rows = rowsServed(new TokenView(text, tokens), place, at);
  return rows === "one" ? site : { ...site, rows };
}

/** CREATE TABLE … AS SELECT stores rows, not its text. */
function createsFromSelect(text: string, tokens: readonly Token[]): boolean {
  if (!isWord(text, tokens[0], "CREATE")) return false;
  const at = isWord(text, tokens[1], "TEMP") || isWord(text, tokens[1], "TEMPORARY") ? 2 : 1;
  if (!isWord(text, tokens[at], "TABLE")) return false;
  const as = tokens.findIndex((token) => isWord(text, token, "AS"));
  return as > 0 && !tokens.slice(0, as).some((token) => text[token.start] === "(");
}
