import { BadRequest } from "./body.ts";
import { decodeLossy, decodeStrict } from "./go_text.ts";
import type { Store } from "./store.ts";
import type { Turn } from "./turns.ts";

/** A request, read to its end, and the database it goes to. */
export interface EngineRequest {
  /** The database. */
  readonly store: Store;
  /** Its method in capitals. */
  readonly method: string;
  /** Where it was sent. */
  readonly url: URL;
  /** Its query parameters. */
  readonly flags: Flags;
  /** The content type, "" for none. */
  readonly type: string;
  /** What was sent with it. */
  readonly body: Uint8Array;
  /** Its turn at the database. */
  readonly turn: Turn;
}

/** The body as text; bytes that are not UTF-8 become U+FFFD. */
export function bodyText({ body }: EngineRequest): string {
  return decodeLossy(body, "\ufffd");
}

/** Whether the body is UTF-8. */
export function isText({ body }: EngineRequest): boolean {
  return decodeStrict(body) !== undefined;
}

const DURATION = /^[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-6,
  us: 1e-3,
  "µs": 1e-3,
  "μs": 1e-3,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
};
const MAX_DURATION = 2 ** 63 / 1e6;

/** The flags of a request: its query string. */
export class Flags {
  readonly #values: ReadonlyMap<string, string>;

  /** Reads a query string without its `?`. @throws {BadRequest} with rqlite's own text */
  constructor(query: string) {
    this.#values = parse(query);
    this.#check();
  }

  /** Whether the flag is there, with whatever value. */
  has(name: string): boolean {
    return this.#values.has(name);
  }

  /** The value of a flag, "" when it is not there. */
  get(name: string): string {
    return this.#values.get(name) ?? "";
  }

  /** A duration in milliseconds, 0 when it is not there. */
  duration(name: string): number {
    return toMilliseconds(this.get(name) || "0");
  }

  #check(): void {
    if (this.has("freshness_strict") && !this.has("freshness")) {
      throw new BadRequest("freshness_strict requires freshness");
    }
    for (const name of ["timeout", "freshness", "db_timeout", "linearizable_timeout"]) {
      if (this.has(name) && !isDuration(this.get(name))) {
        throw new BadRequest(`${name} is not a valid duration`);
      }
    }
    for (const name of ["retries", "trailing_logs"]) {
      if (this.has(name) && !isInteger(this.get(name))) {
        throw new BadRequest(`${name} is not a valid integer`);
      }
    }
    if (this.has("q") && this.get("q") === "") throw new BadRequest("query parameter not set");
  }
}

function parse(query: string): Map<string, string> {
  const values = new Map<string, string>();
  for (const pair of query.split("&")) {
    if (pair === "") continue;
    if (pair.includes(";")) throw new BadRequest("invalid semicolon separator in query");
    const [, name = "", value = ""] = /^([^=]*)=?(.*)$/s.exec(pair) ?? [];
    const key = unescape(name);
    const text = unescape(value);
    if (!values.has(key)) values.set(key, text);
  }
  return values;
}

function unescape(text: string): string {
  const bad = /%(?![0-9a-fA-F]{2}).{0,2}/s.exec(text)?.[0];
  if (bad !== undefined) throw new BadRequest(`invalid URL escape ${JSON.stringify(bad)}`);
  const spaced = text.replaceAll("+", " ");
  if (!spaced.includes("%")) return spaced;
  return spaced.replace(/(?:%[0-9a-fA-F]{2})+/g, decodeEscapes);
}

function decodeEscapes(escapes: string): string {
  const bytes = Uint8Array.from(escapes.slice(1).split("%"), (hex) => parseInt(hex, 16));
  return decodeLossy(bytes, "\ufffd");
}

function isDuration(text: string): boolean {
  return DURATION.test(text) && Math.abs(toMilliseconds(text)) < MAX_DURATION;
}

function toMilliseconds(text: string): number {
  let total = 0;
  for (const [, amount, unit] of text.matchAll(/(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)/g)) {
    total += Number(amount) * (UNITS[unit ?? ""] ?? 0);
  }
  return text.startsWith("-") ? -total : total;
}

function isInteger(text: string): boolean {
  return /^[+-]?\d+$/.test(text) && BigInt.asIntN(64, BigInt(text.replace("+", ""))) ===
      BigInt(text.replace("+", ""));
}
