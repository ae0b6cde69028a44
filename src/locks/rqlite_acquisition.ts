import { LockUnavailableError, OutcomeUnknownError, RqliteError } from "../errors.ts";
import { Lease, type Moment, now } from "./lease.ts";
import type { Limits } from "./limits.ts";
import { mayPass, tooLate, unavailable } from "./lock_errors.ts";
import type { Turn } from "./queue.ts";
import { SILENCE, type Watch } from "./rqlite_places.ts";
import type { LeaseRow, Seen } from "./rqlite_row.ts";
import { persist, untilTaken } from "./tries.ts";

/** Waits between two looks at the row, in milliseconds: at random, up to a limit that doubles. */
const FIRST_WAIT = 4;

/** How soon to look again where a write has not taken the lease, in milliseconds. */
const RACE_WAIT = 50;

/** How long a request may take where the caller's limit says nothing of it, in milliseconds. */
export const REQUEST_LIMIT = 5_000;

/** How long one may take that is sent at the end of the caller's time, in milliseconds. */
const LAST_LIMIT = 100;

/** How a lease is kept and waited for, in milliseconds. */
export interface LeaseTerms extends Limits {
  /** How long it is without a sign of life. */
  readonly duration: number;
}

/** A lease that was taken. */
export interface Taken {
  /** Who holds it, told from all others. */
  readonly token: string;
  /** What the acquisition made of the row's. */
  readonly version: number;
  /** Renews it. */
  readonly lease: Lease;
}

/** One attempt to get a lease, from the first look at its row until it is held or given up. */
export class Acquisition {
  readonly #name: string;
  readonly #row: LeaseRow;
  readonly #terms: LeaseTerms;
  readonly #watch: Watch;
  readonly #turn: Turn;
  readonly #signal: AbortSignal | undefined;
  /** Of a request that is sent when time is up. */
  #last = REQUEST_LIMIT;
  #token = crypto.randomUUID();
  /** What was read before a write whose copies may still arrive, and when the first of them was sent. */
  #doubt: { readonly seen: Seen; readonly sent: Moment } | undefined;

  /**
   * @param watch What this process knows of the holder.
   * @param turn Is told that it lives.
   */
  constructor(
    name: string,
    row: LeaseRow,
    terms: LeaseTerms,
    watch: Watch,
    turn: Turn,
    signal: AbortSignal | undefined,
  ) {
    this.#name = name;
    this.#row = row;
    this.#terms = terms;
    this.#watch = watch;
    this.#turn = turn;
    this.#signal = signal;
  }

  /**
   * Waits for the lease; a write that may still take it when this gives up is undone behind the caller's back.
   *
   * @param timeout Milliseconds for which the caller waits; with none there is one look, which takes what it takes.
   * @param end When they are over, by `performance.now()`.
   * @throws {LockTimeoutError|LockUnavailableError} Or the signal's reason.
   */
  async run(timeout: number, end: number): Promise<Taken> {
    if (timeout > 0) this.#last = LAST_LIMIT;
    const giveUp = (): void => void this.#withdraw();
    return await untilTaken((round) => this.#try(round, end), giveUp, this.#signal);
  }

  async #try(round: number, end: number): Promise<Taken | number> {
    this.#turn.trust();
    const limit = Math.min(this.#terms.maxRetryDelay, FIRST_WAIT * 2 ** Math.min(round, 20));
    let wait = Math.random() * limit;
    let failure: unknown;
    try {
      const found = await this.#look(end);
      if (typeof found !== "number") return found;
      wait = Math.min(wait, found);
    } catch (error) {
      this.#signal?.throwIfAborted();
      if (!mayPass(error)) throw unusable(this.#name, error);
      failure = error;
    }
    if (performance.now() + wait >= end) throw tooLate(this.#name, failure, this.#watch.told);
    this.#turn.trust(SILENCE + wait);
    return wait;
  }

  /** Takes the lease if it is free, or answers when it will be at the latest, in milliseconds. */
  async #look(end: number): Promise<Taken | number> {
    const asked = performance.now();
    const seen = await this.#row.read(() => this.#options(end));
    const doubt = this.#doubt;
    if (doubt !== undefined) {
      if (seen.owner === this.#token) return this.#keep(doubt.sent, seen.version);
      // Versions only grow, so no copy of the earlier write finds the row as it was.
      if (seen.version > doubt.seen.version) this.#doubt = undefined;
    }
    const wait = this.#watch.see(seen, asked);
    if (wait > 0) return wait;
    const sent = now();
    // Without a row changed another was faster, or an earlier copy was: the next look tells.
    const taken = await this.#take(seen, sent, end);
    return taken ? this.#keep(sent, seen.version + 1) : RACE_WAIT;
  }

  async #take(seen: Seen, sent: Moment, end: number): Promise<boolean> {
    const before = this.#doubt;
    this.#doubt ??= { seen, sent };
    this.#turn.trust();
    try {
      return await this.#row.take(seen, this.#token, this.#terms.duration, this.#options(end));
    } catch (error) {
      const maybe = error instanceof OutcomeUnknownError || !(error instanceof RqliteError);
      if (!maybe) this.#doubt = before;
      throw error;
    }
  }

  /** Begins to renew the lease, unless the answer came too late for that. */
  #keep(sent: Moment, version: number): Taken | number {
    const [token, turn, { duration, maxHoldTime }] = [this.#token, this.#turn, this.#terms];
    let beat = 0;
    const lease = new Lease({
      name: this.#name,
      duration,
      maxHoldTime,
      sent,
      renew: async (timeout) => {
        const renewed = await this.#row.beat(token, ++beat, { timeout });
        if (renewed) turn.trust(duration);
        return renewed;
      },
    });
    if (lease.held) {
      this.#watch.forget();
      turn.trust(duration);
      return { token, version, lease };
    }
    lease.end();
    // Who asks has no time for that; the next look waits like anybody else until it is done.
    void this.#withdraw();
    this.#token = crypto.randomUUID();
    this.#doubt = undefined;
    return 0;
  }

  async #withdraw(): Promise<void> {
    const { seen } = this.#doubt ?? {};
    if (seen === undefined) return;
    const token = this.#token;
    const withdraw = (timeout: number) => this.#row.withdraw(seen, token, { timeout });
    await persist(withdraw, this.#terms.duration, mayPass);
  }

  #options(end: number): { timeout: number; signal?: AbortSignal } {
    const remaining = end - performance.now();
    const timeout = remaining > 0 ? Math.min(remaining, REQUEST_LIMIT) : this.#last;
    return { timeout, ...(this.#signal !== undefined && { signal: this.#signal }) };
  }
}

function unusable(name: string, cause: unknown): LockUnavailableError {
  if (cause instanceof LockUnavailableError) return cause;
  const reason = cause instanceof Error ? cause.message : String(cause);
  return unavailable(name, `its row cannot be used: ${reason}`, cause);
}
