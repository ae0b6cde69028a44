/**
 * Transaction control as text: what SQLite's own grammar takes, told by its tokens.
 *
 * @module
 */

import { ProgrammingError } from "../errors.ts";
import { analyse } from "../sql/analyse.ts";
import { significantTokens, type Token } from "../sql/tokenize.ts";
import { isName, isWord, nameOf, textOf } from "../sql/words.ts";

/** What a statement such as `ROLLBACK TO x` asks for. */
export type Control =
  | { readonly does: "begin" | "commit" | "rollback" }
  | { readonly does: "savepoint" | "release" | "rollbackTo"; readonly name: string };

/**
 * Reads a statement that controls the transaction; `undefined` for any other.
 *
 * @throws {ProgrammingError} If it begins like one and goes on otherwise.
 */
export function readControl(sql: string): Control | undefined {
  const { kind, statements, problem, text } = analyse(sql);
  // Several statements in one string are refused, whatever they are.
  if (kind !== "control" || statements !== 1 || problem !== undefined) return undefined;
  return new Reader(sql, text).read();
}

class Reader {
  readonly #source: string;
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(source: string, text: string) {
    this.#source = source;
    this.#text = text;
    this.#tokens = significantTokens(text).tokens;
  }

  read(): Control {
    const control = this.#control();
    this.#skip(";");
    if (this.#at < this.#tokens.length) throw this.#unexpected();
    return control;
  }

  #control(): Control {
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

  #transaction(does: "begin" | "commit" | "rollback"): Control {
    this.#skip("TRANSACTION");
    return { does };
  }

  #named(does: "savepoint" | "release" | "rollbackTo"): Control {
    const token = this.#tokens[this.#at];
    if (token === undefined || !isName(token)) throw this.#unexpected();
    this.#at++;
    return { does, name: nameOf(this.#text, token) };
  }

  #skip(word: string): boolean {
    const token = this.#tokens[this.#at];
    const found = isWord(this.#text, token, word) ||
      (token?.kind === "punct" && textOf(this.#text, token) === word);
    if (found) this.#at++;
    return found;
  }

  #unexpected(): ProgrammingError {
    const token = this.#tokens[this.#at];
    const message = token === undefined
      ? "incomplete input"
      : `near ${JSON.stringify(textOf(this.#text, token))}: syntax error`;
    return new ProgrammingError(message, { code: "SQLITE_ERROR", sql: this.#source });
  }
}
