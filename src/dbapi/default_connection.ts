import { INSPECT, shown } from "../calls/shown.ts";
import { called } from "../calls/error_stacks.ts";
import type { Lock } from "../locks/lock.ts";
import type { SqlFragment } from "../sql/statement.ts";
import type { Params } from "../sql/value.ts";
import type { Connection } from "./connection.ts";
import type { Cursor } from "./cursor.ts";
import { DefaultCursor } from "./default_cursor.ts";
import { Session, type SessionOptions } from "./session.ts";

/** The {@linkcode Connection}: a session and the cursors that share it. */
export class DefaultConnection implements Connection {
  readonly #session: Session;
  readonly #lock: Lock | undefined;

  /** Sends nothing. */
  constructor(options: SessionOptions) {
    this.#session = new Session(options);
    this.#lock = options.lock;
  }

  /** See {@linkcode Connection.autocommit}. */
  get autocommit(): boolean {
    return this.#session.autocommit;
  }

  set autocommit(on: boolean) {
    this.#session.autocommit = on;
  }

  /** See {@linkcode Connection.inTransaction}. */
  get inTransaction(): boolean {
    return this.#session.inTransaction;
  }

  /** See {@linkcode Connection.closed}. */
  get closed(): boolean {
    return this.#session.closed;
  }

  /** See {@linkcode Connection.lock}. */
  get lock(): Lock | undefined {
    return this.#lock;
  }

  /** See {@linkcode Connection.cursor}. */
  cursor(): Cursor {
    this.#session.check();
    return new DefaultCursor(this.#session, this);
  }

  /** See {@linkcode Connection.execute}. */
  execute(sql: string | SqlFragment, params?: Params): Promise<Cursor> {
    return called(() => this.cursor().execute(sql, params));
  }

  /** See {@linkcode Connection.commit}. */
  commit(): Promise<void> {
    return called(() => this.#session.commit());
  }

  /** See {@linkcode Connection.rollback}. */
  rollback(): Promise<void> {
    return called(() => this.#session.rollback());
  }

  /** See {@linkcode Connection.close}. */
  close(): Promise<void> {
    return called(() => this.#session.close());
  }

  /** Rolls back and closes. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How it is printed. */
  [INSPECT](): string {
    const { inTransaction, autocommit, closed } = this;
    return shown("Connection", { inTransaction, autocommit, closed });
  }
}
