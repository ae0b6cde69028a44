import type { Applied, Next } from "./transport.ts";

/** What is known when an attempt has failed. */
export interface FailedAttempt {
  /** Attempts before this one. */
  readonly attempt: number;
  /** Attempts allowed after the first. */
  readonly retries: number;
  /** Another copy may be sent although this one may have arrived. */
  readonly repeatable: boolean;
  /** Whether this one took effect. */
  readonly applied: Applied;
  /** What the answer suggests. */
  readonly next: Next;
  /** Milliseconds until the deadline. */
  readonly remaining?: number;
  /** Milliseconds until a node may be asked, if this one asked for a pause: 0 if another may be at once. */
  readonly retryAfter?: number | undefined;
}

/** With less time than that no further attempt is made, in milliseconds. */
const LAST_CHANCE = 20;

/** Upper ends of the waits before another attempt, by attempt, in milliseconds. */
const WAITS: Record<Exclude<Next, "never">, readonly number[]> = {
  elsewhere: [50, 200, 800, 2000],
  others: [0],
  // An election takes 0.3 to 2.5 s with the server's settings: the second and the third wait outlast it, as the first
  // attempt is the one that finds the leader dead.
  leaderless: [400, 1500, 3000, 3000],
};

/**
 * How long to wait before the next attempt, in milliseconds, or `undefined` for no further one: what may
 * have been applied is repeated only if the exchange is repeatable.
 */
export function retryDelay(
  { attempt, retries, repeatable, applied, next, remaining = Infinity, retryAfter }: FailedAttempt,
  random: () => number = Math.random,
): number | undefined {
  if (next === "never" || applied === "yes" || attempt >= retries) return undefined;
  if (applied === "maybe" && !repeatable) return undefined;
  const waits = WAITS[next];
  const longest = waits[attempt] ?? waits.at(-1) ?? 0;
  const share = next === "leaderless" ? 0.75 + random() / 4 : random();
  // A wait beyond the deadline would give up while there is still time for an attempt.
  const wait = Math.min(longest * share, remaining / 2);
  if (remaining < LAST_CHANCE) return undefined;
  return retryAfter === 0 ? 0 : Math.max(wait, retryAfter ?? 0);
}

/**
 * How long one attempt may take, in milliseconds. Where another node could be asked next it gets half of what
 * remains, so that one silent node does not use up the whole call.
 */
export function attemptLimit(
  remaining: number,
  { attempt, retries, repeatable, several }: {
    attempt: number;
    retries: number;
    repeatable: boolean;
    several: boolean;
  },
): number {
  return several && repeatable && attempt < retries ? remaining / 2 : remaining;
}

/** A date as HTTP writes it: `Date.parse` takes the year out of any text. */
const DATE = /^\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT$/;

/** Milliseconds that a `Retry-After` header asks for, as seconds or as a date; `undefined` without a usable one. */
export function retryAfter(header: string | null, now: number = Date.now()): number | undefined {
  if (header === null) return undefined;
  const text = header.trim();
  if (/^\d+$/.test(text)) return Number(text) * 1000;
  const wait = DATE.test(text) ? Date.parse(text) - now : NaN;
  return wait >= 0 ? wait : undefined;
}

/** What a client may have saved, in repeats: so many follow a failure that comes out of nothing. */
const MOST_REPEATS = 100;

/** Calls that pay for one repeat. */
const CALLS_PER_REPEAT = 10;

/** Milliseconds that pay for one repeat: a caller who is alone never runs out, and somebody keeps looking for a leader. */
const TIME_PER_REPEAT = 100;

/**
 * How many repeats all calls of a client may send together, so that a cluster that is dying is not asked several times
 * as often for it: a hundred to begin with, one for ten calls, one for a tenth of a second, and one for each success. The
 * last lets all who wait through as soon as the cluster answers again, more and more of them at once.
 */
export class RetryBudget {
  /** Calls that have succeeded. */
  successes = 0;
  #repeats = MOST_REPEATS;
  #since = performance.now();

  /** A call is sent for the first time. */
  called(): void {
    this.#add(1 / CALLS_PER_REPEAT);
  }

  /** A call has succeeded. */
  succeeded(): void {
    this.successes++;
    this.#add(1);
  }

  /** Pays for a repeat; `false` if nothing is left. */
  take(): boolean {
    const now = performance.now();
    this.#add((now - this.#since) / TIME_PER_REPEAT);
    this.#since = now;
    if (this.#repeats < 1) return false;
    this.#repeats--;
    return true;
  }

  #add(repeats: number): void {
    this.#repeats = Math.min(MOST_REPEATS, this.#repeats + repeats);
  }
}
