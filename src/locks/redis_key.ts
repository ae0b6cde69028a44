import type { HolderTimer } from "../time/holder_timer.ts";
import { persist } from "./tries.ts";
import type { RedisCommand } from "./redis_clients.ts";
import { refusal, WrongAnswer } from "./redis_refusal.ts";
import { waitAtMost } from "../time/wait_at_most.ts";

/** A client may send it again: who has the key already is told that he took it. */
const ACQUIRE = `if redis.call("SET", KEYS[1], ARGV[1], "NX", "PX", ARGV[2]) then
  return { 1, ARGV[1] }
end
if redis.call("GET", KEYS[1]) == ARGV[1] then
  redis.call("PEXPIRE", KEYS[1], ARGV[2])
  return { 1, ARGV[1] }
end
return { 0, redis.call("PTTL", KEYS[1]) }`;

const EXTEND = `if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("PEXPIRE", KEYS[1], ARGV[2])
end
return 0`;

const RELEASE = `if redis.call("GET", KEYS[1]) == ARGV[1] then
  return redis.call("DEL", KEYS[1])
end
return 0`;

/**
 * The key of a lock: it holds the token of whoever holds the lock, and runs out with the lease. Each script may arrive
 * late and more than once, and does nothing to a key with another token. They go as plain EVAL: EVALSHA saves nothing
 * that can be measured, and what it needs is gone after every restart and failover.
 */
export class RedisKey {
  readonly #key: string;
  readonly #command: RedisCommand;

  /** Sends nothing. */
  constructor(key: string, command: RedisCommand) {
    this.#key = key;
    this.#command = command;
  }

  /**
   * Takes the lock, or begins its lease anew.
   *
   * @returns True, or in how many milliseconds the lease of another runs out: Infinity if never.
   * @throws {WrongAnswer} As whatever the client throws, it leaves open what happened.
   */
  async acquire(token: string, lease: number): Promise<true | number> {
    const answer = await this.#eval(ACQUIRE, token, String(lease));
    const [taken, detail] = Array.isArray(answer) && answer.length === 2 ? answer : [];
    // An answer for somebody else bears another token.
    if (taken === 1 && detail === token) return true;
    if (taken !== 0 || typeof detail !== "number") throw new WrongAnswer(answer);
    return detail < 0 ? Infinity : detail;
  }

  /** What it holds: the token of whoever has the lock, if anybody has. */
  async owner(): Promise<unknown> {
    return await this.#command(["GET", this.#key], this.#key);
  }

  /** Begins the lease anew; false if it is another's by now. */
  async extend(token: string, lease: number): Promise<boolean> {
    return truth(await this.#eval(EXTEND, token, String(lease)));
  }

  /**
   * Frees the lock, trying until it is answered; it never throws.
   *
   * @param limit Milliseconds.
   * @param timer For that, cleared at the end.
   * @returns False if it was free or another's already, if an earlier copy did it, or if nobody knows.
   */
  async free(token: string, limit: number, timer: HolderTimer): Promise<boolean> {
    const release = (timeout: number) =>
      waitAtMost(this.#release(token), timeout, undefined, timer);
    const freed = await persist(release, limit, (error) => refusal(error) === undefined);
    timer.clear();
    return freed ?? false;
  }

  /** Frees the lock behind the caller's back, once: he is gone, and must leave no timer. Else the lease runs out. */
  withdraw(token: string): void {
    this.#release(token).catch(() => {});
  }

  async #release(token: string): Promise<boolean> {
    return truth(await this.#eval(RELEASE, token));
  }

  async #eval(script: string, ...args: string[]): Promise<unknown> {
    return await this.#command(["EVAL", script, "1", this.#key, ...args], this.#key);
  }
}

function truth(answer: unknown): boolean {
  if (answer === 1) return true;
  if (answer === 0) return false;
  throw new WrongAnswer(answer);
}
