import { LockUnavailableError, RqliteError } from "../errors.ts";
import type { CallOptions, ExecuteOptions, Executor } from "../calls/executor.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import { mayPass } from "./lock_errors.ts";

/** The table, made on first use. Without rowids, so that nothing here sets `last_insert_rowid()`. */
const CREATE_TABLE = `CREATE TABLE IF NOT EXISTS _rqlite_lock(
  name TEXT PRIMARY KEY, owner TEXT, version INTEGER NOT NULL, beat INTEGER NOT NULL,
  lease INTEGER NOT NULL) WITHOUT ROWID`;

const READ = "SELECT owner, version, beat, lease FROM _rqlite_lock WHERE name = ?";

/** Applies to the row that was read and to no other; where there was none, the version that was read is 0. */
const TAKE = `INSERT INTO _rqlite_lock(name, owner, version, beat, lease) VALUES (?, ?, 1, 0, ?)
  ON CONFLICT(name) DO UPDATE SET owner = excluded.owner, version = _rqlite_lock.version + 1,
  beat = 0, lease = excluded.lease
  WHERE _rqlite_lock.version = ? AND _rqlite_lock.owner IS ? AND _rqlite_lock.beat = ?`;

/** A copy of an older beat does not turn it back. */
const BEAT = "UPDATE _rqlite_lock SET beat = max(beat, ?) WHERE name = ? AND owner = ?";

const RELEASE = "UPDATE _rqlite_lock SET owner = NULL WHERE name = ? AND owner = ?";

/** Makes sure that there is a row, so that a first acquisition that arrives late finds one. */
const ENTER = `INSERT INTO _rqlite_lock(name, owner, version, beat, lease)
  VALUES (?, NULL, 0, 0, 0) ON CONFLICT(name) DO NOTHING`;

/** Frees what an acquisition took, and raises the version that it relies on where it did not arrive yet. */
const WITHDRAW = `UPDATE _rqlite_lock SET owner = nullif(owner, ?), version = version + 1
  WHERE name = ? AND (owner = ? OR version = ?)`;

/** What the row says; version 0 if there is none. */
export interface Seen {
  /** The token of the holder; null while it is free. */
  readonly owner: string | null;
  /** Raised by each acquisition. */
  readonly version: number;
  /** Raised by the holder as long as it lives. */
  readonly beat: number;
  /** The holder's lease in milliseconds. */
  readonly lease: number;
}

const ABSENT: Seen = { owner: null, version: 0, beat: 0, lease: 0 };

/**
 * The row of one lock's lease, see `docs/internals/locks.md`. No clock of a server enters into it: the holder changes
 * `beat`, and whoever has seen the row unchanged for a whole lease on its own clock may take it over. Copies of a write may
 * arrive late and any number of times, so each names what it relies on: an acquisition the very row that was read,
 * everything else its owner, who is another one for each acquisition.
 */
export class LeaseRow {
  readonly #client: Executor;
  readonly #name: string;

  /** Sends nothing. */
  constructor(client: Executor, name: string) {
    this.#client = client;
    this.#name = name;
  }

  /**
   * Reads the row. It may be an older state: whoever acts upon it names what was read.
   *
   * @param options Asked before each request, of which there are three where the table is missing.
   * @throws {LockUnavailableError} If the table is not there and may not be made.
   */
  async read(options: () => CallOptions): Promise<Seen> {
    try {
      return await this.#read(options());
    } catch (error) {
      if (!isMissing(error)) throw error;
      await this.#create(options());
      return await this.#read(options());
    }
  }

  /** Takes the lease if the row is still as it was read; false also where an earlier copy took it. */
  async take(seen: Seen, token: string, lease: number, options: CallOptions): Promise<boolean> {
    const { version, owner, beat } = seen;
    const params = [this.#name, token, lease, version, owner, beat];
    return (await this.#client.execute(TAKE, params, plainly(options))).rowsAffected === 1;
  }

  /** Shows that the holder lives; false if it is the holder no more. */
  async beat(token: string, beat: number, options: CallOptions): Promise<boolean> {
    const params = [beat, this.#name, token];
    return (await this.#client.execute(BEAT, params, plainly(options))).rowsAffected === 1;
  }

  /** Frees the lease; false if it was free or another's already, or an earlier copy did it. */
  async release(token: string, options: CallOptions): Promise<boolean> {
    const { sql, params } = this.releaseStatement(token);
    return (await this.#client.execute(sql, params, plainly(options))).rowsAffected === 1;
  }

  /** What {@linkcode LeaseRow.release} sends. */
  releaseStatement(token: string): SqlFragment {
    return { sql: RELEASE, params: [this.#name, token] };
  }

  /** Undoes an acquisition of the row that was read, whether it arrived, will arrive or never does. */
  async withdraw({ version }: Seen, token: string, options: CallOptions): Promise<void> {
    await this.#client.batch([
      [ENTER, this.#name],
      [WITHDRAW, token, this.#name, token, version],
    ], plainly(options));
  }

  async #read(options: CallOptions): Promise<Seen> {
    const { rows: [row] } = await this.#client.query<Seen>(READ, [this.#name], {
      ...options,
      level: "weak",
      rows: "object",
      integers: "number",
    });
    return row ?? ABSENT;
  }

  async #create(options: CallOptions): Promise<void> {
    try {
      await this.#client.execute(CREATE_TABLE, [], plainly(options));
    } catch (cause) {
      if (mayPass(cause)) throw cause;
      throw new LockUnavailableError(
        `Cannot create the table that leases need (${
          cause instanceof Error ? cause.message : cause
        }). ` +
          `Let an account that may do so run:\n${CREATE_TABLE};`,
        { lock: this.#name, cause },
      );
    }
  }
}

/** Copies do no harm here, and who has to know what became of a write looks at the row: it needs no id. */
function plainly(options: CallOptions): ExecuteOptions {
  return { ...options, exactlyOnce: false };
}

function isMissing(error: unknown): boolean {
  return error instanceof RqliteError && /no such table: (main\.)?_rqlite_lock/.test(error.message);
}
