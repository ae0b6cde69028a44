import { NotSupportedError } from "../errors.ts";
import { analyse, changes } from "../sql/analyse.ts";
import type { Statement } from "../sql/statement.ts";
import type { Params, Result, Value } from "../sql/value.ts";
import type { Transaction } from "../transaction/transaction.ts";

/** What runs the statements of cursors: a transaction, or the client where each statement stands for itself. */
export interface StatementRunner {
  /** Runs one statement. */
  execute(sql: string, params: Params | undefined): Promise<Result<Value[]>>;
  /** Runs several writes, all or none. */
  batch(statements: readonly Statement[]): Promise<Result[]>;
}

/** The open transaction of a connection. */
export class OpenTransaction implements StatementRunner {
  readonly #tx: Transaction;
  readonly #savepoints = new Savepoints();
  /** A read whose rows nobody can check at commit. */
  #unchecked: string | undefined;
  /** How many statements it was given. */
  issued = 0;
  /** Whether it was asked for by BEGIN or SAVEPOINT, and stays when its only statement fails. */
  asked = false;

  /** Sends nothing. */
  constructor(tx: Transaction) {
    this.#tx = tx;
  }

  /** Whether nothing has ended it yet, neither from outside. */
  get active(): boolean {
    return this.#tx.state === "active";
  }

  /** Runs one statement; a read that cannot be checked at commit is answered all the same. */
  async execute(sql: string, params: Params | undefined): Promise<Result<Value[]>> {
    this.#take(sql);
    try {
      return await this.#tx.execute<Value[]>(sql, params, { rows: "array" });
    } catch (error) {
      if (!(error instanceof NotSupportedError) || error.code !== "ERR_UNCHECKABLE") throw error;
      this.#unchecked = sql;
      return await this.#tx.query<Value[]>(sql, params, { rows: "array", guard: false });
    }
  }

  /** Runs several writes, all or none. */
  // deno-lint-ignore require-await -- what it throws is a rejection
  async batch(statements: readonly Statement[]): Promise<Result[]> {
    this.issued++;
    this.#refuseWrite();
    return this.#tx.batch(statements);
  }

  /**
   * Sets a savepoint.
   *
   * @param opens Whether it is what opened the transaction.
   */
  async savepoint(name: string, opens: boolean): Promise<void> {
    await this.#tx.savepoint(name);
    this.#savepoints.set(name, opens);
    this.asked = true;
  }

  /** Undoes what was done since a savepoint, which stays. */
  async rollbackTo(name: string): Promise<void> {
    await this.#tx.rollbackTo(name);
    this.#savepoints.rollbackTo(name);
  }

  /** Forgets a savepoint. */
  async release(name: string): Promise<void> {
    await this.#tx.release(name);
    this.#savepoints.release(name);
  }

  /** Whether a savepoint is the one that opened the transaction: releasing it commits. */
  openedBy(name: string): boolean {
    return this.#savepoints.isOutermost(name);
  }

  /** Applies everything. */
  commit(): Promise<void> {
    return this.#tx.commit();
  }

  /** Forgets everything. */
  rollback(): Promise<void> {
    return this.#tx.rollback();
  }

  #take(sql: string): void {
    this.issued++;
    if (changes(analyse(sql))) this.#refuseWrite();
  }

  /** What was read may decide what is written: a write behind a read that is not checked would be unprotected. */
  #refuseWrite(): void {
    if (this.#unchecked === undefined) return;
    throw new NotSupportedError(
      "Cannot write in this transaction as it holds a read that cannot be checked at commit, because it is too large " +
        `or holds random(): commit or roll back first, or read with autocommit: ${this.#unchecked}`,
    );
  }
}

/** The names of a transaction's savepoints, to know which of them opened it: releasing that one commits, as in SQLite. */
class Savepoints {
  readonly #names: string[] = [];
  #opened = false;

  /** Notes a savepoint. @param opens Whether it is what opened the transaction. */
  set(name: string, opens: boolean): void {
    if (opens) this.#opened = true;
    this.#names.push(name.toLowerCase());
  }

  /** Whether the savepoint of this name is the one that opened the transaction. */
  isOutermost(name: string): boolean {
    return this.#opened && this.#find(name) === 0;
  }

  /** Keeps a savepoint, and forgets those behind it. */
  rollbackTo(name: string): void {
    this.#names.length = this.#find(name) + 1;
  }

  /** Forgets a savepoint, and those behind it. */
  release(name: string): void {
    this.#names.length = this.#find(name);
  }

  #find(name: string): number {
    return this.#names.lastIndexOf(name.toLowerCase());
  }
}
