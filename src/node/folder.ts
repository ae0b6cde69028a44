import { NotSupportedError, ProgrammingError } from "../errors.ts";

/** What is used of `node:fs/promises`. */
interface Files {
  readdir(folder: string | URL): Promise<string[]>;
  readFile(file: string | URL): Promise<Uint8Array>;
}

/** What is used of `process`. */
interface Process {
  getBuiltinModule?(name: "node:fs/promises"): Files | undefined;
}

/**
 * The files of a folder, by their names, without those that begin with a dot.
 *
 * @param folder A path, from the working directory on, or a `file:` URL.
 * @param refuse Throws where a name is not one that may be there: no file is read then.
 * @throws {NotSupportedError} If there is no file system.
 * @throws {ProgrammingError} If the folder or a file cannot be read, or a file is no text in UTF-8.
 */
export async function readFolder(
  folder: string | URL,
  refuse: (name: string) => void,
): Promise<Map<string, string>> {
  const { readdir, readFile } = fileSystem();
  const names = await reading(folder, () => readdir(folder));
  const visible = names.filter((name) => !name.startsWith(".")).sort();
  for (const name of visible) refuse(name);
  const texts = new Map<string, string>();
  for (const name of visible) {
    const file = within(folder, name);
    texts.set(name, textOf(name, await reading(file, () => readFile(file))));
  }
  return texts;
}

/** An import of `node:fs` would keep bundlers from making a program for browsers, also of one that names no folder. */
function fileSystem(): Files {
  const { process } = globalThis as { process?: Process };
  const files = process?.getBuiltinModule?.("node:fs/promises");
  if (files !== undefined) return files;
  throw new NotSupportedError(
    "Cannot read `folder` as there is no file system here: give the texts in `migrations`",
  );
}

function within(folder: string | URL, name: string): string | URL {
  if (typeof folder === "string") return `${folder.replace(/(?<=.)[/\\]$/, "")}/${name}`;
  const file = new URL(folder);
  file.pathname = file.pathname.replace(/\/?$/, "/") + encodeURIComponent(name);
  return file;
}

async function reading<T>(path: string | URL, read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (cause) {
    // Deno says which permission is missing.
    const { message } = cause as Error;
    throw new ProgrammingError(`Cannot read ${path} as a part of the migrations: ${message}`, {
      cause,
    });
  }
}

function textOf(name: string, bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    throw new ProgrammingError(`Cannot read ${name} as it is no text in UTF-8: save it as that`, {
      cause,
    });
  }
}
