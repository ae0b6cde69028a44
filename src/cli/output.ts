import { PipeClosed } from "./exit.ts";
import type { Sink } from "./surroundings.ts";
import { harmless, type Paint, painter } from "./terminal.ts";

/** Standard output and standard error of a command. */
export class Output {
  readonly #stdout: Stream;
  readonly #stderr: Stream;
  /** Colours for standard output. */
  readonly paint: Paint;
  /** Whether results are JSON. */
  readonly json: boolean;
  /** Whether somebody looks at standard output. */
  readonly isTerminal: boolean;

  constructor(
    { stdout, stderr }: { stdout: Sink; stderr: Sink },
    { json, colours }: { json: boolean; colours: boolean },
  ) {
    this.#stdout = new Stream(stdout);
    this.#stderr = new Stream(stderr);
    this.paint = painter(stdout, colours);
    this.json = json;
    this.isTerminal = stdout.isTTY === true;
  }

  /** Writes to standard output, and waits until that took it. @throws {PipeClosed} If nobody reads it any more. */
  write(chunk: string | Uint8Array): Promise<void> {
    return this.#stdout.write(chunk);
  }

  /** Writes a line to standard output. */
  line(text: string): Promise<void> {
    return this.write(`${text}\n`);
  }

  /** Says what was done, for a person: nothing where results are JSON. */
  async done(text: string): Promise<void> {
    if (!this.json) await this.line(`${this.paint.green("✓")} ${harmless(text)}`);
  }

  /** Writes a line to standard error. */
  async note(text: string): Promise<void> {
    await this.tell(`${text}\n`);
  }

  /** Writes to standard error; that nobody reads it is no error. */
  async tell(text: string): Promise<void> {
    await this.#stderr.write(text).catch(() => {});
  }
}

/** One stream: each write waits for the one before. */
class Stream {
  readonly #sink: Sink;
  #broken: Error | undefined;

  constructor(sink: Sink) {
    this.#sink = sink;
    // Without a listener the first of these would end the process in the middle.
    sink.on?.("error", (error) => this.#broken ??= error);
  }

  async write(chunk: string | Uint8Array): Promise<void> {
    if (chunk.length === 0) return;
    const error = this.#broken ??= await new Promise<Error | undefined>((resolve) => {
      this.#sink.write(chunk, (error) => resolve(error ?? undefined));
    });
    if (error === undefined) return;
    if ((error as { code?: unknown }).code === "EPIPE") throw new PipeClosed();
    throw error;
  }
}
