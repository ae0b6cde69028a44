// SQLite's character classes. Everything beyond ASCII may stand in an identifier.

const SPACE = 1;
const DIGIT = 2;
const HEX = 4;
const ID = 8;

const classes: Uint8Array = buildClasses();

function buildClasses(): Uint8Array {
  const table = new Uint8Array(128);
  const mark = (characters: string, flag: number): void => {
    for (let i = 0; i < characters.length; i++) {
      const code = characters.charCodeAt(i);
      table[code] = (table[code] ?? 0) | flag;
    }
  };
  mark(" \t\n\v\f\r", SPACE);
  mark("0123456789", DIGIT | HEX | ID);
  mark("abcdefABCDEF", HEX | ID);
  mark("ghijklmnopqrstuvwxyzGHIJKLMNOPQRSTUVWXYZ_$", ID);
  return table;
}

/** Whether the character is white space for SQLite; NaN, the end of the text, is not. */
export function isSpace(code: number): boolean {
  return code < 128 && (classes[code]! & SPACE) !== 0;
}

/** Whether the character is `0` to `9`. */
export function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** Whether the character is a hexadecimal digit. */
export function isHexDigit(code: number): boolean {
  return code < 128 && (classes[code]! & HEX) !== 0;
}

/** Whether the character may continue an identifier. */
export function isIdentifier(code: number): boolean {
  return code < 128 ? (classes[code]! & ID) !== 0 : code >= 128;
}

/** What a token may be, by its first character. */
export const Beginning = {
  nothing: 0,
  word: 1,
  mark: 2,
  space: 3,
  digit: 4,
  quote: 5,
  question: 6,
  variable: 7,
  other: 8,
} as const;

const beginnings: Uint8Array = buildBeginnings();

function buildBeginnings(): Uint8Array {
  const table = new Uint8Array(128);
  const mark = (characters: string, value: number): void => {
    for (let i = 0; i < characters.length; i++) table[characters.charCodeAt(i)] = value;
  };
  for (let code = 0; code < 128; code++) if (isIdentifier(code)) table[code] = Beginning.word;
  mark("%&()*+,;~", Beginning.mark);
  mark(" \t\n\f\r", Beginning.space);
  mark("0123456789", Beginning.digit);
  mark("'\"`", Beginning.quote);
  mark("?", Beginning.question);
  mark("#$:@", Beginning.variable);
  mark("-/.<>=!|[xX", Beginning.other);
  return table;
}

/** One of {@linkcode Beginning}. */
export function beginning(code: number): number {
  if (code < 128) return beginnings[code]!;
  return code === 0xfeff ? Beginning.other : Beginning.word;
}
