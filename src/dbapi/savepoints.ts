/** The names of a transaction's savepoints, to know which of them opened it: releasing that one commits, as in SQLite. */
export class Savepoints {
  readonly #names: string[] = [];
  #opened = false;

  /** @param opens It is what opened the transaction. */
  set(name: string, opens: boolean): void {
    if (opens) this.#opened = true;
    this.#names.push(name.toLowerCase());
  }

  /** Whether the savepoint of this name is the one that opened the transaction. */
  isOutermost(name: string): boolean {
    return this.#opened && this.#find(name) === 0;
  }

  /** It stays, and those behind it go. */
  rollbackTo(name: string): void {
    this.#names.length = this.#find(name) + 1;
  }

  /** It goes, and those behind it. */
  release(name: string): void {
    this.#names.length = this.#find(name);
  }

  #find(name: string): number {
    return this.#names.lastIndexOf(name.toLowerCase());
  }
}
