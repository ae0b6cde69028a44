import { resolve, sep } from "node:path";

/** The parameters of a `file:` URI that ask for what the engine does anyway. */
const USUAL = /^(?:(?:mode=rwc|cache=private)(?:&|$))*$/;

/** Taken for a file, it would be one in a folder "http:". A single letter is a drive. */
const URL_OF_SERVER = /^(?!file:)[a-z][\w+.-]+:\/\/|^https?:/i;

/**
 * The absolute path of a database file, undefined for a database in memory: what has two meanings, or not the same to
 * each connection of the engine, is refused.
 *
 * @throws {TypeError} which says what to write
 */
export function readLocation(path: unknown): string | undefined {
  if (typeof path !== "string") {
    throw refusal('`path` must be a file or ":memory:": of a URL object, pass its href');
  }
  if (path === "") throw refusal('`path` must be a file or ":memory:"');
  // It may hold a password, so it is not shown.
  if (URL_OF_SERVER.test(path)) {
    throw refusal("`path` is a URL: give that of a server to connect()");
  }
  const file = path.startsWith("file:") ? fileOfUri(path) : path;
  if (file.includes("\0")) throw refusal("`path` must not hold a NUL character");
  return file === ":memory:" ? undefined : resolve(file);
}

/** As SQLite reads it, without what would be for one of the connections only. */
function fileOfUri(uri: string): string {
  const [, host = "", path = "", query = ""] =
    /^file:(?:\/\/([^/?#]*))?([^?#]*)(?:\?([^#]*))?/.exec(uri) ?? [];
  if (host !== "" && host !== "localhost") {
    throw refusal("the URI names a host: write file:///path");
  }
  if (!USUAL.test(query)) {
    throw refusal(
      // A value may be a key.
      `the parameters ?${
        query.replace(/=[^&]*/g, "=…")
      } are not supported: write the file alone, or ":memory:" for a database in memory`,
    );
  }
  const file = decode(path);
  if (file === "") throw refusal('the URI names no file: write file:app.db, or ":memory:"');
  // Windows: /C:/app.db
  return sep === "\\" ? file.replace(/^\/(?=[a-z]:)/i, "") : file;
}

function decode(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (cause) {
    throw refusal("the URI is not percent-encoded UTF-8: write % as %25", cause);
  }
}

function refusal(reason: string, cause?: unknown): TypeError {
  const message = `Cannot open an embedded database as ${reason}`;
  return cause === undefined ? new TypeError(message) : new TypeError(message, { cause });
}
