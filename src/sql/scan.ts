/**
 * Scanners of the longer tokens. Each is given where the token begins and answers where it ends, or
 * the bitwise complement (`~end`, negative) of that where SQLite would not accept the token.
 *
 * @module
 */

import { isDigit, isHexDigit, isIdentifier, isSpace } from "./chars.ts";

/** `'…'`, `"…"` and `` `…` ``, in which a doubled mark stands for itself. */
export function scanQuoted(sql: string, start: number, mark: number): number {
  const character = sql[start]!;
  for (let at = start + 1;;) {
    const close = sql.indexOf(character, at);
    if (close === -1) return ~sql.length;
    if (sql.charCodeAt(close + 1) !== mark) return close + 1;
    at = close + 2;
  }
}

/** `x'…'` with an even number of hexadecimal digits. */
export function scanBlob(sql: string, start: number): number {
  let end = start + 2;
  while (isHexDigit(sql.charCodeAt(end))) end++;
  if (sql.charCodeAt(end) === 39 && (end - start) % 2 === 0) return end + 1;
  const close = sql.indexOf("'", end);
  return ~(close === -1 ? sql.length : close + 1);
}

/** `:a`, `@a`, `$a` and `#a`, with `::` and one `(…)` as Tcl writes them. */
export function scanVariable(sql: string, start: number): number {
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
export function scanNumber(sql: string, start: number): number {
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
  let end = digitsEnd(sql, start);
  if (sql.charCodeAt(end) === 46) end = digitsEnd(sql, end + 1);
  if ((sql.charCodeAt(end) | 32) !== 101) return end;
  const sign = sql.charCodeAt(end + 1);
  const exponent = sign === 43 || sign === 45 ? end + 2 : end + 1;
  return isDigit(sql.charCodeAt(exponent)) ? digitsEnd(sql, exponent) : end;
}

function digitsEnd(sql: string, from: number): number {
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
