import { ProgrammingError } from "../errors.ts";
import { analyse, tokensOf } from "../sql/analyse.ts";
import type { TokenView } from "../sql/token_view.ts";

/** What a statement such as `ROLLBACK TO x` asks for. */
export type TransactionControl =
  | {
    /** What is to be done. */
    readonly does: "begin" | "commit" | "rollback";
  }
  | {
    /** What is to be done with a savepoint. */
    readonly does: "savepoint" | "release" | "rollbackTo";
    /** The name of the savepoint. */
    readonly name: string;
  };

/**
 * Reads a statement that controls the transaction, by the tokens that SQLite's own grammar takes; `undefined` for any other.
 *
 * @throws {ProgrammingError} If it begins like one and goes on otherwise.
 */
export function readControl(sql: string): TransactionControl | undefined {
  const analysis = analyse(sql);
  const { kind, statements, problem } = analysis;
  // Several statements in one string are refused, whatever they are.
  if (kind !== "control" || statements !== 1 || problem !== undefined) return undefined;
  return new Reader(sql, tokensOf(analysis)).read();
}

class Reader {
  readonly #source: string;
  readonly #view: TokenView;
  #at = 0;

  constructor(source: string, view: TokenView) {
    this.#source = source;
    this.#view = view;
  }

  read(): TransactionControl {
    const control = this.#control();
    this.#skip(";");
    if (this.#at < this.#view.tokens.length) throw this.#unexpected();
    return control;
  }

  #control(): TransactionControl {
    if (this.#skip("BEGIN")) {
      if (!this.#skip("DEFERRED") && !this.#skip("IMMEDIATE")) this.#skip("EXCLUSIVE");
      return this.#transaction("begin");
    }
    if (this.#skip("COMMIT") || this.#skip("END")) return this.#transaction("commit");
    if (this.#skip("SAVEPOINT")) return this.#named("savepoint");
    if (this.#skip("RELEASE")) {
      this.#skip("SAVEPOINT");
      return this.#named("release");
    }
    this.#skip("ROLLBACK");
    const control = this.#transaction("rollback");
    if (!this.#skip("TO")) return control;
    this.#skip("SAVEPOINT");
    return this.#named("rollbackTo");
  }

  #transaction(does: "begin" | "commit" | "rollback"): TransactionControl {
    this.#skip("TRANSACTION");
    return { does };
  }

  #named(does: "savepoint" | "release" | "rollbackTo"): TransactionControl {
    if (!this.#view.isName(this.#at)) throw this.#unexpected();
    return { does, name: this.#view.name(this.#at++) };
  }

  #skip(word: string): boolean {
    const found = this.#view.isWord(this.#at, word) || this.#view.is(this.#at, word);
    if (found) this.#at++;
    return found;
  }

  #unexpected(): ProgrammingError {
    const found = this.#view.text(this.#at);
    const message = found === ""
      ? "incomplete input"
      : `near ${JSON.stringify(found)}: syntax error`;
    return new ProgrammingError(message, { code: "SQLITE_ERROR", sql: this.#source });
  }
}
