import { OperationalError } from "../errors.ts";
import { notSupported } from "../calls/cluster.ts";
import {
  concatBytes,
  type FileHeader,
  HEADER_SIZE,
  isGzip,
  problemOf,
  readHeader,
} from "./sqlite_file.ts";

/** Looks at a backup as it goes by: a server that fails in the middle of one ends it like any other. */
export interface BackupCheck {
  /** Takes the next part. @throws {OperationalError|NotSupportedError} */
  add(part: Uint8Array): void | Promise<void>;
  /** There is no more. @throws {OperationalError} If something is missing. */
  end(): void | Promise<void>;
  /** Nobody wants the rest. */
  stop(): void;
}

/** The check of a form. */
export function checkOf(format: "binary" | "sql" | "delete", compress: boolean): BackupCheck {
  const check = format === "sql" ? new DumpCheck() : new FileCheck(format === "delete");
  return compress ? new GzipCheck(check, format) : check;
}

function incomplete(why: string): OperationalError {
  return new OperationalError(`The backup is not complete, do not keep it: ${why}`, {
    retryable: true,
  });
}

/** A database file. */
class FileCheck implements BackupCheck {
  readonly #unlogged: boolean;
  #start: Uint8Array = new Uint8Array();
  #header: FileHeader | undefined;
  #length = 0;

  /** @param unlogged It must not be in WAL mode. */
  constructor(unlogged: boolean) {
    this.#unlogged = unlogged;
  }

  add(part: Uint8Array): void {
    this.#length += part.length;
    if (this.#header !== undefined) return;
    this.#start = concatBytes([this.#start, part.subarray(0, HEADER_SIZE)]);
    if (this.#start.length < HEADER_SIZE) return;
    this.#header = readHeader(this.#start);
    if (this.#header === undefined) throw incomplete("it does not begin as a database does");
    if (this.#unlogged && this.#header.wal) throw notSupported('format "delete"', "8.42.0");
  }

  end(): void {
    const problem = this.#header === undefined
      ? `it has ${this.#length} bytes`
      : problemOf(this.#header, this.#length);
    if (problem !== undefined) throw incomplete(problem);
  }

  stop(): void {}
}

/** How the server begins and ends SQL text. */
const DUMP_START = "PRAGMA foreign_keys=OFF;\n";
const DUMP_END = "COMMIT;\n";

/** SQL text. */
class DumpCheck implements BackupCheck {
  readonly #decoder = new TextDecoder("latin1");
  #start = "";
  #end = "";

  add(part: Uint8Array): void {
    const missing = DUMP_START.length - this.#start.length;
    this.#start += this.#decoder.decode(part.subarray(0, Math.max(0, missing)));
    this.#end += this.#decoder.decode(part.subarray(-DUMP_END.length));
    this.#end = this.#end.slice(-DUMP_END.length);
  }

  end(): void {
    if (this.#start !== DUMP_START) throw incomplete("it does not begin as one does");
    if (this.#end !== DUMP_END) throw incomplete("it does not end with COMMIT");
  }

  stop(): void {}
}

/** What gzip makes of another form. */
class GzipCheck implements BackupCheck {
  readonly #format: string;
  readonly #writer: WritableStreamDefaultWriter<BufferSource>;
  readonly #read: Promise<void>;
  #first = true;

  constructor(check: BackupCheck, format: string) {
    this.#format = format;
    const { readable, writable } = new DecompressionStream("gzip");
    this.#writer = writable.getWriter();
    this.#read = readAll(readable, check);
    // Whoever adds or ends hears of it; until then nobody may.
    this.#read.catch(() => {});
    this.#writer.closed.catch(() => {});
  }

  async add(part: Uint8Array): Promise<void> {
    if (this.#first && part.length > 1 && !isGzip(part)) {
      throw this.#format === "sql"
        ? notSupported('`compress` with format "sql"', "8.36.13")
        : incomplete("it does not begin as gzip does");
    }
    this.#first = false;
    await this.#through(this.#writer.write(Uint8Array.from(part)));
  }

  async end(): Promise<void> {
    await this.#through(this.#writer.close());
    await this.#read;
  }

  stop(): void {
    this.#writer.abort().catch(() => {});
  }

  /** What stands behind it says more than the stream that it ends. */
  async #through(written: Promise<void>): Promise<void> {
    try {
      await Promise.race([written, this.#read.then(() => written)]);
    } catch {
      await this.#read;
      throw incomplete("gzip cannot read it");
    }
  }
}

async function readAll(readable: ReadableStream<Uint8Array>, check: BackupCheck): Promise<void> {
  const reader = readable.getReader();
  for (;;) {
    let read: ReadableStreamReadResult<Uint8Array>;
    try {
      read = await reader.read();
    } catch {
      throw incomplete("gzip cannot read it");
    }
    if (read.done) return await check.end();
    await check.add(read.value);
  }
}
