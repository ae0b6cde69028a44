import { INVALID_BYTE } from "./go_text.ts";

/** A value has no JSON form; the message is Go's. */
export class UnsupportedValue extends Error {
  /** "UnsupportedValue". */
  override readonly name = "UnsupportedValue";
}

const ESCAPES: Readonly<Record<string, string>> = {
  "<": "\\u003c",
  ">": "\\u003e",
  "&": "\\u0026",
  "\u2028": "\\u2028",
  "\u2029": "\\u2029",
};

/** A string as Go writes it: safe inside HTML and JavaScript. */
export function goString(text: string): string {
  if (text.isWellFormed()) return quote(text);
  const parts = text.split(new RegExp(INVALID_BYTE, "u")).map((part) => quote(part).slice(1, -1));
  return `"${parts.join("\\ufffd")}"`;
}

function quote(text: string): string {
  return JSON.stringify(text).replace(/[<>&\u2028\u2029]/g, (found) => ESCAPES[found] ?? found);
}

/** A REAL as Go writes it: the shortest digits, integral values without a fraction. */
export function goNumber(value: number): string {
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
    throw new UnsupportedValue(`json: unsupported value: ${name}`);
  }
  return Object.is(value, -0) ? "-0" : String(value);
}

/** Compact JSON with line breaks and indentation, four blanks a level, as Go does it. */
export function goIndent(json: string): string {
  let out = "";
  let depth = 0;
  for (const [token] of json.matchAll(/"(?:[^"\\]|\\.)*"|\[\]|\{\}|[[\]{},:]|[^[\]{},:"]+/gs)) {
    if (token === "[" || token === "{") out += token + lineBreak(++depth);
    else if (token === "]" || token === "}") out += lineBreak(--depth) + token;
    else if (token === ",") out += token + lineBreak(depth);
    else out += token === ":" ? ": " : token;
  }
  return out;
}

function lineBreak(depth: number): string {
  return "\n" + "    ".repeat(depth);
}
