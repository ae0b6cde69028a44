import type { Step } from "./step.ts";

type Item = { readonly steps: readonly Step[]; readonly whole: boolean } | {
  readonly action: () => Promise<void>;
};

/** Keeps what was issued in order; statements that were issued together run together. */
export class Queue {
  readonly #run: (steps: readonly Step[], whole: boolean) => Promise<void>;
  readonly #items: Item[] = [];
  #draining = false;

  /** @param run Runs statements and settles every one of them; it never rejects. */
  constructor(run: (steps: readonly Step[], whole: boolean) => Promise<void>) {
    this.#run = run;
  }

  /** @param whole They are one unit, apart from what is issued at the same time. */
  issue(steps: readonly Step[], whole: boolean): void {
    this.#push({ steps, whole });
  }

  /** Does something when everything issued before is done. */
  act<T>(action: () => T | Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#push({ action: () => Promise.resolve().then(action).then(resolve, reject) });
    });
  }

  #push(item: Item): void {
    this.#items.push(item);
    if (this.#draining) return;
    this.#draining = true;
    queueMicrotask(() => void this.#drain());
  }

  async #drain(): Promise<void> {
    for (let item = this.#items.shift(); item !== undefined; item = this.#items.shift()) {
      if ("action" in item) await item.action();
      else if (item.whole) await this.#run(item.steps, true);
      else await this.#run(this.#gather(item.steps), false);
    }
    this.#draining = false;
  }

  #gather(first: readonly Step[]): Step[] {
    const steps = [...first];
    for (;;) {
      const [next] = this.#items;
      if (next === undefined || "action" in next || next.whole) return steps;
      steps.push(...next.steps);
      this.#items.shift();
    }
  }
}
