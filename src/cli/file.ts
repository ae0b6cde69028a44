import { open, rename, rm } from "node:fs/promises";

/**
 * Writes a file that is whole or not there: under another name beside it, which it takes at the end.
 *
 * @returns How many bytes it has.
 */
export async function writeWhole(
  path: string,
  parts: AsyncIterable<Uint8Array>,
): Promise<number> {
  const temporary = `${path}.${crypto.randomUUID().slice(0, 8)}.part`;
  const file = await open(temporary, "wx");
  let bytes = 0;
  try {
    try {
      for await (const part of parts) {
        await file.writeFile(part);
        bytes += part.length;
      }
      await file.sync();
    } finally {
      await file.close();
    }
    await rename(temporary, path);
    return bytes;
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}
