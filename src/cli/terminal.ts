import type { Sink } from "./surroundings.ts";

/** Texts in colours, or as they are. */
export interface Paint {
  bold(text: string): string;
  dim(text: string): string;
  green(text: string): string;
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

/** In characters, where `text.length` counts some of them twice. */
export function width(text: string): number {
  return [...text].length;
}

/** A text with blanks behind it, or, to the right, in front of it. */
export function padded(text: string, to: number, right = false): string {
  const blanks = " ".repeat(Math.max(0, to - width(text)));
  return right ? blanks + text : text + blanks;
}

const NAMED: Readonly<Record<string, string>> = { "\n": "\\n", "\r": "\\r", "\t": "\\t" };

/** A text on one line, whose control characters a terminal does not obey. */
export function harmless(text: string): string {
  return text.replace(
    /\p{Cc}/gu,
    (char) => NAMED[char] ?? `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}
