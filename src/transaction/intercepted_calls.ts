import { TimeoutError } from "../errors.ts";
import type { Interceptors, Made, Send } from "../calls/interceptors.ts";
import type { Result } from "../sql/value.ts";
import type { Deadline } from "../time/deadline.ts";
import { type Interrupted, within } from "../time/within.ts";
import { NEVER } from "./step.ts";

/** A call that has not gone on yet; what lets it go on is there once it may. */
interface Ticket {
  go: (() => void) | undefined;
}

/**
 * The calls of one run of a transaction on their way through the interceptors: however long each of those takes, what they
 * pass on is issued in the order in which it was called for.
 */
export class InterceptedCalls {
  readonly #layers: Interceptors;
  readonly #transaction: string;
  readonly #tickets: Ticket[] = [];
  readonly #underWay = new Set<Promise<unknown>>();

  /** @param transaction What the calls of the transaction have in common. */
  constructor(layers: Interceptors, transaction: string) {
    this.#layers = layers;
    this.#transaction = transaction;
  }

  /** Runs statements, which are issued at once when they are sent. */
  answer(made: Made, send: Send<readonly Result[]>): Promise<Result[]> {
    const ticket = this.#draw();
    const answer = this.#layers.answer(
      { ...made, transaction: this.#transaction },
      (forms, deadline) => this.#inTurn(ticket, () => send(forms, deadline), deadline),
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

  /** @param end Until when it waits for its turn. */
  #inTurn<T>(ticket: Ticket, action: () => Promise<T>, end?: Deadline): Promise<T> {
    // What an interceptor passes on once more has had its turn.
    if (!this.#tickets.includes(ticket)) return action();
    // Another one that was passed on at the same time.
    const other = ticket.go;
    return new Promise((resolve, reject) => {
      let waits = true;
      const turn = new Promise<void>((begin) => {
        ticket.go = () => {
          other?.();
          begin();
          if (waits) new Promise<T>((settle) => settle(action())).then(resolve, reject);
          waits = false;
        };
      });
      this.#proceed();
      if (!waits || end === undefined) return;
      within(end.remaining, { abort: end.signal, closing: NEVER }, () => turn).catch(
        ({ by }: Interrupted) => {
          if (!waits) return;
          waits = false;
          reject(
            by === "abort" ? end.signal?.reason : new TimeoutError(
              "Out of time behind statements that interceptors have not passed on",
            ),
          );
        },
      );
    });
  }

  #proceed(): void {
    for (let [first] = this.#tickets; first?.go !== undefined; [first] = this.#tickets) {
      this.#tickets.shift();
      first.go();
    }
  }
}
