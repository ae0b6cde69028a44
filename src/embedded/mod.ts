/**
 * The embedded engine: rqlite's HTTP protocol in this process, over SQLite in a file or in memory,
 * for development, tests and a first look. It runs where `node:sqlite` does: Deno, Bun, and Node
 * 22.16 or newer.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect({ fetch: embedded().fetch });
 * ```
 *
 * @module
 */

import { type Checks, isBoolean, readOptions } from "../options.ts";
import { answer, closedError } from "./engine.ts";
import { Store } from "./store.ts";

/** How the embedded engine behaves. */
export interface EmbeddedOptions {
  /**
   * Enforces foreign keys, as rqlite's `-fk` does.
   *
   * @default {false}
   */
  readonly foreignKeys?: boolean | undefined;
}

const EMBEDDED: Checks<EmbeddedOptions> = { foreignKeys: isBoolean };

/** An rqlite of one node that lives in this process. */
export interface EmbeddedEngine {
  /** Answers what an rqlite server would answer, whatever host the URL names. */
  readonly fetch: typeof fetch;
  /** Closes the database. Requests that come later fail as if nothing listened. */
  close(): void;
}

/**
 * Opens a database and speaks rqlite's protocol for it.
 *
 * In a file, a transaction that was answered is not lost when the process is killed, and the file
 * stays consistent; two processes on one file wait for each other.
 *
 * Requests take turns. While another process or connection has locked the file, a write waits without keeping the
 * thread, and what only reads goes on; where its signal or the client's `timeout` comes first, nothing of it was done. A
 * request without a signal waits 5 seconds and answers "database is locked".
 *
 * A signal or a time limit also ends a request between the statements of a batch, of which nothing is kept then where it
 * is a transaction. **A single statement runs to its end**: no runtime lets `node:sqlite` stop one, nor does the end of a
 * worker thread. It has the thread for itself meanwhile, so timers wait, and what it did is answered, however late.
 *
 * @param path A file, made when it does not exist, or `":memory:"`. A relative one is resolved here and now. A `file:` URI
 * may name a file, and nothing else.
 * @returns A `fetch` for the client, and `close()`.
 * @throws {TypeError} if `path` is empty, not a text or a URI with a host or parameters, or an option is unknown or has
 * the wrong form
 * @throws {OperationalError} if the file cannot be opened: at once, with its path and the reason
 *
 * @example
 * ```ts
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const engine = embedded();
 * const response = await engine.fetch("http://localhost:4001/db/query?q=SELECT%201");
 * console.log(await response.json());
 * engine.close();
 * ```
 */
export function embedded(path = ":memory:", options?: EmbeddedOptions): EmbeddedEngine {
  const { foreignKeys = false } = readOptions(options, EMBEDDED);
  const store = new Store(path, foreignKeys);
  return {
    fetch: (input: string | URL | Request, init?: RequestInit): Promise<Response> =>
      store.closed ? Promise.reject(closedError()) : answer(store, input, init),
    close: () => store.close(),
  };
}
