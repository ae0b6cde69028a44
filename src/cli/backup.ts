import type { BackupOptions } from "../client/method_options.ts";
import { command, type Options, type Session, TABLES } from "./command.ts";
import { UsageError } from "./exit.ts";
import { writeWhole } from "./file.ts";

/** `dump`: the database as SQL text. */
export const dump = command({
  name: "dump",
  summary: "writes the database as SQL text",
  operands: "[FILE]",
  count: [0, 1],
  options: TABLES,
  details: "Without FILE it is written to standard output. A file is whole, or not there.",
  async run(session) {
    const { table } = session.values;
    await copy(session, { format: "sql", ...(table && { tables: table }) });
  },
});

/** `backup`: the database as a file of SQLite. */
export const backup = command({
  name: "backup",
  summary: "writes the database as a file of SQLite",
  operands: "[FILE]",
  count: [0, 1],
  options: {
    vacuum: { type: "boolean", help: "makes it as small as it can be" },
    delete: { type: "boolean", help: "in DELETE mode, which any program opens as it is" },
    gzip: { type: "boolean", help: "compresses it" },
  },
  details:
    "Without FILE it is written to standard output, but not to a terminal. A file is whole, or not there.",
  async run(session) {
    const { vacuum = false, delete: plain = false, gzip: compress = false } = session.values;
    if (session.operands.length === 0 && session.output.isTerminal) {
      throw new UsageError("Cannot write a database file to a terminal: name a file, or use dump");
    }
    if (vacuum && plain) {
      throw new UsageError("Cannot use --delete beside --vacuum, which does it too");
    }
    await copy(session, { vacuum, compress, format: plain ? "delete" : "binary" });
  },
});

async function copy(session: Session<Options>, options: BackupOptions): Promise<void> {
  const { operands: [file], output, progress, signal } = session;
  if (file === undefined && output.json) {
    throw new UsageError("Cannot use --json without a file, as the copy itself is the output");
  }
  const db = await session.connect();
  progress.tell("waiting for the copy");
  // Not between the lines that somebody reads.
  const silent = file === undefined && output.isTerminal;
  const onProgress = silent ? undefined : (bytes: number) => progress.tell(megabytes(bytes));
  const stream = await db.backup({ ...options, signal, onProgress });
  if (file === undefined) {
    if (silent) await progress.end();
    for await (const part of stream) await output.write(part);
    return;
  }
  const bytes = await writeWhole(file, stream);
  await progress.end();
  if (output.json) await output.line(JSON.stringify({ file, bytes }));
  await output.done(`${file}: ${megabytes(bytes)}`);
}

/** A size for a person. */
export function megabytes(bytes: number): string {
  return bytes < 1_000_000 ? `${bytes} bytes` : `${(bytes / 1_000_000).toFixed(1)} MB`;
}
