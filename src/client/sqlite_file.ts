/** How many bytes the header has. */
export const HEADER_SIZE = 100;

const MAGIC = new TextEncoder().encode("SQLite format 3\0");

/** How a file begins that gzip has made. */
const GZIP = [0x1f, 0x8b];

/** What a header says. */
export interface FileHeader {
  /** In bytes. */
  readonly pageSize: number;
  /** `undefined` where an old program wrote last, which leaves it as it was. */
  readonly pages: number | undefined;
  /** Bytes of a page that are used. */
  readonly usable: number;
  /** Of its texts; by bytes where each letter of a keyword is one. */
  readonly encoding: "latin1" | "utf-16le" | "utf-16be";
  /** In WAL mode, in which not every program opens it. */
  readonly wal: boolean;
}

/** Whether some bytes are the beginning of a database file. */
export function isDatabase(bytes: Uint8Array): boolean {
  return bytes.length >= MAGIC.length && MAGIC.every((byte, i) => bytes[i] === byte);
}

/** Whether some bytes are the beginning of what gzip has made. */
export function isGzip(bytes: Uint8Array): boolean {
  return GZIP.every((byte, i) => bytes[i] === byte);
}

/** Reads the header; `undefined` if it is none that SQLite opens. */
export function readHeader(bytes: Uint8Array): FileHeader | undefined {
  if (bytes.length < HEADER_SIZE || !isDatabase(bytes)) return undefined;
  const view = new DataView(bytes.buffer, bytes.byteOffset, HEADER_SIZE);
  const size = view.getUint16(16);
  const pageSize = size === 1 ? 65_536 : size;
  const usable = pageSize - view.getUint8(20);
  const modes = [view.getUint8(18), view.getUint8(19)];
  const fits = pageSize >= 512 && Number.isInteger(Math.log2(pageSize)) && usable >= 480 &&
    modes.every((mode) => mode === 1 || mode === 2) && view.getUint32(20) % 2 ** 24 === 0x40_20_20;
  if (!fits) return undefined;
  const pages = view.getUint32(28);
  const encoding = (["latin1", "latin1", "utf-16le", "utf-16be"] as const)[view.getUint32(56)];
  if (encoding === undefined) return undefined;
  const current = pages > 0 && view.getUint32(24) === view.getUint32(92);
  return { pageSize, usable, encoding, pages: current ? pages : undefined, wal: modes.includes(2) };
}

/** Why a file with that header cannot be whole; `undefined` if its length fits. @param length In bytes. */
export function problemOf({ pageSize, pages = 1 }: FileHeader, length: number): string | undefined {
  if (length >= pageSize * pages && length % pageSize === 0) return undefined;
  return `it has ${length} bytes, and by its header at least ${pages} pages of ${pageSize}`;
}

/** Parts as one. */
export function concatBytes(parts: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
