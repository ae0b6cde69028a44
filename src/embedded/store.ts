import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { backup, DatabaseSync } from "node:sqlite";
import { Connection } from "./connection.ts";
import { readLocation } from "./location.ts";
import { openError, SqliteError } from "./sqlite_error.ts";
import { type Turn, Turns, turnsAt } from "./turns.ts";

/** Where the header of a database file has the journal mode: 1 is a rollback journal, 2 a WAL. */
const VERSION_BYTES = [18, 19];

/** More than any database has: a copy is made in one go. */
const ALL_PAGES = 2 ** 30;

/** How often a copy is begun at most, where somebody else gets the file first each time. */
const MOST_TRIES = 100;

/** The database and its two connections: one that writes, one that only reads. */
export class Store {
  #location: string;
  readonly #memory: boolean;
  readonly #foreignKeys: boolean;
  #writer: Connection;
  #reader: Connection;
  #closed = false;
  #sequenceNumber = BigInt(Date.now()) * 1_000_000n;
  #snapshotIndex = 0;
  #snapshots = 0;
  readonly #place: ReturnType<typeof turnsAt> | undefined;
  /** Who has the database. */
  readonly turns: Turns;
  /** Who writes, or waits to write. */
  readonly writers = new Turns();
  #isReady = false;
  /** How many requests have written so far: what rqlite calls the Raft index. */
  index = 3;

