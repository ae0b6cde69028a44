import { HolderTimer } from "../time/holder_timer.ts";
import { Lease, type Moment, now } from "./lease.ts";
import type { Pace } from "./pace.ts";
import { pause } from "../time/pause.ts";
import { causeOf } from "../reason.ts";
import { tooLate, unavailable } from "./lock_errors.ts";
import type { RedisKey } from "./redis_key.ts";
import { refusal } from "./redis_refusal.ts";
import { RELEASE_LIMIT, untilTaken } from "./tries.ts";
import { TooSlow, waitAtMost } from "../time/wait_at_most.ts";

/** How long a command may take, in milliseconds: several clients keep one for as long as the server is away. */
export const COMMAND_LIMIT = 3_000;

/** How long one may take that is sent at the end of the caller's time, in milliseconds. */
const LAST_LIMIT = 100;

/** What an acquisition is to get. */
export interface RedisAcquisitionOptions {
  /** Of the lock, for errors. */
  readonly name: string;
  /** What it takes. */
  readonly key: RedisKey;
  /** How long it is without a sign of life, in milliseconds. */
  readonly duration: number;
  /** For how long it is renewed, in milliseconds. */
  readonly maxHoldTime: number;
  /** When it tries again. */
  readonly pace: Pace;
  /** Ends the wait with its own reason. */
  readonly signal: AbortSignal | undefined;
}

/** A lock that was taken. */
export interface Taken {
  /** Who holds it, told from all others. */
  readonly token: string;
  /** Renews it. */
  readonly lease: Lease;
  /** Frees it, and never throws; true if it was still held. */
  readonly free: () => Promise<boolean>;
}

/** Why it was not taken this time. */
interface NotYet {
  /** In how many milliseconds it is free at the latest. */
  readonly free: number;
  readonly failure?: unknown;
}

/** One attempt to get a lock, from the first command until it is held or given up. */
export class RedisAcquisition {
  readonly #options: RedisAcquisitionOptions;
  readonly #timer = new HolderTimer();
  #token = crypto.randomUUID();
  /** The commands whose answers nobody waited for to the end. */
  #open: Promise<unknown>[] = [];
  /** The last try found another holder, and what it told of him. */
  #held = false;
  #holder: string | undefined;
  /** A command failed, and it may have taken the lock all the same. */
  #doubt = false;

  /** Sends nothing. */
  constructor(options: RedisAcquisitionOptions) {
    this.#options = options;
  }

  /**
   * Waits for the lock; a command that may still take it when this gives up is undone behind the caller's back.
   *
   * @param end By `performance.now()`; one command is sent even behind it.
   * @throws {LockTimeoutError|LockUnavailableError} Or the signal's reason.
   */
  async run(end: number): Promise<Taken> {
    const began = performance.now();
    const giveUp = (): void => {
      this.#timer.clear();
      this.#withdraw();
    };
    const next = (round: number) => this.#next(round, began, end);
    return await untilTaken(next, giveUp, this.#options.signal);
  }

  async #next(round: number, began: number, end: number): Promise<Taken | number> {
    const { name, pace, signal, duration } = this.#options;
    const ahead = round > 0 ? 0 : Math.min(pace.ahead(began), end - began);
    if (ahead > 0) await pause(ahead, signal);
    const found = await this.#try(limitOf(end - performance.now(), round));
    if ("lease" in found) {
      pace.taken(performance.now() - began, round);
      return found;
    }
    const present = performance.now();
    const wait = Math.min(found.free, pace.wait(present - began));
    // A last try that time was too short for does not change what the one before it found.
    const failure = this.#held && found.failure instanceof TooSlow ? undefined : found.failure;
    this.#held = failure === undefined;
    if (found.failure === undefined) this.#holder = toldOf(found.free, duration);
    if (present >= end) throw tooLate(name, failure, this.#holder);
    // Up to the very end: a lease as long as the wait runs out only then.
    return Math.min(wait, Math.max(0, end - present));
  }

  async #try(limit: number): Promise<Taken | NotYet> {
    const { name, key, duration, signal } = this.#options;
    const sent = now();
    const answer = key.acquire(this.#token, duration);
    try {
      const taken = await waitAtMost(answer, limit, signal, this.#timer);
      return taken === true ? this.#keep(sent) : { free: taken };
    } catch (failure) {
      if (failure instanceof TooSlow || signal?.aborted) this.#open.push(answer);
      else this.#doubt = true;
      signal?.throwIfAborted();
      const reason = refusal(failure);
      if (reason !== undefined) throw unavailable(name, reason, causeOf(failure));
      return { free: Infinity, failure: causeOf(failure) };
    }
  }

  /** Begins to renew it, unless the answer came too late for that. */
  #keep(sent: Moment): Taken | NotYet {
    const { name, key, duration, maxHoldTime, pace } = this.#options;
    const [token, timer] = [this.#token, this.#timer];
    const lease = new Lease({
      name,
      duration,
      sent,
      maxHoldTime,
      renew: (limit) =>
        waitAtMost(key.extend(token, duration), Math.min(limit, COMMAND_LIMIT), undefined, timer),
      timer,
    });
    if (!lease.held) {
      lease.end();
      this.#doubt = true;
      this.#withdraw();
      this.#token = crypto.randomUUID();
      return { free: 0 };
    }
    const open = this.#open;
    const free = (): Promise<boolean> => {
      pace.released();
      undo(open, key, token);
      return key.free(token, RELEASE_LIMIT, timer);
    };
    return { token, lease, free };
  }

  /** Takes back what was sent, whenever it arrives. */
  #withdraw(): void {
    const { key } = this.#options;
    if (this.#doubt) key.withdraw(this.#token);
    undo(this.#open, key, this.#token);
    this.#open = [];
    this.#doubt = false;
  }
}

/** How long a try may take: the first one is the caller's in any case. */
function limitOf(remaining: number, round: number): number {
  const least = round > 0 ? LAST_LIMIT : remaining > 0 ? 0 : COMMAND_LIMIT;
  return Math.min(COMMAND_LIMIT, Math.max(remaining, least));
}

/** What is known of the holder; a lease that runs out never is none of ours. */
function toldOf(free: number, duration: number): string | undefined {
  if (free === Infinity) return undefined;
  const silent = free > duration
    ? ""
    : `has shown no sign of life for ${
      duration - free
    } ms if its lease is ${duration} ms as here, and `;
  return `its holder ${silent}loses it in ${free} ms without one`;
}

/** Frees what commands take whose answers come later. */
function undo(open: readonly Promise<unknown>[], key: RedisKey, token: string): void {
  const withdraw = (): void => key.withdraw(token);
  for (const answer of open) answer.then(withdraw, withdraw);
}
