import { InterfaceError } from "../errors.ts";

/** How long one look-up may take, in milliseconds: the node itself waits up to two seconds for members that are silent. */
export const LOOK_UP_LIMIT = 3_000;

/** The shortest time between two look-ups, and the longest after failures, in milliseconds. */
const GAP = 1_000;
const LONGEST_GAP = 60_000;

/**
 * When a node is asked for the members of the cluster: behind the calls of a client, never in front of them. One look-up
 * at a time, sent only to a node that has just answered, so that one where nothing answers is not asked for more.
 */
export class Discovery {
  readonly #lookUp: (node: string) => Promise<boolean>;
  /** How often the members may have changed, and up to which of these times they are known. */
  #changes = 1;
  #known = 0;
  #failures = 0;
  /** Nobody asks before. */
  #next = 0;
  #mistake: InterfaceError | undefined;

  /** @param lookUp Asks a node and learns from it, for no longer than the limit; answers whether there is an answer. */
  constructor(lookUp: (node: string) => Promise<boolean>) {
    this.#lookUp = lookUp;
  }

  /** A node has failed: there may be others now. */
  changed(): void {
    this.#changes++;
  }

  /** A node has answered a call: it is asked for the members, where that is due. */
  answered(node: string): void {
    if (this.#known !== this.#changes && performance.now() >= this.#next) void this.#ask(node);
  }

  /** What `mapNode` did wrong in the last look-up, once: the next call is told. */
  takeMistake(): InterfaceError | undefined {
    const mistake = this.#mistake;
    this.#mistake = undefined;
    return mistake;
  }

  async #ask(node: string): Promise<void> {
    const changes = this.#changes;
    // A point in time, not a flag: on Workers a request that has ended takes its timers and all that waits with it.
    this.#wait(LOOK_UP_LIMIT + this.#backOff());
    this.#failures++;
    try {
      if (!await this.#lookUp(node)) return this.#wait(this.#backOff());
      this.#known = changes;
      this.#failures = 0;
      this.#wait(GAP);
    } catch (error) {
      if (error instanceof InterfaceError) this.#mistake = error;
      this.#wait(this.#backOff());
    }
  }

  #backOff(): number {
    return Math.min(GAP * 2 ** this.#failures, LONGEST_GAP) * (0.5 + Math.random() / 2);
  }

  #wait(milliseconds: number): void {
    this.#next = performance.now() + milliseconds;
  }
}
