import type { Layers, Made, Send } from "../client/layers.ts";
import type { Result } from "../sql/value.ts";

/** A call that has not gone on yet; what lets it go on is there once it may. */
interface Ticket {
  go: (() => void) | undefined;
}

/**
 * The calls of one run of a transaction on their way through the interceptors: however long each of those takes, what they
 * pass on is issued in the order in which it was called for.
 */
export class Passage {
  readonly #layers: Layers;
  readonly #transaction: string;
  readonly #tickets: Ticket[] = [];
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param transaction What the calls of the transaction have in common. */
  constructor(layers: Layers, transaction: string) {
    this.#layers = layers;
    this.#transaction = transaction;
  }

  /** Runs statements, which are issued at once when they are sent. */
  answer(made: Made, send: Send<readonly Result[]>): Promise<Result[]> {
    const ticket = this.#draw();
    const answer = this.#layers.answer(
      { ...made, transaction: this.#transaction },
      (forms, deadline) => this.#inTurn(ticket, () => send(forms, deadline)),
    ).finally(() => {
      this.#underWay.delete(answer);
      // Whoever was answered by an interceptor is not waited for.
      ticket.go ??= () => {};
      this.#proceed();
    });
    this.#underWay.add(answer);
    return answer;
  }

  /** Commits. */
  carry<T>(made: Made, send: Send<T>): Promise<T> {
    return this.#layers.carry({ ...made, transaction: this.#transaction }, send);
  }

  /** Does something behind what was called before. */
  act<T>(action: () => Promise<T>): Promise<T> {
    return this.#inTurn(this.#draw(), action);
  }

  /** Waits for the end of all calls. */
  async idle(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #draw(): Ticket {
    const ticket = { go: undefined };
    this.#tickets.push(ticket);
    return ticket;
  }

  #inTurn<T>(ticket: Ticket, action: () => Promise<T>): Promise<T> {
    // What an interceptor passes on once more has had its turn.
    if (!this.#tickets.includes(ticket)) return action();
    return new Promise((resolve, reject) => {
      // Another one that was passed on at the same time.
      const other = ticket.go;
      ticket.go = () => {
        other?.();
        new Promise<T>((settle) => settle(action())).then(resolve, reject);
      };
      this.#proceed();
    });
  }

  #proceed(): void {
    for (let [first] = this.#tickets; first?.go !== undefined; [first] = this.#tickets) {
      this.#tickets.shift();
      first.go();
    }
  }
}
