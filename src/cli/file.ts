import { type FileHandle, open, realpath, rename, rm, stat } from "node:fs/promises";

/**
 * Writes a file that is whole or not there: under another name beside it, which it takes at the end. What a link leads to
 * is written, those who may read a file stay the same, and into a device or a pipe it is written as it comes.
 *
 * @returns How many bytes it has.
 */
export async function writeWhole(
  path: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<number> {
  const found = await stat(path).catch(() => undefined);
  // A file that took its name would stand in its place, as of /dev/null.
  if (found?.isFile() === false) return await writeAll(await open(path, "w"), parts);
  const target = found === undefined ? path : await realpath(path);
  const temporary = `${target}.${crypto.randomUUID().slice(0, 8)}.part`;
  const file = await open(temporary, "wx", found && found.mode & 0o777);
  try {
    const bytes = await writeAll(file, parts, () => file.sync());
    await rename(temporary, target);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

async function writeAll(
  file: FileHandle,
  parts: AsyncIterable<Uint8Array>,
  end?: () => Promise<void>,
): Promise<number> {
  let bytes = 0;
  try {
    for await (const part of parts) {
      await file.writeFile(part);
      bytes += part.length;
    }
    await end?.();
    return bytes;
  } finally {
    await file.close();
  }
}
