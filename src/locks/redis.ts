/**
 * Locks in Redis or Valkey, by whatever client there is: an adapter makes commands of it. The client stays the caller's,
 * who opens and closes it.
 *
 * ```ts ignore
 * import { connect } from "@tangled/rqlite";
 * import { nodeRedis, RedisLock } from "@tangled/rqlite/locks/redis";
 * import { createClient } from "redis";
 *
 * const db = connect("http://localhost:4001");
 * const client = await createClient().connect();
 * const lock = new RedisLock({ name: "stock", command: nodeRedis(client) });
 * await db.transaction(async (tx) => {
 *   const { rows: [stock] } = await tx.query<{ n: number }>("SELECT n FROM stock");
 *   await tx.execute("UPDATE stock SET n = ?", [stock!.n - 1]);
 * }, { lock });
 * ```
 *
 * @module
 */

import { INSPECT, shown } from "../calls/shown.ts";
import { type Checks, isBoolean, isTimeout, readOptions } from "../options.ts";
import { checkName, isWellFormed, resolveAcquire } from "./acquire_options.ts";
import { HOLDER, keyOf } from "./identity.ts";
import { acquireInTurn } from "./lease_handle.ts";
import { isLease, isRetryDelay, type Limits, limitsOf } from "./limits.ts";
import type { AcquireOptions, Lock, LockHandle } from "./lock.ts";
import { Pace } from "./pace.ts";
import { tooLate } from "./lock_errors.ts";
import { Queue, Turn } from "./queue.ts";
import { COMMAND_LIMIT, RedisAcquisition } from "./redis_acquisition.ts";
import type { RedisCommand } from "./redis_clients.ts";
import { RedisKey } from "./redis_key.ts";
import { checkCommand, checkRenewal, isFactory, made, redisKeyOf } from "./redis_options.ts";
import { waitAtMost } from "../time/wait_at_most.ts";

export {
  bunRedis,
  denoRedis,
  glide,
  ioRedis,
  nodeRedis,
  nodeRedisCluster,
  type RedisCommand,
  upstash,
} from "./redis_clients.ts";
export type { AcquireOptions, BatchRelease, Lock, LockHandle } from "./lock.ts";

/** How a {@linkcode RedisLock} is made. */
export interface RedisLockOptions {
  /** What is locked: all that use the same name, prefix and server exclude each other. */
  name: string;
  /**
   * How commands are sent: what an adapter makes of a client. A function without parameters is a factory of that, asked
   * for each acquisition, as on Workers a client must not outlive its request.
   */
  command: RedisCommand | (() => RedisCommand | Promise<RedisCommand>);
  /** Milliseconds after which others may take the lock of a holder that died. @default {10000} */
  leaseDuration?: number | undefined;
  /** Whether the lease is renewed, every third of it, for at most `maxHoldTime`. @default {true} */
  renew?: boolean | undefined;
  /**
   * For how long a holder that hangs keeps the lock, in milliseconds; not beside `renew: false`. Infinity is for ever, and
   * the default of a leader. @default {60000}
   */
  maxHoldTime?: number | undefined;
  /**
   * What comes before the name in the key; "pyrqlite:lock:" shares locks with tangled-pyrqlite. So that no two locks
   * share a key, it ends in ":lock:" and has that nowhere else; or it is empty or ends in another ":", and then the name
   * has no colon.
   * @default {"rqlite:lock:"}
   */
  keyPrefix?: string | undefined;
  /** Milliseconds between two tries at most: more where hundreds wait; 500 by default for who wants to lead. @default {20} */
  maxRetryDelay?: number | undefined;
}

const REDIS_LOCK: Checks<RedisLockOptions> = {
  name: checkName,
  command: checkCommand,
  leaseDuration: isLease,
  renew: isBoolean,
  maxHoldTime: isTimeout,
  keyPrefix: isWellFormed,
  maxRetryDelay: isRetryDelay,
};

const USUAL: Limits = { maxHoldTime: 60_000, maxRetryDelay: 20 };

/** By command and key, those of this process that wait: one of them asks at a time. */
const QUEUES = new WeakMap<RedisCommand, Map<string, Queue>>();

