import { Buffer } from "node:buffer";
import { stat } from "node:fs/promises";
import { megabytes } from "./backup.ts";
import { command } from "./command.ts";
import { EXIT, isAbort, Stopped, UsageError } from "./exit.ts";
import { named } from "./input.ts";

/** `restore`: a database file or a dump into the cluster. */
export const restore = command({
  name: "restore",
  summary: "replaces the database by a file of SQLite, or runs SQL text in it",
  operands: "FILE",
  count: [1, 1],
  options: {
    yes: { type: "boolean", short: "y", help: "does not ask" },
    boot: { type: "boolean", help: "for a cluster of one node: a file of any size, past the log" },
  },
  details:
    "FILE is what backup or dump has written, also compressed, or - for standard input; it is checked before it\n" +
    "is sent. What the database had is gone behind a file.",
  async run({ operands: [file = ""], values, connect, place, input, output, progress, signal }) {
    const size = file === "-" ? undefined : (await stat(file)).size;
    const db = await connect();
    if (!values.yes) {
      if (!input.isTerminal || file === "-") {
        throw new UsageError(
          `Cannot ask whether the database at ${place} may be replaced: say it with --yes`,
        );
      }
      const what =
        `${file} will replace the database at ${place}, or run in it where it is SQL text`;
      if (!await input.confirm(what)) return EXIT.failed;
    }
    progress.tell(`reading ${named(file)}`);
    const source = new SentFile(input.bytes(file), size);
    const onProgress = (bytes: number) => {
      source.handed = bytes;
      progress.tell(`${megabytes(bytes)} sent`);
    };
    try {
      const stream = ReadableStream.from<Uint8Array>(source.parts());
      await (values.boot ? db.boot : db.load).call(db, stream, { signal, onProgress });
    } catch (error) {
      if (!isAbort(error, signal)) throw error;
      throw new Stopped(
        error,
        source.isWhole
          ? "it cannot be told whether the database was replaced: look what it has"
          : "the file was not sent to its end, and nothing was changed",
      );
    }
    await progress.end();
    if (output.json) await output.line(JSON.stringify({ file, bytes: source.handed }));
    await output.done(`${named(file)} is restored`);
  },
});

/** A file that is sent, and how far it is. */
class SentFile {
  /** What the client says of it. */
  handed = 0;
  readonly #bytes: AsyncIterable<Uint8Array>;
  readonly #size: number | undefined;
  #isDatabase = false;
  #ended = false;

  /** @param size In bytes, where it is known. */
  constructor(bytes: AsyncIterable<Uint8Array>, size: number | undefined) {
    this.#bytes = bytes;
    this.#size = size;
  }

  async *parts(): AsyncGenerator<Uint8Array> {
    let first = true;
    for await (const part of this.#bytes) {
      if (first) {
        this.#isDatabase = Buffer.from(part).toString("latin1").startsWith("SQLite format");
      }
      first = false;
      yield part;
    }
    this.#ended = true;
  }

  /** Whether its end may have been sent. SQL text, and what was compressed, goes when all of it was read. */
  get isWhole(): boolean {
    if (!this.#ended || !this.#isDatabase) return this.#ended;
    return this.handed > 0 && this.handed >= (this.#size ?? 0);
  }
}
