import { NotSupportedError } from "../errors.ts";
import {
  classify,
  type Pragma,
  readPragma,
  type StatementKind,
  type Verb,
  writeParts,
} from "./classify.ts";
import { cleanTokens } from "./clean.ts";
import { namesOf, numberPlaceholders, type Placeholder } from "./placeholders.ts";
import { findProblem } from "./problem.ts";
import { statementRanges } from "./split.ts";
import { TextCache } from "./text_cache.ts";
import { TokenView } from "./token_view.ts";
import { significantTokens, type Token } from "./tokenize.ts";

/** What the client must know of one SQL string before it sends it. Offsets are offsets in `text`. */
export interface Analysis {
  /** As the caller wrote it. */
  readonly source: string;
  /** What may be sent: without blanks and comments around it; "" when nothing is left. */
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
  /** The tokens of `text`, if they are kept; {@linkcode tokensOf} always has them. */
  readonly view: TokenView | undefined;
}

const cache: TextCache<Analysis> = new TextCache(1000, 1_000_000);

/**
 * The most tokens that are kept with an analysis, as they take ten times the memory of their text. Those of a read are
 * hardly ever asked for again.
 */
const MOST_KEPT = 250;

/** The tokens of `text`; those of most statements have been kept since they were analysed. */
export function tokensOf({ view, text }: Analysis): TokenView {
  return view ?? TokenView.of(text);
}

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

/** Whether a statement goes into the log; what nobody can classify is taken for a write, so that it is never repeated. */
export function changes({ kind, pragma }: Analysis): boolean {
  switch (kind) {
    case "read":
    case "explain":
    case "empty":
      return false;
    case "pragma":
      return pragma?.writes ?? true;
    default:
      return true;
  }
}

function analyseNow(source: string): Analysis {
  const { tokens, comments, error } = significantTokens(source);
  const view = new TokenView(source, tokens);
  if (error !== undefined) return assemble(source, view, error);
  const text = cleanTokens(view, comments);
  return assemble(source, text === source ? view : TokenView.of(text));
}

function assemble(source: string, whole: TokenView, error?: Token): Analysis {
  const { sql: text, tokens: { length } } = whole;
  const ranges = statementRanges(whole);
  const [from, to] = ranges[0] ?? [0, 0];
  const view = from === 0 && to === length ? whole : whole.slice(from, to);
  const verb = classify(view);
  const parts = verb.kind === "write" ? writeParts(view, verb.at) : undefined;
  const placeholders = numberPlaceholders(whole);
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
    stores: verb.kind === "write" || createsFromSelect(view),
    from: verb.kind === "read" && view.find("FROM") >= 0,
    pragma: pragmaOf(view, verb),
    foreign: verb.kind === "write" || verb.kind === "ddl"
      ? foreignTarget(view, verb.at)
      : undefined,
    problem: findProblem(text, error, placeholders.refused, verb.verb),
    view: verb.kind !== "read" && length <= MOST_KEPT ? whole : undefined,
  };
}

/** Most PRAGMAs do what they do when they are compiled: EXPLAIN is no safer. */
function pragmaOf(view: TokenView, { kind }: Verb): Pragma | undefined {
  if (kind === "pragma") return readPragma(view);
  if (kind !== "explain") return undefined;
  const at = view.isWord(1, "QUERY") && view.isWord(2, "PLAN") ? 3 : 1;
  return view.isWord(at, "PRAGMA") ? readPragma(view, at) : undefined;
}

/** CREATE TABLE … AS SELECT stores rows, not its text. */
function createsFromSelect(view: TokenView): boolean {
  if (!view.isWord(0, "CREATE")) return false;
  const at = view.isOneOf(1, ["TEMP", "TEMPORARY"]) ? 2 : 1;
  if (!view.isWord(at, "TABLE")) return false;
  const as = view.find("AS");
  return as > 0 && !view.tokens.slice(0, as).some((_, i) => view.is(i, "("));
}

/** What a statement does to something that is not part of the database that all nodes have. */
export type Foreign = "temporary" | "schema" | "file";

/**
 * What of a write or DDL would be a node's own: CREATE TEMP, another schema than `main` in the name of what it writes, or
 * VACUUM into a file.
 *
 * @param at The index of its main keyword.
 */
function foreignTarget(view: TokenView, at: number): Foreign | undefined {
  if (view.isWord(at, "VACUUM")) return vacuums(view, at);
  if (view.isWord(at, "CREATE") && view.isOneOf(at + 1, TEMPORARY)) return "temporary";
  const name = nameAt(view, at);
  const whole = !view.is(name + 1, ".");
  // ANALYZE and REINDEX take a schema as well as what is in it.
  if (whole && !view.isOneOf(at, ["ANALYZE", "REINDEX"])) return undefined;
  const schema = view.isName(name) ? view.name(name).toLowerCase() : "main";
  if (whole) return TEMPORARY_SCHEMA.test(schema) ? "temporary" : undefined;
  return schema === "main" ? undefined : schema === "temp" ? "temporary" : "schema";
}

/** Its name, and those of its own table. */
const TEMPORARY_SCHEMA = /^(temp|sqlite_temp_(master|schema))$/;

const TEMPORARY: readonly string[] = ["TEMP", "TEMPORARY"];

/** Whether anything but the database itself, under its own name or none, is named. */
function vacuums(view: TokenView, at: number): Foreign | undefined {
  const named = view.isName(at + 1) && view.name(at + 1).toLowerCase() === "main";
  return view.tokens.length > at + (named ? 2 : 1) ? "file" : undefined;
}

/** The index of the name behind the words that come before it. */
function nameAt(view: TokenView, at: number): number {
  let i = at + 1;
  if (view.isWord(i, "OR")) i += 2;
  while (view.isOneOf(i, INTRODUCING) && view.isName(i + 1)) i++;
  return i;
}

/** Words in front of the name, none of which may be one itself where another name follows. */
const INTRODUCING: readonly string[] =
  "EXISTS FROM IF INDEX INTO NOT TABLE TRIGGER UNIQUE VIEW VIRTUAL".split(" ");

/** A function that tells of an earlier statement. */
export type Counter = "last_insert_rowid" | "changes";

/** The first counter of the connection that a statement calls to find out about another one: in front of RETURNING. */
export function counterIn(analysis: Analysis): Counter | undefined {
  if (!/last_insert_rowid|changes/i.test(analysis.text)) return undefined;
  const view = tokensOf(analysis);
  for (let i = 0; i < view.tokens.length && !view.isWord(i, "RETURNING"); i++) {
    // A table may have such a name, too.
    const called = view.is(i + 1, "(") && view.is(view.is(i + 2, "*") ? i + 3 : i + 2, ")");
    const name = called ? view.name(i).toLowerCase() : "";
    if (name === "last_insert_rowid" || name === "changes") return name;
  }
  return undefined;
}

/** The error of a statement that asks without the statement that it is about. */
export function strayCounter(asks: Counter, { source }: Analysis): NotSupportedError {
  return new NotSupportedError(
    `Cannot send ${asks}() as each node would answer it by itself: take ${
      asks === "changes" ? "`rowsAffected`" : "`lastInsertId`"
    } of the result, or put the write that it is about in front of it, in the same batch or transaction`,
    { sql: source },
  );
}
