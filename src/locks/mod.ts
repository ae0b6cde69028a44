/**
 * Locks: what they promise, one for the tasks of a process, and how to hold one or several for a function. Locks
 * between processes are in `@tangled/rqlite/locks/redis` and `@tangled/rqlite/locks/rqlite`; a transaction takes any.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { LocalLock } from "@tangled/rqlite/locks";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE stock(n INTEGER)");
 * await db.execute("INSERT INTO stock VALUES(10)");
 * const lock = new LocalLock("stock");
 * await db.transaction(async (tx) => {
 *   const { rows: [stock] } = await tx.query<{ n: number }>("SELECT n FROM stock");
 *   await tx.execute("UPDATE stock SET n = ?", [stock!.n - 1]);
 * }, { lock });
 * await db.close();
 * ```
 *
 * @module
 */

export { LocalLock } from "./local.ts";
export { withLock } from "./with_lock.ts";
export type { AcquireOptions, BatchRelease, Lock, LockHandle } from "./lock.ts";
export { LockError, LockLostError, LockTimeoutError, LockUnavailableError } from "../errors.ts";
