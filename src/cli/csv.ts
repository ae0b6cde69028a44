import { DataError } from "../errors.ts";

/** A field of a record. */
export interface Field {
  /** What it holds, without the quotes around it. */
  readonly text: string;
  /** Whether it stood in quotes: an empty one is a text then. */
  readonly quoted: boolean;
}

/** A record. */
export interface CsvRecord {
  /** Its fields, in order. */
  readonly fields: readonly Field[];
  /** The line on which it begins, from 1. */
  readonly line: number;
}

/**
 * The records of a text in CSV as RFC 4180 has it; lines may also end as on any system.
 *
 * @param delimiter One character between fields.
 * @throws {DataError} If it is no CSV; the message names the line.
 */
export async function* readCsv(
  pieces: AsyncIterable<string>,
  delimiter: string,
): AsyncGenerator<CsvRecord> {
  const reader = new Reader(delimiter);
  for await (const piece of pieces) yield* reader.read(piece);
  yield* reader.end();
}

class Reader {
  readonly #delimiter: string;
  readonly #special: RegExp;
  #fields: Field[] = [];
  #text = "";
  #state: "start" | "plain" | "quoted" | "closed" = "start";
  /** The line that is read, and the one on which the record began. */
  #line = 1;
  #began = 1;
  /** A line feed belongs to the carriage return in front of it. */
  #returned = false;

  constructor(delimiter: string) {
    this.#delimiter = delimiter;
    this.#special = new RegExp(`[\\r\\n${delimiter.replace(/[\\\]^-]/, "\\$&")}]`, "g");
  }

  *read(piece: string): Generator<CsvRecord> {
    for (let at = 0; at < piece.length;) {
      if (this.#state === "quoted") {
        at = this.#quoted(piece, at);
        continue;
      }
      const char = piece.charAt(at);
      if (this.#returned && char === "\n") {
        this.#returned = false;
        at++;
      } else if (char === "\n" || char === "\r") {
        this.#returned = char === "\r";
        at++;
        yield this.#record();
      } else if (char === this.#delimiter) {
        this.#returned = false;
        this.#field();
        at++;
      } else if (char === '"' && this.#state !== "plain") {
        this.#returned = false;
        // A quote behind a closing one is a quote.
        if (this.#state === "closed") this.#text += char;
        this.#state = "quoted";
        at++;
      } else {
        this.#returned = false;
        at = this.#plain(piece, at);
      }
    }
  }

  *end(): Generator<CsvRecord> {
    if (this.#state === "quoted") throw wrong(this.#began, "a quote is not closed");
    if (this.#state !== "start" || this.#fields.length > 0) yield this.#record();
  }

  #quoted(piece: string, at: number): number {
    const end = piece.indexOf('"', at);
    const part = piece.slice(at, end < 0 ? piece.length : end);
    this.#text += part;
    for (let i = part.indexOf("\n"); i >= 0; i = part.indexOf("\n", i + 1)) this.#line++;
    if (end < 0) return piece.length;
    this.#state = "closed";
    return end + 1;
  }

  #plain(piece: string, at: number): number {
    if (this.#state === "closed") {
      throw wrong(
        this.#line,
        "there is something behind a closing quote: a quote in a text is written twice",
      );
    }
    this.#special.lastIndex = at;
    const end = this.#special.exec(piece)?.index ?? piece.length;
    this.#text += piece.slice(at, end);
    this.#state = "plain";
    return end;
  }

  #field(): void {
    this.#fields.push({ text: this.#text, quoted: this.#state === "closed" });
    this.#text = "";
    this.#state = "start";
  }

  #record(): CsvRecord {
    this.#field();
    const record = { fields: this.#fields, line: this.#began };
    this.#fields = [];
    this.#began = ++this.#line;
    return record;
  }
}

function wrong(line: number, why: string): DataError {
  return new DataError(`Cannot read line ${line} as ${why}`);
}
