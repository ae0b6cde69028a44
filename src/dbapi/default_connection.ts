import { INSPECT, shown } from "../calls/shown.ts";
import { called } from "../calls/error_stacks.ts";
import type { Lock } from "../locks/lock.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params } from "../sql/value.ts";
import type { Connection, Cursor } from "./connection.ts";
import { ConnectionState, type ConnectionStateOptions } from "./connection_state.ts";
import { DefaultCursor } from "./default_cursor.ts";

/** The {@linkcode Connection}: its state and the cursors that share it. */
export class DefaultConnection implements Connection {
  readonly #state: ConnectionState;
  readonly #lock: Lock | undefined;

  /** Sends nothing. */
  constructor(options: ConnectionStateOptions) {
    this.#state = new ConnectionState(options);
    this.#lock = options.lock;
  }

  /** Whether each statement is sent by itself. */
  get autocommit(): boolean {
    return this.#state.autocommit;
  }

  set autocommit(on: boolean) {
    this.#state.autocommit = on;
  }

  /** Whether a transaction is open. */
  get inTransaction(): boolean {
    return this.#state.inTransaction;
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#state.closed;
  }

  /** What each transaction takes. */
  get lock(): Lock | undefined {
    return this.#lock;
  }

  /** Makes a cursor. */
  cursor(): Cursor {
    this.#state.check();
    return new DefaultCursor(this.#state, this);
  }

  /** Runs a statement on a new cursor. */
  execute(sql: string | SqlFragment, params?: Params): Promise<Cursor> {
    return called(() => this.cursor().execute(sql, params));
  }

  /** Applies the transaction. */
  commit(): Promise<void> {
    return called(() => this.#state.commit());
  }

  /** Forgets the transaction. */
  rollback(): Promise<void> {
    return called(() => this.#state.rollback());
  }

  /** Rolls back and closes. */
  close(): Promise<void> {
    return called(() => this.#state.close());
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
