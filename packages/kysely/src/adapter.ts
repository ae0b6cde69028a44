import { type Kysely, type MigrationLockOptions, SqliteAdapter } from "kysely";
import type { LockHandle } from "@tangled/rqlite";
import type { RqliteLock } from "@tangled/rqlite/locks/rqlite";

/** What the adapter has to know of the dialect. */
export interface AdapterOptions {
  /** Makes the lock of that name. */
  readonly lockOf: (name: string) => RqliteLock;
  /** Milliseconds to wait for it. */
  readonly timeout: number;
  /** All pending migrations are one transaction. */
  readonly transactionalMigrations: boolean;
}

// deno-lint-ignore no-explicit-any -- Kysely's own signature.
type AnyKysely = Kysely<any>;

/** SQLite as far as statements go, with as many connections as are asked for and a lock around migrations. */
export class RqliteAdapter extends SqliteAdapter {
  readonly #options: AdapterOptions;
  readonly #held: WeakMap<AnyKysely, LockHandle> = new WeakMap();

  /** Sends nothing. */
  constructor(options: AdapterOptions) {
    super();
    this.#options = options;
    // Queries do not wait for one another. Kysely 0.29 has this in the class that is extended and 0.28 and 0.30 do not,
    // so that TypeScript refuses it in one or the other, with `override` or without.
    Object.defineProperty(this, "supportsMultipleConnections", { value: true });
  }

  /** Whether migrations run in a transaction. */
  override get supportsTransactionalDdl(): boolean {
    return this.#options.transactionalMigrations;
  }

  /**
   * Waits for the lock, which is a lease in the database: it holds across processes, and that of a process that died is
   * taken over.
   *
   * @throws {LockTimeoutError} If another migrator holds it for too long.
   */
  override async acquireMigrationLock(db: AnyKysely, options: MigrationLockOptions): Promise<void> {
    const { lockOf, timeout } = this.#options;
    const { lockTable, lockRowId } = options;
    const handle = await lockOf(`kysely:${lockTable}:${lockRowId}`).acquire({ timeout });
    this.#held.set(db, handle);
  }

  /** Lets go of the lock, if this migrator holds it. */
  override async releaseMigrationLock(db: AnyKysely, _: MigrationLockOptions): Promise<void> {
    const handle = this.#held.get(db);
    this.#held.delete(db);
    await handle?.release();
  }
}
