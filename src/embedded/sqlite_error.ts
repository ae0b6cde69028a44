import { accessSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { OperationalError } from "../errors.ts";

/** SQLite refused something; the message is SQLite's own. */
export class SqliteError extends Error {
  /** "SqliteError". */
  override readonly name = "SqliteError";
  /** SQLite's extended result code, 0 when the runtime does not tell. */
  readonly code: number;

  /** With SQLite's text and code. */
  constructor(message: string, code: number, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }

  /** Whether somebody else has the lock. */
  get busy(): boolean {
    return (this.code & 0xff) === 5;
  }

  /** Whether somebody else has written since the transaction began to read. */
  get outdated(): boolean {
    return this.code === 517;
  }

  /** Whether the connection may not write. */
  get readOnly(): boolean {
    return (this.code & 0xff) === 8;
  }
}

/** The error of a database that cannot be opened: for most reasons SQLite says no more than that. */
export function openError(path: string, location: string, cause: Error): OperationalError {
  const silent = cause.message.startsWith("unable to open database file");
  const reason = silent ? reasonOf(location) : undefined;
  return new OperationalError(
    `Cannot open the database ${JSON.stringify(path)}: ${reason ?? cause.message}`,
    { cause },
  );
}

function reasonOf(path: string): string | undefined {
  const folder = dirname(path);
  if (kindOf(folder) === "absent") return `there is no folder ${JSON.stringify(folder)}`;
  if (kindOf(folder) === "file") return `${JSON.stringify(folder)} is no folder`;
  if (kindOf(path) === "folder") return "it is a folder";
  const asked = kindOf(path) === "absent" ? folder : path;
  const { R_OK, W_OK } = constants;
  try {
    accessSync(asked, R_OK | W_OK);
    return undefined;
  } catch {
    return `this process may not read and write ${JSON.stringify(asked)}`;
  }
}

function kindOf(path: string): "absent" | "file" | "folder" | "unknown" {
  try {
    return statSync(path).isDirectory() ? "folder" : "file";
  } catch (error) {
    const code = error instanceof Error && "code" in error ? error.code : undefined;
    return code === "ENOENT" ? "absent" : code === "ENOTDIR" ? "file" : "unknown";
  }
}