  /**
   * Opens the file, or a database in memory.
   *
   * @throws {TypeError} if the path stands for neither
   * @throws {OperationalError} when that fails
   */
  constructor(path: string, foreignKeys: boolean) {
    const file = readLocation(path);
    this.#memory = file === undefined;
    this.#location = file ?? memoryLocation();
    this.#foreignKeys = foreignKeys;
    try {
      [this.#writer, this.#reader] = this.#openBoth();
    } catch (error) {
      // Anything else is a mistake of the caller, or a node:sqlite that is too old.
      throw error instanceof SqliteError ? openError(path, this.#location, error) : error;
    }
    this.#place = this.#memory ? undefined : turnsAt(this.#location);
    this.turns = this.#place?.turns ?? new Turns();
  }

  /** The connection for writes. */
  get writer(): Connection {
    return this.#writer;
  }

  /** The connection for reads; it sees only what is committed. */
  get reader(): Connection {
    return this.#reader;
  }

  /** Whether `close()` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Waits for the first look into the file, while somebody else has it for himself. @throws {SqliteError} */
  async ready(turn: Turn): Promise<void> {
    if (this.#isReady) return;
    await turn.whenFree(this.#writer, () => setUp([this.#writer, this.#reader]));
    this.#isReady = true;
  }

  /** Waits until nobody writes to the file, nor by this connection. @throws {SqliteError} */
  async quiet(turn: Turn): Promise<void> {
    await turn.write();
    if (!this.#memory) await this.#free(turn);
  }

  /** A copy of the database file as it is, in WAL mode as rqlite has it or not. */
  async copy(mode: "wal" | "delete", turn: Turn): Promise<Uint8Array> {
    const bytes = await this.#inFolder((file) => this.#copyTo(file, turn));
    return setMode(bytes, mode);
  }

  /** A copy without free pages. @throws {Error} when that fails */
  compactCopy(turn: Turn): Promise<Uint8Array> {
    // VACUUM INTO would write the copy of a database in memory to memory.
    return this.#inFolder(async (file) => {
      await this.#copyTo(file, turn);
      const copy = new DatabaseSync(file);
      copy.exec("PRAGMA journal_mode=DELETE");
      copy.exec("VACUUM");
      copy.close();
    });
  }

  /** Replaces everything by the content of a database file. @throws {Error} when it is damaged */
  async replace(bytes: Uint8Array, turn: Turn): Promise<void> {
    await this.#inFolder(async (file) => {
      writeFileSync(file, setMode(Uint8Array.from(bytes), "delete"));
      const source = openSource(file, this.#pageSize());
      try {
        if (this.#memory) return this.#moveTo(source);
        await this.#overwrite(source, turn);
        this.#reopen();
      } finally {
        source.close();
      }
    });
  }

  /** The number of the next queued write. */
  nextSequenceNumber(): bigint {
    return ++this.#sequenceNumber;
  }

  /** Whether anything was written since the last time. */
  snapshot(): boolean {
    if (this.#snapshotIndex === this.index) return false;
    this.#snapshotIndex = this.index;
    this.#snapshots++;
    return true;
  }

  /** How many snapshots rqlite would have thrown away: all but the last. */
  reap(): number {
    const reaped = Math.max(this.#snapshots - 1, 0);
    this.#snapshots -= reaped;
    return reaped;
  }

  /** Closes both connections; nothing may follow. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reader.close();
    this.#writer.close();
    this.#place?.release();
  }

  async #free(turn: Turn): Promise<void> {
    await turn.whenFree(this.#writer, () => {
      this.#writer.run("BEGIN IMMEDIATE");
      this.#writer.run("ROLLBACK");
    });
  }

  /** Somebody else may be faster than the copy, which then has changed nothing. */
  async #overwrite(source: DatabaseSync, turn: Turn): Promise<void> {
    for (let tries = 1;; tries++) {
      try {
        return void await backup(source, this.#location, { rate: ALL_PAGES });
      } catch (error) {
        if (tries >= MOST_TRIES || !mayBeBusy(error)) throw error;
      }
      await this.#free(turn);
    }
  }

  async #copyTo(file: string, turn: Turn): Promise<void> {
    // backup() itself would wait for nobody.
    await turn.whenFree(this.#writer, () => this.#writer.column("PRAGMA schema_version"));
    await backup(this.#writer.database, file, { rate: ALL_PAGES });
  }

  /** Copies to a new place in memory, as the backup() of Node 22 takes no URI. */
  #moveTo(source: DatabaseSync): void {
    const location = memoryLocation();
    // A database in memory is gone when nobody has it open.
    const holder = new DatabaseSync(location);
    try {
      source.exec(`VACUUM INTO '${location}'`);
      this.#location = location;
      this.#reopen();
    } finally {
      holder.close();
    }
  }

  #open(readOnly: boolean): Connection {
    const options = { memory: this.#memory, foreignKeys: this.#foreignKeys, readOnly };
    return new Connection(this.#location, options);
  }

  #openBoth(): [writer: Connection, reader: Connection] {
    const opened: Connection[] = [];
    try {
      const writer = this.#open(false);
      opened.push(writer);
      const reader = this.#open(true);
      opened.push(reader);
      this.#isReady = isSetUp(opened);
      return [writer, reader];
    } catch (error) {
      for (const connection of opened) connection.close();
      throw error;
    }
  }

  #reopen(): void {
    if (this.#closed) return;
    const [writer, reader] = [this.#writer, this.#reader];
    [this.#writer, this.#reader] = this.#openBoth();
    reader.close();
    writer.close();
  }

  #pageSize(): bigint {
    return BigInt(Number(this.#writer.column("PRAGMA page_size")[0]));
  }

  async #inFolder(work: (file: string) => unknown): Promise<Uint8Array> {
    const folder = mkdtempSync(join(tmpdir(), "rqlite-"));
    try {
      const file = join(folder, "copy.db");
      await work(file);
      return new Uint8Array(readFileSync(file));
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

function setUp(connections: readonly Connection[]): void {
  for (const connection of connections) connection.setUp();
}

/** Sets them up, unless somebody else has the file for himself. */
function isSetUp(connections: readonly Connection[]): boolean {
  try {
    setUp(connections);
    return true;
  } catch (error) {
    if (connections.some((connection) => connection.waitsAfter(error))) return false;
    throw error;
  }
}

/** backup() asks the wrong connection for the reason, which knows none. */
function mayBeBusy(error: unknown): boolean {
  return error instanceof Error && "errcode" in error && [0, 5, 6].includes(Number(error.errcode));
}

function memoryLocation(): string {
  return `file:/rqlite-${crypto.randomUUID()}?vfs=memdb`;
}

/** Changes a database file so that it opens in the given journal mode. */
function setMode(bytes: Uint8Array, mode: "wal" | "delete"): Uint8Array {
  for (const at of VERSION_BYTES) bytes[at] = mode === "wal" ? 2 : 1;
  return bytes;
}

/** A checked database to copy from, with the page size of the one that it replaces. */
function openSource(file: string, pageSize: bigint): DatabaseSync {
  const source = new DatabaseSync(file);
  try {
    const problems = source.prepare("PRAGMA quick_check(1)").all();
    const [problem] = problems.flatMap((row) => Object.values(row));
    if (problem !== "ok") throw new Error(String(problem));
    source.exec(`PRAGMA page_size=${pageSize}`);
    const [own] = Object.values(source.prepare("PRAGMA page_size").get() ?? {});
    if (BigInt(Number(own)) !== pageSize) source.exec("VACUUM");
    return source;
  } catch (error) {
    source.close();
    throw error;
  }
}
