import { analyse, changes } from "../sql/analyse.ts";
import type { Params, Result, Value } from "../sql/value.ts";
import type { Level } from "../calls/executor.ts";
import { wordOf } from "./arguments.ts";
import type { Options, Session } from "./command.ts";
import { UsageError } from "./exit.ts";
import { type Format, FORMATS } from "./format_rows.ts";
import { paramsOf } from "./values.ts";

const LEVELS: readonly Level[] = ["none", "weak", "linearizable", "strong", "auto"];

/** The options of what runs a statement. */
export const STATEMENT = {
  format: {
    type: "string",
    short: "f",
    value: "FORMAT",
    help: `how rows are written: ${FORMATS.join(", ")}`,
  },
  param: {
    type: "string",
    short: "p",
    multiple: true,
    value: "NAME=VALUE",
    help: "a value for :NAME; may be given several times",
  },
  text: { type: "boolean", help: "all values are text, whatever they look like" },
  level: {
    type: "string",
    value: "LEVEL",
    help: `how current a read is: ${LEVELS.join(", ")}`,
  },
} as const satisfies Options;

/** What values mean, for the help. */
export const VALUES_HELP =
  "SQL is one statement, or - for standard input. A VALUE is for a ? of it, in order: an integer, a number, NULL, x'ff00'\n" +
  "and 'text' are what SQL takes them for, and all else is text as it is. In front of a negative one write --.";

/** A statement and its values. */
export interface Statement {
  /** Its text. */
  readonly sql: string;
  /** Its values. */
  readonly params: Params;
  /** How current its rows are to be; `undefined` if nothing is said. */
  readonly level: Level | undefined;
  /** How its rows are written. */
  readonly format: Format;
}

/** What statements are run with: rows are lists, and integers have all their digits. */
export const EXACT = { rows: "array", integers: "auto" } as const;

/** Reads a statement from the operands. @throws {UsageError} If there is none, or a value cannot be read. */
export async function statementOf(
  { operands: [given = "", ...listed], values, input, output }: Session<typeof STATEMENT>,
): Promise<Statement> {
  const params = paramsOf(listed, values.param ?? [], values.text ?? false);
  const format = formatOf(values.format, output.json);
  const level = values.level === undefined ? undefined : wordOf("level", values.level, LEVELS);
  const sql = given === "-" ? await input.text("-") : given;
  if (analyse(sql).kind === "empty") {
    throw new UsageError("Cannot run a statement as there is none");
  }
  return { sql, params, level, format };
}

function formatOf(given: string | undefined, json: boolean): Format {
  if (given === undefined) return json ? "json" : "table";
  const format = wordOf("format", given, FORMATS);
  if (json && format !== "json") throw new UsageError(`Cannot use --format ${given} beside --json`);
  return format;
}

/** Reads. @throws {ProgrammingError} If the statement changes something. */
export async function read(
  session: Session<Options>,
  { sql, params, level }: Statement,
): Promise<Result<Value[]>> {
  const db = await session.connect();
  return await db.query<Value[]>(sql, params, { ...EXACT, level, signal: session.signal });
}

/** Whether a statement changes something; of what nobody can classify the server says what is wrong. */
export function writes({ sql }: Statement): boolean {
  const analysis = analyse(sql);
  return changes(analysis) && analysis.kind !== "unknown";
}
