/**
 * Everything that the client must know of a statement before it sends it.
 *
 * @module
 */

import { statementRanges } from "./boundaries.ts";
import { TextCache } from "./cache.ts";
import { classify, type StatementKind, type Verb, writeParts } from "./classify.ts";
import { cleanTokens } from "./clean.ts";
import { namesOf, numberPlaceholders, type Placeholder } from "./placeholders.ts";
import { type Pragma, readPragma } from "./pragma.ts";
import { findProblem } from "./problem.ts";
import { type Foreign, foreignTarget } from "./scope.ts";
import { type SignificantTokens, significantTokens, type Token } from "./tokenize.ts";
import { isWord } from "./words.ts";

export type { StatementKind } from "./classify.ts";
export type { Placeholder } from "./placeholders.ts";
export type { Pragma, PragmaPlace } from "./pragma.ts";
export type { Foreign } from "./scope.ts";

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
  return {
    source,
    text,
    kind: verb.kind,
    verb: verb.verb,
    statements: ranges.length,
    placeholders: placeholders.list,
    parameterCount: placeholders.count,
    names: namesOf(placeholders),
    returning: parts?.returning ?? false,
    table: parts?.table,
    upsert: parts?.upsert ?? false,
    or: parts?.or,
    stores: verb.kind === "write" || createsFromSelect(text, tokens),
    from: verb.kind === "read" && tokens.some((token) => isWord(text, token, "FROM")),
    pragma: pragmaOf(text, tokens, verb),
    foreign: verb.kind === "write" || verb.kind === "ddl"
      ? foreignTarget(text, tokens, verb.at)
      : undefined,
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

/** CREATE TABLE … AS SELECT stores rows, not its text. */
function createsFromSelect(text: string, tokens: readonly Token[]): boolean {
  if (!isWord(text, tokens[0], "CREATE")) return false;
  const at = isWord(text, tokens[1], "TEMP") || isWord(text, tokens[1], "TEMPORARY") ? 2 : 1;
  if (!isWord(text, tokens[at], "TABLE")) return false;
  const as = tokens.findIndex((token) => isWord(text, token, "AS"));
  return as > 0 && !tokens.slice(0, as).some((token) => text[token.start] === "(");
}
