import type { Result, Value } from "../sql/value.ts";
import { analyse } from "../sql/analyse.ts";
import { command, type Options, type Session } from "./command.ts";
import { UsageError } from "./exit.ts";
import { counted, formatRows, json } from "./format_rows.ts";
import { withKnownOutcome } from "./outcome.ts";
import {
  EXACT,
  read,
  STATEMENT,
  type Statement,
  statementOf,
  VALUES_HELP,
  writes,
} from "./statement.ts";

/** `query`: one statement, be it a read or a write. */
export const query = command({
  name: "query",
  summary: "runs one statement, and shows its rows or what it changed",
  operands: "SQL [VALUE]…",
  count: [1, Infinity],
  options: STATEMENT,
  details: VALUES_HELP,
  async run(session) {
    const statement = await statementOf(session);
    session.progress.tell("waiting for the answer");
    await tell(session, await run(session, statement), statement);
  },
});

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
    const results = await withKnownOutcome(db, signal, (options) => db.script(text, options));
    await progress.end();
    const rows = results.reduce((sum, { rowsAffected }) => sum + Math.max(0, rowsAffected), 0);
    if (output.json) {
      await output.line(JSON.stringify({ statements: results.length, rowsAffected: rows }));
    }
    const statements = `${results.length} statement${results.length === 1 ? "" : "s"}`;
    await output.done(`${statements}, ${counted(rows)} changed`);
  },
});

/** Reads or writes, as the statement is. */
async function run(
  session: Session<Options>,
  statement: Statement,
): Promise<Result<Value[]>> {
  const { sql, params, level } = statement;
  if (!writes(statement)) return await read(session, statement);
  const analysis = analyse(sql);
  if (level !== undefined) throw new UsageError("Cannot use --level as the statement is no read");
  const db = await session.connect();
  const write = (options: object) => db.execute<Value[]>(sql, params, { ...EXACT, ...options });
  const transactional = analysis.kind === "write" ||
    analysis.kind === "ddl" && analysis.verb !== "VACUUM";
  return transactional
    ? await withKnownOutcome(db, session.signal, write)
    : await write({ signal: session.signal });
}

/** Writes the result of a statement. */
async function tell(
  { output, progress }: Session<Options>,
  result: Result<Value[]>,
  { sql, format }: Statement,
): Promise<void> {
  await progress.end();
  const { columns, rowsAffected, lastInsertId } = result;
  if (columns.length > 0) return await output.write(formatRows(result, format, output.paint));
  if (format === "json") {
    const id = lastInsertId === undefined ? "" : `,"lastInsertId":${json(lastInsertId)}`;
    return await output.line(`{"rowsAffected":${rowsAffected}${id}}`);
  }
  // There is nothing that a program which reads the output expects.
  if (format === "csv") return;
  if (analyse(sql).kind !== "write") return await output.done("done");
  const id = lastInsertId === undefined ? "" : `, id ${lastInsertId}`;
  await output.done(`${counted(rowsAffected)} changed${id}`);
}
