// A seal on the log of commits in a database file. Batches that were on their way to the database that the file
// replaces must not be applied to it: so the file names a column of the table otherwise, and no commit compiles until a
// client has begun a new range of numbers (see `docs/internals/commits.md`). Only letters change, and no length.

import { SEALED_STATE } from "../commit/log_table.ts";
import { COMMIT_TABLE } from "../sql/own_tables.ts";
import type { FileHeader } from "./sqlite_file.ts";
import { concatBytes, HEADER_SIZE } from "./sqlite_file.ts";

/** Reads bytes of a file. */
type Slice = (from: number, to: number) => Promise<Uint8Array>;

/** A letter that takes the place of another one, and where. */
export interface Patch {
  /** Its position in the file, in bytes. */
  readonly at: number;
  /** What is written there. */
  readonly byte: number;
}

/** Pages of a b-tree: those of a table that lead to others, and those with its rows. */
const INNER = 5;
const LEAF = 13;

/** What is written in place of the name of the column. */
const SEALED = new TextEncoder().encode(SEALED_STATE);

/** The file cannot be taken as a database. */
export class DamagedFile extends Error {
  /** "DamagedFile". */
  override readonly name = "DamagedFile";
}

/**
 * Where the log of commits is sealed in a file; `undefined` if the file has no such table.
 *
 * @throws {DamagedFile} If the schema cannot be read.
 */
export async function sealOf(
  header: FileHeader,
  slice: Slice,
): Promise<readonly Patch[] | undefined> {
  const { pageSize, usable, pages = Infinity } = header;
  const seen = new Set<number>();
  const page = async (n: number): Promise<Uint8Array> => {
    if (seen.size === seen.add(n).size) throw new DamagedFile("its schema has no end");
    const there = n > 0 && n <= pages;
    const bytes = there ? await slice((n - 1) * pageSize, n * pageSize) : new Uint8Array();
    if (bytes.length < pageSize) throw new DamagedFile(`there is no page ${n}`);
    return bytes;
  };
  const open = [1];
  for (let n = open.shift(); n !== undefined; n = open.shift()) {
    const bytes = await page(n);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const head = n === 1 ? HEADER_SIZE : 0;
    const kind = view.getUint8(head);
    if (kind !== INNER && kind !== LEAF) throw new DamagedFile(`page ${n} is none of its schema`);
    const cells = view.getUint16(head + 3);
    const list = head + (kind === INNER ? 12 : 8);
    if (list + 2 * cells > pageSize) throw new DamagedFile(`page ${n} is too full`);
    for (let i = 0; i < cells; i++) {
      const at = view.getUint16(list + 2 * i);
      if (at + 4 > pageSize) throw new DamagedFile(`page ${n} ends too early`);
      if (kind === INNER) {
        open.push(view.getUint32(at));
        continue;
      }
      const row = await readRow(bytes, { n, at, pageSize, usable }, page);
      const patches = patchesOf(row, header);
      if (patches !== undefined) return patches;
    }
    if (kind === INNER) open.push(view.getUint32(head + 8));
  }
  return undefined;
}

/** A row of the schema: its bytes, and where in the file each of them is. */
interface SchemaRow {
  readonly bytes: Uint8Array;
  readonly at: (i: number) => number;
}

async function readRow(
  bytes: Uint8Array,
  { n, at, pageSize, usable }: { n: number; at: number; pageSize: number; usable: number },
  page: (n: number) => Promise<Uint8Array>,
): Promise<SchemaRow> {
  const [length, afterLength] = varint(bytes, at);
  const [, start] = varint(bytes, afterLength);
  const local = localOf(length, usable);
  const end = start + local + (local < length ? 4 : 0);
  if (end > usable) throw new DamagedFile(`a row of page ${n} ends behind it`);
  const pieces = [{
    from: (n - 1) * pageSize + start,
    bytes: bytes.subarray(start, start + local),
  }];
  let have = local;
  let next = local < length ? uint32(bytes, start + local) : 0;
  while (have < length) {
    const more = await page(next);
    const part = more.subarray(4, 4 + Math.min(usable - 4, length - have));
    pieces.push({ from: (next - 1) * pageSize + 4, bytes: part });
    have += part.length;
    next = uint32(more, 0);
  }
  return {
    bytes: concatBytes(pieces.map((piece) => piece.bytes)),
    at: (i) => {
      let left = i;
      for (const piece of pieces) {
        if (left < piece.bytes.length) return piece.from + left;
        left -= piece.bytes.length;
      }
      throw new DamagedFile("a row is shorter than it says");
    },
  };
}

/** How much of a row is on its page, by the format of SQLite's files. */
function localOf(length: number, usable: number): number {
  const most = usable - 35;
  if (length <= most) return length;
  const least = Math.floor((usable - 12) * 32 / 255) - 23;
  const some = least + (length - least) % (usable - 4);
  return some <= most ? some : least;
}

/** Of the row of the log of commits: type, name, tbl_name, rootpage, sql. */
function patchesOf(
  { bytes, at }: SchemaRow,
  { encoding }: FileHeader,
): readonly Patch[] | undefined {
  const [headLength, first] = varint(bytes, 0);
  const ends: number[] = [headLength];
  let end = headLength;
  for (let i = first; i < headLength;) {
    const [kind, next] = varint(bytes, i);
    end += sizeOf(kind);
    ends.push(end);
    i = next;
  }
  const [, , , , start = 0] = ends;
  if (ends.length !== 6) throw new DamagedFile("a row of its schema has not five columns");
  if (end > bytes.length) throw new DamagedFile("a row of its schema is too short");
  const decoder = new TextDecoder(encoding);
  const text = (i: number): string => decoder.decode(bytes.subarray(ends[i], ends[i + 1]));
  if (text(0) !== "table" || text(1).toLowerCase() !== COMMIT_TABLE) return undefined;
  const sql = text(4);
  const width = encoding === "latin1" ? 1 : 2;
  const low = encoding === "utf-16be" ? 1 : 0;
  const patches = [...sql.matchAll(/\bstate\b/gi)].flatMap(({ index }) =>
    Array.from(SEALED, (byte, i) => ({ at: at(start + width * (index + i) + low), byte }))
  );
  if (patches.length > 0 || new RegExp(`\\b${SEALED_STATE}\\b`).test(sql)) return patches;
  throw new DamagedFile(`its table ${COMMIT_TABLE} is not one of this client`);
}

/** Of the kinds below 12, which say it themselves, in bytes. */
const SIZES: readonly number[] = [0, 1, 2, 3, 4, 6, 8, 8, 0, 0, 0, 0];

function sizeOf(kind: number): number {
  return SIZES[kind] ?? Math.floor((kind - 12) / 2);
}

function uint32(bytes: Uint8Array, at: number): number {
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(at);
}

/** The number there, and where the next byte is. */
function varint(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let i = 0; i < 9; i++) {
    const byte = bytes[at + i];
    if (byte === undefined) throw new DamagedFile("a number has no end");
    if (i === 8) return [value * 256 + byte, at + 9];
    value = value * 128 + (byte & 0x7f);
    if (byte < 0x80) return [value, at + i + 1];
  }
  throw new DamagedFile("a number has no end");
}
