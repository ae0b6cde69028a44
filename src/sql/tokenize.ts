import { Beginning, beginning, isDigit, isHexDigit, isIdentifier, isSpace } from "./characters.ts";

// SQLite's lexical grammar, character for character as its own tokenizer has it.

/** What a token is; an "error" is what SQLite calls an unrecognized token. */
export type TokenKind =
  | "word"
  | "string"
  | "quoted"
  | "number"
  | "blob"
  | "placeholder"
  | "punct"
  | "space"
  | "comment"
  | "error";

/** A piece of the text, from `start` up to and without `end`. */
export interface Token {
  /** What it is. */
  readonly kind: TokenKind;
  /** Offset of its first character. */
  readonly start: number;
  /** Offset behind its last character. */
  readonly end: number;
}

/**
 * Cuts SQL into tokens that cover it without a gap.
 *
 * @param sql Any text; what SQLite would not accept becomes tokens of kind "error".
 */
export function tokenize(sql: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < sql.length;) {
    const token = readToken(sql, at);
    tokens.push(token);
    at = token.end;
  }
  return tokens;
}

/** The tokens that mean something, and whether there were comments among them. */
export interface SignificantTokens {
  /** Everything but space and comments. */
  readonly tokens: Token[];
  /** A comment was left out. */
  readonly comments: boolean;
  /** The first "error" token. */
  readonly error: Token | undefined;
  /** Offset behind the last character that was looked at. */
  readonly end: number;
}

/**
 * Cuts SQL into tokens and leaves out space and comments.
 *
 * @param sql Any text.
 * @param from Offset of the first character to look at.
 * @param isEnd Whether a `;`, the last of the tokens so far, is the last token to find.
 */
export function significantTokens(
  sql: string,
  from = 0,
  isEnd?: (tokens: readonly Token[]) => boolean,
): SignificantTokens {
  const tokens: Token[] = [];
  let comments = false;
  let error: Token | undefined;
  let at = from;
  while (at < sql.length) {
    // Most tokens are followed by one blank: not worth an object that is thrown away.
    if (sql.charCodeAt(at) === 32 && !isSpace(sql.charCodeAt(at + 1))) {
      at++;
      continue;
    }
    const token = readToken(sql, at);
    at = token.end;
    if (token.kind === "space") continue;
    if (token.kind === "comment") {
      comments = true;
      continue;
    }
    if (token.kind === "error") error ??= token;
    tokens.push(token);
    if (isEnd !== undefined && sql.charCodeAt(token.start) === 59 && isEnd(tokens)) break;
  }
  return { tokens, comments, error, end: at };
}

function readToken(sql: string, start: number): Token {
  const code = sql.charCodeAt(start);
  switch (beginning(code)) {
    case Beginning.word:
      return { kind: "word", start, end: identifierEnd(sql, start + 1) };
    case Beginning.mark:
      return { kind: "punct", start, end: start + 1 };
    case Beginning.space:
      return { kind: "space", start, end: spaceEnd(sql, start + 1) };
    case Beginning.digit:
      return token("number", start, scanNumber(sql, start));
    case Beginning.quote:
      return token(code === 39 ? "string" : "quoted", start, scanQuoted(sql, start, code));
    case Beginning.question:
      return { kind: "placeholder", start, end: digitsEnd(sql, start + 1) };
    case Beginning.variable:
      return token("placeholder", start, scanVariable(sql, start));
    case Beginning.other:
      return readOther(sql, start, code);
  }
  return { kind: "error", start, end: start + 1 };
}

/** What takes a second look. */
function readOther(sql: string, start: number, code: number): Token {
  const next = sql.charCodeAt(start + 1);
  switch (code) {
    case 0xfeff: // a byte order mark; behind the first letter of a word it would belong to that
      return { kind: "space", start, end: start + 1 };
    case 88: // X
    case 120: // x
      return next === 39
        ? token("blob", start, scanBlob(sql, start))
        : { kind: "word", start, end: identifierEnd(sql, start + 1) };
    case 91: // [
      return token("quoted", start, closing(sql, "]", start));
    case 46: // .
      if (isDigit(next)) return token("number", start, scanNumber(sql, start));
      break;
    case 45: // -
      if (next === 45) return { kind: "comment", start, end: lineEnd(sql, start + 2) };
      break;
    case 47: // /
      // As the last two characters of a text they are two operators for SQLite.
      if (next === 42 && start + 2 < sql.length) {
        return { kind: "comment", start, end: blockCommentEnd(sql, start + 2) };
      }
      break;
    case 33: // !
      if (next !== 61) return { kind: "error", start, end: start + 1 };
  }
  return { kind: "punct", start, end: start + operatorLength(code, next, sql, start) };
}

/** Scanners answer the complement of the end for what SQLite would not accept. */
function token(kind: TokenKind, start: number, end: number): Token {
  return end < 0 ? { kind: "error", start, end: ~end } : { kind, start, end };
}

function operatorLength(code: number, next: number, sql: string, start: number): number {
  switch (code) {
    case 45: // - -> ->>
      return next !== 62 ? 1 : sql.charCodeAt(start + 2) === 62 ? 3 : 2;
    case 60: // < <= <> <<
      return next >= 60 && next <= 62 ? 2 : 1;
    case 62: // > >= >>
      return next === 61 || next === 62 ? 2 : 1;
    case 33: // !=
    case 61: // = ==
      return next === 61 ? 2 : 1;
    case 124: // | ||
      return next === 124 ? 2 : 1;
  }
  return 1;
}

