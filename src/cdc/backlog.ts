import { InterfaceError } from "../errors.ts";
import type { Change } from "./change.ts";
import { compare, type Place } from "./commit_order.ts";

/** A change that waits, the place of its commit, and what its batch takes in memory. */
interface Waiting {
  readonly change: Change;
  readonly place: Place;
  readonly size: number;
}

/** Somebody who waits for all changes up to a place to be taken. */
interface Sender {
  readonly place: Place;
  readonly wake: (taken: boolean) => void;
}

/**
 * The changes that were sent and not yet taken, in order, between those who sent them and the one who takes them. A change
 * is taken when its consumer asks for the next one.
 */
export class Backlog {
  readonly #held: boolean;
  #waiting: Waiting[] = [];
  /** How many at the front of the list are taken. */
  #gone = 0;
  #size = 0;
  #senders = new Set<Sender>();
  #consumer: Consumer | undefined;
  #closed = false;
  /** Whether there ever was a consumer. */
  wasRead = false;
  /** The position of the change that was taken last. */
  position: string | undefined;

  /** @param held Whether changes wait for a consumer that is not there. */
  constructor(held: boolean) {
    this.#held = held;
  }

  /** Whether no more is taken. */
  get closed(): boolean {
    return this.#closed;
  }

  /** What is waiting, in the measure of `add`. */
  get size(): number {
    return this.#size;
  }

  /** Puts the changes of a commit behind the others. @param size What they take in memory, until the last is taken. */
  add(changes: readonly Change[], place: Place, size: number): void {
    if (changes.length === 0 || (this.#consumer === undefined && !this.#held)) return;
    for (const change of changes) {
      this.#waiting.push({ change, place, size: change.last ? size : 0 });
    }
    this.#size += size;
    this.#consumer?.wake();
  }

  /**
   * Waits until all up to a place is taken.
   *
   * @param signal Ends the waiting.
   * @returns Whether it was taken.
   */
  taken(place: Place, signal: AbortSignal): Promise<boolean> {
    if (!this.#holds(place)) return Promise.resolve(true);
    if (this.#closed || signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const sender = {
        place,
        wake: (taken: boolean) => {
          this.#senders.delete(sender);
          signal.removeEventListener("abort", giveUp);
          resolve(taken);
        },
      };
      const giveUp = () => sender.wake(false);
      signal.addEventListener("abort", giveUp, { once: true });
      this.#senders.add(sender);
    });
  }

  /** Makes the consumer. @throws {InterfaceError} If there is one. */
  consume(): AsyncIterableIterator<Change> {
    if (this.#consumer !== undefined) {
      throw new InterfaceError(
        "Cannot iterate the feed twice at the same time: pass its changes on in one loop, or use `listen`",
      );
    }
    this.wasRead = true;
    this.#consumer = new Consumer({
      next: (taken) => this.#next(taken),
      leave: () => this.#leave(),
    });
    return this.#consumer;
  }

  /** Ends the consumer, and gives up whoever waits. */
  close(): void {
    this.#closed = true;
    this.#consumer?.wake();
    for (const { wake } of this.#senders) wake(false);
  }

  /** The change that waits first, once the one in front of it is taken; "end" behind the last one of a closed feed. */
  #next(taken: boolean): Change | "end" | undefined {
    if (taken) this.#take();
    return this.#closed ? "end" : this.#waiting[this.#gone]?.change;
  }

  #take(): void {
    const taken = this.#waiting[this.#gone];
    if (taken === undefined) return;
    const { change, size } = taken;
    this.#gone++;
    this.position = change.position;
    this.#size -= size;
    // Shifting a long list for each change would take quadratic time.
    if (this.#gone * 2 > this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#gone);
      this.#gone = 0;
    }
    this.#settle();
  }

  #settle(): void {
    for (const { place, wake } of this.#senders) if (!this.#holds(place)) wake(true);
  }

  #holds(place: Place): boolean {
    const first = this.#waiting[this.#gone];
    return first !== undefined && compare(first.place, place) <= 0;
  }

  #leave(): void {
    this.#consumer = undefined;
    if (this.#held) return;
    this.#waiting = [];
    this.#gone = this.#size = 0;
    this.#settle();
  }
}

/** What a consumer needs of its backlog. */
interface Source {
  /** @param taken Whether the change that it gave last is taken. */
  next(taken: boolean): Change | "end" | undefined;
  leave(): void;
}

/** Gives one change after the other. By hand, as `return` of a generator waits for the change that may never come. */
class Consumer implements AsyncIterableIterator<Change> {
  readonly #source: Source;
  #holds = false;
  #done = false;
  #asked: ((result: IteratorResult<Change>) => void)[] = [];

  constructor(source: Source) {
    this.#source = source;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  next(): Promise<IteratorResult<Change>> {
    return new Promise((resolve) => {
      this.#asked.push(resolve);
      this.wake();
    });
  }

  return(): Promise<IteratorResult<Change>> {
    this.#end();
    return Promise.resolve(END);
  }

  /** Answers who asks, as far as there is something. */
  wake(): void {
    while (this.#asked.length > 0 && !this.#done) {
      const change = this.#source.next(this.#holds);
      this.#holds = change !== undefined && change !== "end";
      if (change === undefined) return;
      if (change === "end") this.#end();
      else this.#asked.shift()?.({ done: false, value: change });
    }
    if (this.#done) this.#end();
  }

  #end(): void {
    if (!this.#done) this.#source.leave();
    this.#done = true;
    for (const resolve of this.#asked.splice(0)) resolve(END);
  }
}

const END: IteratorResult<Change> = { done: true, value: undefined };
