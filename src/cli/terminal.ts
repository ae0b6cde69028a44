import type { Sink } from "./surroundings.ts";

/** Texts in colours, or as they are. */
export interface Paint {
  /** In bold letters. */
  bold(text: string): string;
  /** In letters that stand back. */
  dim(text: string): string;
  /** In green: it was done. */
  green(text: string): string;
  /** In red: it failed. */
  red(text: string): string;
}

/** Whether anybody wants colours: https://no-color.org. */
export function wantsColours(env: Readonly<Record<string, string | undefined>>): boolean {
  return (env["NO_COLOR"] ?? "") === "" && env["TERM"] !== "dumb";
}

/** Colours for what somebody looks at. */
export function painter({ isTTY }: Pick<Sink, "isTTY">, colours: boolean): Paint {
  const paint = (code: number) => (text: string) =>
    isTTY === true && colours ? `\x1b[${code}m${text}\x1b[0m` : text;
  return { bold: paint(1), dim: paint(2), green: paint(32), red: paint(31) };
}

/** What stands on the character in front of it, or shows nothing. */
const MARK = /[\p{Mn}\p{Me}\p{Cf}]/u;

/** What takes two cells: characters of East Asia that are not made to take one, and emoji. */
const WIDE =
  /(?![\uff61-\uffdc])[\p{sc=Han}\p{sc=Hiragana}\p{sc=Katakana}\p{sc=Hangul}\p{Emoji_Presentation}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6]/u;

/** How many cells of a terminal a text takes. */
export function width(text: string): number {
  if (/^[ -~]*$/.test(text)) return text.length;
  const cells = (char: string) => MARK.test(char) ? 0 : WIDE.test(char) ? 2 : 1;
  return [...text].reduce((sum, char) => sum + cells(char), 0);
}

/** A text with blanks behind it, or, to the right, in front of it. */
export function padded(text: string, to: number, right = false): string {
  const blanks = " ".repeat(Math.max(0, to - width(text)));
  return right ? blanks + text : text + blanks;
}

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** What commands a terminal, or lets what stands behind it be read elsewhere. */
const CONTROL = /[\p{Cc}\p{Bidi_C}\p{Zl}\p{Zp}]/gu;

/** A text on one line, whose control characters a terminal does not obey. */
export function harmless(text: string): string {
  return text.replace(CONTROL, (char) => {
    const code = char.charCodeAt(0);
    const [letter, digits] = code < 256 ? ["x", 2] as const : ["u", 4] as const;
    return NAMED[char] ?? `\\${letter}${code.toString(16).padStart(digits, "0")}`;
  });
}
