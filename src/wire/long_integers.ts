const QUOTE = '"';
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const DOT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;

/** The fewest digits of an integer beyond 2^53. */
const LONG = 16;

/** Beyond this, rounded, no integer has 64 bits. */
const INT64_END = 2 ** 63;

/** Whether a parsed number may be a 64-bit integer that lost digits. */
export function isDoubtful(value: number): boolean {
  const size = Math.abs(value);
  return size > Number.MAX_SAFE_INTEGER && size <= INT64_END;
}

/**
 * The exact values of the {@linkcode isDoubtful} numbers of a JSON text, in the order of the text: `bigint` for a
 * 64-bit integer. What is written with an exponent is left out. It jumps from quote to quote and looks at every
 * sixteenth character of what is between strings; a regular expression takes as long as parsing does.
 */
export function longIntegers(text: string): (number | bigint)[] {
  const found: (number | bigint)[] = [];
  for (let start = 0; start < text.length;) {
    const quote = text.indexOf(QUOTE, start);
    const end = quote < 0 ? text.length : quote;
    if (end - start >= LONG) scan(text, start, end, found);
    start = quote < 0 ? text.length : endOfString(text, quote);
  }
  return found;
}

/** The index behind the string that starts at `quote`. */
function endOfString(text: string, quote: number): number {
  let end = quote;
  do end = text.indexOf(QUOTE, end + 1); while (end > 0 && isEscaped(text, end));
  return end < 0 ? text.length : end + 1;
}

function isEscaped(text: string, quote: number): boolean {
  let at = quote - 1;
  while (text.charCodeAt(at) === BACKSLASH) at--;
  return (quote - at) % 2 === 0;
}

/** Collects from a part of the text that holds no strings. */
function scan(text: string, start: number, end: number, found: (number | bigint)[]): void {
  // A run of 16 digits cannot hide between two characters that are 16 apart.
  for (let probe = start + LONG - 1; probe < end;) {
    let runEnd = probe;
    if (isDigit(text, probe)) {
      let runStart = probe;
      while (runStart > start && isDigit(text, runStart - 1)) runStart--;
      while (isDigit(text, runEnd)) runEnd++;
      if (runEnd - runStart >= LONG) collect(text, runStart, runEnd, found);
    }
    probe = runEnd + LONG;
  }
}

function isDigit(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  return code >= ZERO && code <= NINE;
}

function collect(text: string, start: number, end: number, found: (number | bigint)[]): void {
  const before = text.charCodeAt(start - 1);
  if (before === DOT) return;
  const value = BigInt(text.slice(before === MINUS ? start - 1 : start, end));
  if (isSimple(text, start, end)) {
    found.push(value);
    return;
  }
  const rounded = Number(value);
  if (isDoubtful(rounded)) found.push(isInt64(value) && !isFraction(text, end) ? value : rounded);
}

/** Whether its length alone says that it is beyond 2^53 and has 64 bits: conversions cost more than all the rest. */
function isSimple(text: string, start: number, end: number): boolean {
  const digits = end - start;
  return !isFraction(text, end) &&
    (digits === 17 || digits === 18 || (digits === 19 && text.charCodeAt(start) < NINE));
}

function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value;
}

function isFraction(text: string, end: number): boolean {
  const code = text.charCodeAt(end);
  return code === DOT || code === 0x65 || code === 0x45;
}