/** The slash in a slash-star-slash does not close; a comment that is not closed runs to the end. */
function blockCommentEnd(sql: string, from: number): number {
  const close = sql.indexOf("*/", from);
  return close === -1 ? sql.length : close + 2;
}

function lineEnd(sql: string, from: number): number {
  const end = sql.indexOf("\n", from);
  return end === -1 ? sql.length : end;
}

function closing(sql: string, mark: string, start: number): number {
  const end = sql.indexOf(mark, start + 1);
  return end === -1 ? ~sql.length : end + 1;
}

function identifierEnd(sql: string, from: number): number {
  let end = from;
  while (isIdentifier(sql.charCodeAt(end))) end++;
  return end;
}

function spaceEnd(sql: string, from: number): number {
  let end = from;
  while (isSpace(sql.charCodeAt(end))) end++;
  return end;
}

function digitsEnd(sql: string, from: number): number {
  let end = from;
  while (isDigit(sql.charCodeAt(end))) end++;
  return end;
}

/** `'…'`, `"…"` and `` `…` ``, in which a doubled mark stands for itself. */
function scanQuoted(sql: string, start: number, mark: number): number {
  const character = sql.charAt(start);
  for (let at = start + 1;;) {
    const close = sql.indexOf(character, at);
    if (close === -1) return ~sql.length;
    if (sql.charCodeAt(close + 1) !== mark) return close + 1;
    at = close + 2;
  }
}

/** `x'…'` with an even number of hexadecimal digits. */
function scanBlob(sql: string, start: number): number {
  let end = start + 2;
  while (isHexDigit(sql.charCodeAt(end))) end++;
  if (sql.charCodeAt(end) === 39 && (end - start) % 2 === 0) return end + 1;
  const close = sql.indexOf("'", end);
  return ~(close === -1 ? sql.length : close + 1);
}

/** `:a`, `@a`, `$a` and `#a`, with `::` and one `(…)` as Tcl writes them. */
function scanVariable(sql: string, start: number): number {
  let named = false;
  for (let at = start + 1;; at++) {
    const code = sql.charCodeAt(at);
    if (isIdentifier(code)) named = true;
    else if (code === 40 && named) return suffixEnd(sql, at + 1);
    else if (code === 58 && sql.charCodeAt(at + 1) === 58) at++;
    else return accept(at, named && !isRegister(sql, start));
  }
}

/** `#1` is SQLite's own register notation, refused in statements from outside. */
function isRegister(sql: string, start: number): boolean {
  return sql.charCodeAt(start) === 35 && isDigit(sql.charCodeAt(start + 1));
}

function suffixEnd(sql: string, from: number): number {
  let at = from;
  while (at < sql.length && sql.charCodeAt(at) !== 41 && !isSpace(sql.charCodeAt(at))) at++;
  return sql.charCodeAt(at) === 41 ? at + 1 : ~at;
}

/** `12`, `1_000`, `0x1F`, `.5`, `5.`, `1.5e-3`. */
function scanNumber(sql: string, start: number): number {
  const hex = sql.charCodeAt(start) === 48 && (sql.charCodeAt(start + 1) | 32) === 120 &&
    isHexDigit(sql.charCodeAt(start + 2));
  const end = hex ? hexDigitsEnd(sql, start + 2) : decimalEnd(sql, start);
  let tail = end;
  while (isIdentifier(sql.charCodeAt(tail))) tail++;
  return accept(tail, tail === end && separatorsFit(sql, start, end, hex));
}

function hexDigitsEnd(sql: string, from: number): number {
  let end = from;
  while (isHexDigit(sql.charCodeAt(end)) || sql.charCodeAt(end) === 95) end++;
  return end;
}

function decimalEnd(sql: string, start: number): number {
  let end = digitsOrSeparatorsEnd(sql, start);
  if (sql.charCodeAt(end) === 46) end = digitsOrSeparatorsEnd(sql, end + 1);
  if ((sql.charCodeAt(end) | 32) !== 101) return end;
  const sign = sql.charCodeAt(end + 1);
  const exponent = sign === 43 || sign === 45 ? end + 2 : end + 1;
  return isDigit(sql.charCodeAt(exponent)) ? digitsOrSeparatorsEnd(sql, exponent) : end;
}

function digitsOrSeparatorsEnd(sql: string, from: number): number {
  let end = from;
  while (isDigit(sql.charCodeAt(end)) || sql.charCodeAt(end) === 95) end++;
  return end;
}

/** Each `_` must stand between two digits. */
function separatorsFit(sql: string, start: number, end: number, hex: boolean): boolean {
  const fits = hex ? isHexDigit : isDigit;
  for (let at = start; at < end; at++) {
    if (sql.charCodeAt(at) !== 95) continue;
    if (!fits(sql.charCodeAt(at - 1)) || !fits(sql.charCodeAt(at + 1))) return false;
  }
  return true;
}

function accept(end: number, good: boolean): number {
  return good ? end : ~end;
}
