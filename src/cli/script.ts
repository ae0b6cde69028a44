import { command } from "./command.ts";
import { settled } from "./settled.ts";
import { counted } from "./statement.ts";

/** `script`: the statements of a file, all or none. */
export const script = command({
  name: "script",
  summary: "runs the statements of a file, all of them or none",
  operands: "FILE",
  count: [1, 1],
  options: {},
  details: "FILE is SQL text, such as a dump, or - for standard input.",
  async run({ operands: [file = ""], input, connect, progress, output, signal }) {
    const text = await input.text(file);
    const db = await connect();
    progress.tell("waiting for the answer");
    const results = await settled(db, signal, (options) => db.script(text, options));
    await progress.end();
    const rows = results.reduce((sum, { rowsAffected }) => sum + Math.max(0, rowsAffected), 0);
    if (output.json) {
      await output.line(JSON.stringify({ statements: results.length, rowsAffected: rows }));
    }
    const statements = `${results.length} statement${results.length === 1 ? "" : "s"}`;
    await output.done(`${statements}, ${counted(rows)} changed`);
  },
});
