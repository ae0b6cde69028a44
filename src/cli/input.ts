import { createReadStream } from "node:fs";
import { Buffer } from "node:buffer";
import { UsageError } from "./exit.ts";
import type { Output } from "./output.ts";
import { Interruption, type Source } from "./surroundings.ts";
import { harmless } from "./terminal.ts";

/** What ends an answer: a line break, or Ctrl-D. */
const ENDS = ["\r", "\n", "\x04"];

/** Standard input: data, or a person who answers. */
export class Input {
  readonly #source: Source;
  readonly #output: Output;
  readonly #signal: AbortSignal;
  #iterator: AsyncIterator<string | Uint8Array> | undefined;

  constructor(source: Source, output: Output, signal: AbortSignal) {
    this.#source = source;
    this.#output = output;
    this.#signal = signal;
  }

  /** Whether a person types. */
  get isTerminal(): boolean {
    return this.#source.isTTY === true;
  }

  /** The bytes of a file, or of standard input where it is `-`. @throws The signal's reason. */
  async *bytes(file: string): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    const parts = file === "-" ? this.#parts() : createReadStream(file);
    for await (const part of parts) {
      this.#signal.throwIfAborted();
      yield Uint8Array.from(typeof part === "string" ? Buffer.from(part) : part);
    }
  }

  /** All of it as text. @throws {UsageError} If it is not UTF-8. */
  async text(file: string): Promise<string> {
    let text = "";
    for await (const part of this.texts(file)) text += part;
    return text;
  }

  /** The text of a file piece by piece. @throws {UsageError} If it is not UTF-8. */
  async *texts(file: string): AsyncGenerator<string> {
    const decoder = new TextDecoder("utf-8", { fatal: true });
    try {
      for await (const part of this.bytes(file)) yield decoder.decode(part, { stream: true });
      yield decoder.decode();
    } catch (error) {
      if (!(error instanceof TypeError)) throw error;
      throw new UsageError(`Cannot read ${named(file)} as it is not text in UTF-8`);
    }
  }

  /** Asks a person, who sees what is typed. */
  async ask(question: string): Promise<string> {
    await this.#output.tell(harmless(question));
    let answer = "";
    for (;;) {
      for (const key of await this.#keys()) {
        if (ENDS.includes(key)) return answer;
        answer += key;
      }
    }
  }

  /** Asks a person whether something may be done, and says so where it may not. */
  async confirm(what: string): Promise<boolean> {
    if (await this.ask(`${what}. Type yes to go on: `) === "yes") return true;
    await this.#output.note("Nothing was changed");
    return false;
  }

  /** Asks a person for what nobody may see. @throws {Interruption} If the answer is Ctrl-C. */
  async askSecretly(question: string): Promise<string> {
    this.#source.setRawMode?.(true);
    try {
      // Not before: what is typed at once would be shown.
      await this.#output.tell(question);
      const keys: string[] = [];
      for (;;) {
        for (const key of await this.#keys()) {
          if (key === "\x03") throw new Interruption();
          if (ENDS.includes(key)) return keys.join("");
          if (key === "\x7f" || key === "\b") keys.pop();
          else if (key === "\x15") keys.length = 0;
          else keys.push(key);
        }
      }
    } finally {
      this.#source.setRawMode?.(false);
      await this.#output.tell("\n");
    }
  }

  /** What was typed meanwhile. */
  async #keys(): Promise<string> {
    const part = await this.#next() ?? "\x04";
    return typeof part === "string" ? part : Buffer.from(part).toString("utf8");
  }

  async *#parts(): AsyncGenerator<string | Uint8Array> {
    for (let part = await this.#next(); part !== undefined; part = await this.#next()) yield part;
  }

  /** The next piece; nobody waits for it longer than the signal lets. */
  async #next(): Promise<string | Uint8Array | undefined> {
    const signal = this.#signal;
    signal.throwIfAborted();
    this.#iterator ??= this.#source[Symbol.asyncIterator]();
    const { promise, reject } = Promise.withResolvers<never>();
    const end = () => reject(signal.reason);
    signal.addEventListener("abort", end);
    try {
      const { done, value } = await Promise.race([this.#iterator.next(), promise]);
      return done === true ? undefined : value;
    } finally {
      signal.removeEventListener("abort", end);
    }
  }
}

/** How a file is called in messages. */
export function named(file: string): string {
  return file === "-" ? "standard input" : file;
}
