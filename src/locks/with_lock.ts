import { INSPECT, shown } from "../calls/shown.ts";
import { checkFunction } from "../calls/checks.ts";
import { checkLock, resolveAcquire } from "./acquire_options.ts";
import { type Held, HOLDER, keyOf } from "./identity.ts";
import type { AcquireOptions, Lock, LockHandle } from "./lock.ts";

/**
 * Runs a function while one lock or several are held. Several are taken one after the other, in the order of what they
 * are, so that two callers never wait for each other; all are let go of on every path. That order is told by `key` of each
 * lock.
 *
 * @param fn Gets one handle that stands for all of them: as soon as one lock is lost, it is lost.
 * @param options For all of them together.
 * @returns What `fn` answers.
 * @throws {LockTimeoutError|LockUnavailableError} If one of them could not be taken: `fn` did not run.
 * @throws {TypeError|RangeError} If an argument is wrong, or two of the locks are one: `fn` did not run.
 * @throws What `fn` throws, or the signal's reason if that fires while waiting.
 *
 * @example
 * ```ts
 * import { LocalLock, withLock } from "@tangled/rqlite/locks";
 *
 * const [from, to] = [new LocalLock("account 1"), new LocalLock("account 2")];
 * const moved = await withLock([from, to], async (handle) => {
 *   handle.throwIfLost(); // before what must not happen without the locks
 *   return await Promise.resolve(5);
 * }, { timeout: 1_000 });
 * console.assert(moved === 5);
 * ```
 */
export async function withLock<T>(
  lock: Lock | readonly Lock[],
  fn: (handle: LockHandle) => Promise<T>,
  options?: AcquireOptions,
): Promise<T> {
  const locks = sorted(lock);
  checkFunction(fn, "withLock(lock, async () => …)");
  const { timeout, signal, lasting } = resolveAcquire(options);
  const end = performance.now() + timeout;
  const handles: LockHandle[] = [];
  const within = (): AcquireOptions => ({
    // 0 would be another try, which may take as long as a request does.
    timeout: timeout === 0 ? 0 : Math.max(1, end - performance.now()),
    ...(signal && { signal }),
    ...(lasting && { lasting }),
  });
  const looks = Promise.allSettled(locks.slice(1).map(async (one) => await one.look?.(within())));
  try {
    for (const [i, one] of locks.entries()) {
      const namesake = locks.slice(0, i).some(({ name }) => name === one.name);
      if (namesake && await isAmong(handles, one, within())) throw inTwice(one);
      handles.push(await one.acquire(within()));
      await looks;
    }
    const [first, second] = handles;
    return await fn(first !== undefined && second === undefined ? first : new JointHandle(handles));
  } finally {
    await looks;
    await releaseAll(handles);
  }
}

function sorted(lock: Lock | readonly Lock[]): Lock[] {
  const locks = Array.isArray(lock) ? [...lock as readonly Lock[]] : [lock as Lock];
  if (locks.length === 0) throw new TypeError("Cannot use `lock` as it is an empty list");
  for (const one of locks) checkLock(one);
  const keyed = locks.map((lock) => ({ lock, key: lock.key ?? keyOf("", lock.name, lock) }));
  keyed.sort((a, b) => a.key < b.key ? -1 : a.key > b.key ? 1 : 0);
  const twice = keyed.find(({ key }, i) => key === keyed[i + 1]?.key);
  if (twice === undefined) return keyed.map(({ lock }) => lock);
  throw inTwice(twice.lock);
}

function inTwice({ name }: Lock): TypeError {
  return new TypeError(
    `Cannot use \`lock\` as the lock ${
      JSON.stringify(name)
    } is in it twice: it would wait for itself`,
  );
}

/** Whether one of them holds it already, by another way to the same place. */
async function isAmong(
  handles: readonly LockHandle[],
  lock: Lock & Held,
  options: AcquireOptions,
): Promise<boolean> {
  // What is wrong with its server, its acquisition says.
  const holder = await lock[HOLDER]?.(options).catch(() => undefined);
  return handles.some(({ token }) => token === holder);
}

/** The last that was taken is freed first; true if all were still held. */
async function releaseAll(handles: readonly LockHandle[]): Promise<boolean> {
  const released = await Promise.allSettled(handles.toReversed().map((one) => one.release()));
  return released.every((one) => one.status === "fulfilled" && one.value);
}

/** Several locks as one. */
class JointHandle implements LockHandle {
  readonly name: string;
  readonly token: string;
  readonly signal: AbortSignal;
  readonly #handles: readonly LockHandle[];

  constructor(handles: readonly LockHandle[]) {
    this.#handles = handles;
    this.name = handles.map(({ name }) => name).join(", ");
    this.token = handles.map(({ token }) => token).join(", ");
    this.signal = AbortSignal.any(handles.map(({ signal }) => signal));
  }

  get held(): boolean {
    return this.#handles.every(({ held }) => held);
  }

  throwIfLost(): void {
    for (const handle of this.#handles) handle.throwIfLost();
  }

  release(): Promise<boolean> {
    return releaseAll(this.#handles);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.release();
  }

  [INSPECT](): string {
    return shown("LockHandle", { name: this.name, held: this.held });
  }
}