/**
 * Mutual exclusion between everybody who uses the same key of a Redis or Valkey server, by a lease of that key. It is
 * fast, and as good as the server's memory and everybody's clocks: a server that forgets, a holder that is stopped for
 * longer than its lease lets two in. The commit of a transaction is guarded against that.
 *
 * @example
 * ```ts ignore
 * import { ioRedis, RedisLock } from "@tangled/rqlite/locks/redis";
 * import { Redis } from "ioredis";
 *
 * const lock = new RedisLock({ name: "report", command: ioRedis(new Redis()) });
 * {
 *   await using handle = await lock.acquire({ timeout: 5_000 });
 *   handle.throwIfLost(); // before each step that must not happen without the lock
 * }
 * ```
 */
export class RedisLock implements Lock {
  /** What is locked. */
  readonly name: string;
  /**
   * What it is, for whoever takes several locks: kind, key and place as text. The place is `command`, as that alone does not
   * tell which server it leads to: two clients count as two servers, until one of them is found to hold the other's lock.
   */
  readonly key: string;
  readonly #key: string;
  readonly #command: RedisLockOptions["command"];
  readonly #duration: number;
  readonly #limits: Pick<RedisLockOptions, keyof Limits>;
  /** Of those who hold it for a short time. */
  readonly #pace: Pace;

  /**
   * Sends nothing.
   *
   * @throws {TypeError|RangeError} If an option is wrong.
   */
  constructor(options: RedisLockOptions) {
    const {
      name,
      command,
      leaseDuration = 10_000,
      renew = true,
      keyPrefix = "rqlite:lock:",
      ...limits
    } = checkRenewal(readOptions(options, REDIS_LOCK));
    this.name = checkName(name);
    this.#command = checkCommand(command);
    this.#key = redisKeyOf(keyPrefix, name);
    this.key = keyOf("redis", this.#key, command);
    this.#duration = Math.ceil(leaseDuration);
    this.#limits = renew ? limits : { ...limits, maxHoldTime: 0 };
    this.#pace = new Pace(limitsOf(limits, false, USUAL).maxRetryDelay);
  }

  /**
   * Waits until the lock is held. Those of one process who share `command` ask one after the other, first come first
   * served; between processes chance decides.
   *
   * @throws {LockTimeoutError} If it was not to be had in time; its `cause` is what went wrong with the server, if so.
   * @throws {LockUnavailableError} If the server refuses it, its client is closed, or the adapter is of another client.
   * @throws {TypeError|RangeError} If an option is wrong.
   * @throws The signal's reason, if that fires.
   */
  async acquire(options?: AcquireOptions): Promise<LockHandle> {
    const { timeout, signal, lasting } = resolveAcquire(options);
    signal?.throwIfAborted();
    const end = performance.now() + timeout;
    const { maxHoldTime, maxRetryDelay } = limitsOf(this.#limits, lasting, USUAL);
    const turn = await this.#enter(timeout, signal);
    return await acquireInTurn(turn, async () => {
      const command = await this.#made(end, signal);
      const { token, lease, free } = await new RedisAcquisition({
        name: this.name,
        key: new RedisKey(this.#key, command),
        duration: this.#duration,
        maxHoldTime,
        pace: lasting ? new Pace(maxRetryDelay, maxRetryDelay) : this.#pace,
        signal,
      }).run(end);
      return { name: this.name, token, lease, free };
    });
  }

  /** What the key holds: the token of whoever has the lock, if anybody has. */
  async [HOLDER](options?: AcquireOptions): Promise<unknown> {
    const { timeout, signal } = resolveAcquire(options);
    const command = await this.#made(performance.now() + timeout, signal);
    const owner = new RedisKey(this.#key, command).owner();
    return await waitAtMost(owner, Math.min(timeout, COMMAND_LIMIT), signal);
  }

  async #made(end: number, signal: AbortSignal | undefined): Promise<RedisCommand> {
    if (!isFactory(this.#command)) return this.#command;
    return await made(this.#command, this.name, end, signal);
  }

  /** Waits for the turn within this process. */
  #enter(timeout: number, signal: AbortSignal | undefined): Promise<Turn> {
    // What a factory makes belongs to one request: nobody must wait for another's.
    if (isFactory(this.#command)) return Promise.resolve(new Turn(() => {}));
    return queueOf(this.#command, this.#key).enter(timeout, () => tooLate(this.name), signal);
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("RedisLock", { name: this.name });
  }
}

/** The same lock, named for readers who use Valkey. */
export class ValkeyLock extends RedisLock {}

function queueOf(command: RedisCommand, key: string): Queue {
  const queues = QUEUES.get(command) ?? new Map<string, Queue>();
  QUEUES.set(command, queues);
  const queue = queues.get(key) ?? new Queue(() => queues.delete(key));
  queues.set(key, queue);
  return queue;
}
