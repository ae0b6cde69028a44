import { ProgrammingError } from "../errors.ts";
import { described } from "./bindable.ts";
import { classify, type Verb } from "./classify.ts";
import { cleanTokens } from "./clean.ts";
import { shortened, tokenProblem } from "./problem.ts";
import { TokenView } from "./token_view.ts";
import { significantTokens, type Token } from "./tokenize.ts";

/** A statement of a script. */
export interface Part {
  /** Its text, cleaned. */
  readonly sql: string;
  /** The line that it begins on, from 1. */
  readonly line: number;
  /** What it does. */
  readonly verb: Verb;
  /** Its tokens in the text of the script, without the `;`. */
  readonly view: TokenView;
}

/**
 * The statements of a script, such as the text of a file: each without the `;`, blanks and comments around it, the body of
 * a CREATE TRIGGER whole. What is nothing but blanks and comments is left out.
 *
 * @param text SQL statements separated by `;`.
 * @throws {ProgrammingError} If it is not SQL as SQLite has it, such as a string that is not closed, a command of a shell
 * (`.mode`, `\d`) or another database's own (`DELIMITER`); the message names the line.
 * @throws {TypeError} If it is not text.
 *
 * @example
 * ```ts
 * import { splitScript } from "@tangled/rqlite";
 * import assert from "node:assert/strict";
 *
 * const statements = splitScript("CREATE TABLE t(a); -- first\nINSERT INTO t VALUES(';');");
 * assert.deepEqual(statements, ["CREATE TABLE t(a)", "INSERT INTO t VALUES(';')"]);
 * ```
 */
export function splitScript(text: string): string[] {
  return Array.from(partsOf(text), ({ sql }) => sql);
}

/** The parts of a script one by one, so that its tokens never exist all at once. */
export function* partsOf(script: string): Generator<Part, void, undefined> {
  if (typeof script !== "string") {
    throw new TypeError(`Cannot read ${described(script)} as a script: give its text`);
  }
  const isEnd = (tokens: readonly Token[]) =>
    endsAt(new TokenView(script, tokens), 0, tokens.length - 1);
  const lines = new Lines(script);
  for (let at = 0; at < script.length;) {
    const { tokens, comments, error, end } = significantTokens(script, at, isEnd);
    at = end;
    const view = new TokenView(script, tokens);
    if (view.is(tokens.length - 1, ";")) tokens.pop();
    if (tokens.length === 0) continue;
    const line = lines.at(view.start(0));
    const verb = classify(view);
    refuseForeign(view, verb, line);
    if (error !== undefined) {
      const place = `on line ${lines.at(error.start)}`;
      throw unreadable(tokenProblem(script, error, place));
    }
    yield { sql: cleanTokens(view, comments), line, verb, view };
  }
}

/** Refuses what no SQLite knows as the beginning of a statement. */
function refuseForeign(view: TokenView, { kind }: Verb, line: number): void {
  // WITH without a statement behind it is for SQLite to judge.
  if (kind !== "unknown" || view.isWord(0, "WITH")) return;
  const start = view.start(0);
  const [word = ""] = view.sql.slice(start, start + 100).split(/\s/, 1);
  const what = `${JSON.stringify(shortened(word))} on line ${line}`;
  const isCommand = word.startsWith(".") || word.startsWith("\\");
  throw unreadable(
    isCommand
      ? `${what} is a command of a shell, which only that can run: leave the line out`
      : `${what} does not begin a statement of SQLite: leave it out, or write what SQLite has for it`,
  );
}

function unreadable(problem: string): ProgrammingError {
  return new ProgrammingError(`Cannot read the script as ${problem}`);
}

/** Counts the lines up to offsets that only grow. */
class Lines {
  readonly #text: string;
  #next: number;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
    this.#next = text.indexOf("\n");
  }

  /** The number of the line at an offset. */
  at(offset: number): number {
    while (this.#next >= 0 && this.#next < offset) {
      this.#line++;
      this.#next = this.#text.indexOf("\n", this.#next + 1);
    }
    return this.#line;
  }
}

/**
 * The statements among the significant tokens, as index ranges without their `;`; empty ones are
 * left out. The body of a CREATE TRIGGER stays whole.
 */
export function statementRanges(view: TokenView): [number, number][] {
  const { length } = view.tokens;
  const ranges: [number, number][] = [];
  let from = 0;
  for (let i = 0; i <= length; i++) {
    if (i < length && !endsAt(view, from, i)) continue;
    if (i > from) ranges.push([from, i]);
    from = i + 1;
  }
  return ranges;
}

/** Whether the token at `end` is the `;` behind the statement that begins at `from`. */
function endsAt(view: TokenView, from: number, end: number): boolean {
  return view.is(end, ";") && !insideTrigger(view, from, end);
}

/** Whether the `;` at `end` belongs to the body of a trigger, which `; END` closes. */
function insideTrigger(view: TokenView, from: number, end: number): boolean {
  if (!isCreateTrigger(view, from)) return false;
  const closed = view.isWord(end - 1, "END") && view.is(end - 2, ";");
  return !closed && hasBegin(view, from, end);
}

function isCreateTrigger(view: TokenView, from: number): boolean {
  let at = from;
  if (view.isWord(at, "EXPLAIN")) at++;
  if (view.isWord(at, "QUERY") && view.isWord(at + 1, "PLAN")) at += 2;
  if (!view.isWord(at, "CREATE")) return false;
  at++;
  if (view.isWord(at, "TEMP") || view.isWord(at, "TEMPORARY")) at++;
  return view.isWord(at, "TRIGGER");
}

/** The body has begun: a `;` before that is the end of a statement that does not compile. */
function hasBegin(view: TokenView, from: number, end: number): boolean {
  for (let i = from; i < end; i++) {
    if (view.is(i, ";") || view.isWord(i, "BEGIN")) return true;
  }
  return false;
}
