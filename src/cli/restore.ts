import { stat } from "node:fs/promises";
import { command } from "./command.ts";
import { megabytes } from "./copy.ts";
import { EXIT, Stopped, UsageError } from "./exit.ts";
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
      const question =
        `${file} will replace the database at ${place}, or run in it where it is SQL text. ` +
        "Type yes to go on: ";
      if (await input.ask(question) !== "yes") {
        await output.note("Nothing was changed");
        return EXIT.failed;
      }
    }
    let handed = 0;
    progress.tell(`reading ${named(file)}`);
    const onProgress = (bytes: number) => {
      handed = bytes;
      progress.tell(`${megabytes(bytes)} sent`);
    };
    try {
      const source = ReadableStream.from<Uint8Array>(input.bytes(file));
      await (values.boot ? db.boot : db.load).call(db, source, { signal, onProgress });
    } catch (error) {
      if (!signal.aborted || error !== signal.reason) throw error;
      throw new Stopped(
        error,
        handed === 0 || size !== undefined && handed < size
          ? "the file was not sent to its end, and nothing was changed"
          : "it cannot be told whether the database was replaced: look what it has",
      );
    }
    await progress.end();
    if (output.json) await output.line(JSON.stringify({ file, bytes: handed || size }));
    await output.done(`${named(file)} is restored`);
  },
});
