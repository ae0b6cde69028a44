import type { Output } from "./output.ts";
import { harmless } from "./terminal.ts";

/** What takes less shows nothing, in milliseconds. */
const AFTER = 1000;

/** The last line of standard error, written anew while a command works: where somebody looks, and not before a second. */
export class Progress {
  readonly #output: Output;
  readonly #isTerminal: boolean;
  readonly #began = Date.now();
  #timer: ReturnType<typeof setInterval> | undefined;
  #text = "working";
  #shown = false;

  constructor(output: Output, isTerminal: boolean) {
    this.#output = output;
    this.#isTerminal = isTerminal;
  }

  /** Says how far it is; the first call begins to show it. */
  tell(text: string): void {
    this.#text = text;
    if (!this.#isTerminal || this.#timer !== undefined) return;
    this.#timer = setInterval(() => this.#show(), AFTER);
  }

  /** Takes the line away, as before anything else is written. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    if (!this.#shown) return;
    this.#shown = false;
    await this.#output.tell("\r\x1b[K");
  }

  #show(): void {
    this.#shown = true;
    const seconds = Math.round((Date.now() - this.#began) / 1000);
    // Cut off where the terminal ends: of a line that is wrapped, a part would stay.
    void this.#output.tell(`\r\x1b[K\x1b[?7l${harmless(this.#text)} (${seconds} s)\x1b[?7h`);
  }
}
