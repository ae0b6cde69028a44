import { DataError } from "../errors.ts";
import { refused } from "../options.ts";
import { concatBytes, isGzip } from "./sqlite_file.ts";

/** What `load` takes. */
export type LoadSource = Uint8Array | string | Blob | ReadableStream<Uint8Array>;

/** The bytes of a source, of which any may be looked at before they are sent. */
export interface Bytes {
  /** How many there are, where that is known at first. */
  readonly size: number | undefined;
  /** Some of them; fewer at their end. */
  slice(from: number, to: number): Promise<Uint8Array<ArrayBuffer>>;
  /** From the first on. Those of a stream come once. */
  parts(): AsyncIterable<Uint8Array<ArrayBuffer>>;
  /** Whether {@linkcode Bytes.parts} gives them again. */
  readonly again: boolean;
  /** Nobody wants the rest: who makes it hears of that, and is not waited for. */
  stop(reason: unknown): void;
}

/** How much of a Blob is read at a time, in bytes. */
const PIECE = 2 ** 18;

/**
 * The bytes of a source.
 *
 * @throws {TypeError} If it is none, or a stream that somebody else reads.
 */
export function bytesOf(source: Exclude<LoadSource, string>): Bytes {
  const bytes = ArrayBuffer.isView(source)
    ? new BlobBytes(
      new Blob([
        new Uint8Array(source.buffer as ArrayBuffer, source.byteOffset, source.byteLength),
      ]),
    )
    : source instanceof Blob
    ? new BlobBytes(source)
    : source instanceof ReadableStream
    ? new StreamBytes(source)
    : undefined;
  if (bytes === undefined) {
    throw refused("the source", "a Uint8Array, a text, a Blob or a ReadableStream", source);
  }
  return bytes;
}

/** The same, or what gzip has made them of. */
export async function unpacked(bytes: Bytes): Promise<Bytes> {
  if (!isGzip(await bytes.slice(0, 2))) return bytes;
  return new StreamBytes(streamOf(bytes).pipeThrough(new DecompressionStream("gzip")), true);
}

/** All of them. */
export async function allOf(bytes: Pick<Bytes, "parts">): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  for await (const part of bytes.parts()) parts.push(part);
  return concatBytes(parts);
}

/** As a stream, which reads no more than it is asked for. */
export function streamOf(
  bytes: Pick<Bytes, "parts" | "stop">,
): ReadableStream<Uint8Array<ArrayBuffer>> {
  const iterator = bytes.parts()[Symbol.asyncIterator]();
  return new ReadableStream({
    async pull(controller) {
      const { done, value } = await iterator.next();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel(reason) {
      bytes.stop(reason);
    },
  }, { highWaterMark: 0 });
}

/** Of what is there already. */
class BlobBytes implements Bytes {
  readonly again = true;
  readonly #blob: Blob;

  constructor(blob: Blob) {
    this.#blob = blob;
  }

  get size(): number {
    return this.#blob.size;
  }

  async slice(from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    return new Uint8Array(await this.#blob.slice(from, to).arrayBuffer());
  }

  async *parts(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let at = 0; at < this.size; at += PIECE) yield await this.slice(at, at + PIECE);
  }

  stop(): void {}
}

/** Of a stream: what was looked at is kept until it is sent. */
class StreamBytes implements Bytes {
  readonly again = false;
  readonly size = undefined;
  readonly #reader: ReadableStreamDefaultReader<Uint8Array>;
  readonly #kept: Uint8Array[] = [];
  readonly #unpacked: boolean;
  #length = 0;
  #ended = false;

  /** @param unpacked It comes out of what gzip has made. */
  constructor(stream: ReadableStream<Uint8Array>, unpacked = false) {
    this.#reader = stream.getReader();
    this.#unpacked = unpacked;
  }

  async slice(from: number, to: number): Promise<Uint8Array<ArrayBuffer>> {
    while (this.#length < to && !this.#ended) {
      const part = await this.#next();
      if (part === undefined) break;
      this.#kept.push(part);
      this.#length += part.length;
    }
    const found: Uint8Array[] = [];
    let at = 0;
    for (const part of this.#kept) {
      if (at + part.length > from && at < to) {
        found.push(part.subarray(Math.max(0, from - at), to - at));
      }
      at += part.length;
    }
    return concatBytes(found);
  }

  async *parts(): AsyncGenerator<Uint8Array<ArrayBuffer>> {
    for (let part = this.#kept.shift(); part !== undefined; part = this.#kept.shift()) {
      yield Uint8Array.from(part);
    }
    while (!this.#ended) {
      const part = await this.#next();
      if (part !== undefined) yield Uint8Array.from(part);
    }
  }

  stop(reason: unknown): void {
    this.#reader.cancel(reason).catch(() => {});
  }

  async #next(): Promise<Uint8Array | undefined> {
    const { done, value } = await this.#reader.read().catch((cause: unknown) => {
      throw this.#unpacked && cause instanceof TypeError
        ? new DataError(
          "Cannot load the file as gzip cannot unpack all of it; nothing was changed",
          { cause },
        )
        : cause;
    });
    this.#ended = done;
    if (value === undefined || ArrayBuffer.isView(value)) return value;
    throw refused("a part of the source", "a Uint8Array", value);
  }
}
