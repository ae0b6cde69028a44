import type { Call, CallOutcome, CallStatement, Interceptor } from "../calls/interceptor.ts";
import { RqliteError } from "../errors.ts";
import { type Checks, isBoolean, numeric, readOptions, refused } from "../options.ts";
import { messageOf, shortened, textOf } from "./query_text.ts";

/** What {@linkcode logQueries} takes. */
export interface LogQueriesOptions {
  /** Only calls that took at least so many milliseconds, and those that failed. @default {0} */
  slow?: number | undefined;
  /** Also the values: parameters, literals in the SQL, and what errors of the program's own say. @default {false} */
  params?: boolean | undefined;
}

/**
 * Where {@linkcode logQueries} writes to: `console`, what has these methods of it, or a function.
 *
 * @example
 * ```ts
 * import { logQueries, type QueryLog } from "@tangled/rqlite/observe";
 *
 * const lines: string[] = [];
 * const log: QueryLog = (line) => lines.push(line);
 * const interceptors = [logQueries(log, { slow: 100 })]; // for `connect`
 * console.log(interceptors.length, lines); // 1 []
 * ```
 */
export type QueryLog = Pick<Console, "info" | "warn" | "error"> | ((line: string) => void);

const OPTIONS: Checks<LogQueriesOptions> = {
  slow: numeric("a number of milliseconds from 0 on", (n) => n >= 0),
  params: isBoolean,
};

/** How many statements of a batch a line names. */
const MOST_STATEMENTS = 3;

/** How many values of a statement a line names, and how many characters of each. */
const MOST_VALUES = 20;
const LONGEST_VALUE = 100;

/**
 * An interceptor that writes one line for each call, when it has ended: what was called, how long it took, with how many
 * requests, what came of it, and the SQL. Values are told only where `params` asks for them; no line has a password or a header.
 *
 * A console gets what failed by `error`, what was `slow` by `warn`, and the rest by `info`. What it throws is ignored.
 *
 * @throws {TypeError} If `log` is neither, or an option has the wrong form.
 * @throws {RangeError} If `slow` is negative.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { logQueries } from "@tangled/rqlite/observe";
 *
 * const db = connect({ ...embedded(), interceptors: [logQueries(console, { params: true })] });
 * await db.query("SELECT ? AS n", [1]); // rqlite query 0.9 ms, 1 request, 1 row: SELECT ? AS n [1]
 * await db.close();
 * ```
 */
export function logQueries(log: QueryLog, options?: LogQueriesOptions): Interceptor {
  const { slow = 0, params = false } = readOptions(options, OPTIONS);
  const write = writerOf(log, slow > 0);
  return (next) => async (call) => {
    const started = performance.now();
    try {
      const outcome = await next(call);
      const took = performance.now() - started;
      if (took >= slow) write("well", () => line(call, params, took, cameOf(outcome)));
      return outcome;
    } catch (error) {
      const took = performance.now() - started;
      write("failed", () => line(call, params, took, `failed: ${said(error, params)}`));
      throw error;
    }
  };
}

type Write = (ended: "well" | "failed", line: () => string) => void;

function writerOf(log: QueryLog, isSlow: boolean): Write {
  const { info, warn, error } = Object(log) as Partial<Console>;
  const isConsole = [info, warn, error].every((method) => typeof method === "function");
  if (typeof log !== "function" && !isConsole) {
    throw refused("log", "a console or a function that takes a line", log);
  }
  return (ended, line) => {
    try {
      if (typeof log === "function") return log(line());
      if (ended === "failed") log.error(line());
      else if (isSlow) log.warn(line());
      else log.info(line());
    } catch {
      // A write that was applied must not look as if it had failed.
    }
  };
}

function line(call: Call, params: boolean, took: number, came: string): string {
  const { operation, statements, transaction } = call;
  const within = transaction === undefined ? "" : ` (transaction ${transaction})`;
  const named = statements.slice(0, MOST_STATEMENTS).map((one) => statementLine(call, one, params));
  const more = statements.length - named.length;
  const texts = named.join("; ") + (more > 0 ? `; and ${more} more` : "");
  const what = texts === "" ? "" : `: ${texts}`;
  // One call is one line, whatever the SQL or an error holds.
  return `rqlite ${operation} ${took.toFixed(1)} ms${within}, ${came}${what}`
    .replace(/\s+/g, " ").replace(/\p{Cc}/gu, "�");
}

function cameOf({ results, requests }: CallOutcome): string {
  let rows = 0;
  let changed = 0;
  for (const result of results) {
    rows += result.rows.length;
    changed += Math.max(0, result.rowsAffected);
  }
  const counts = [counted(requests, "request")];
  if (rows > 0 || (changed === 0 && results.length > 0)) counts.push(counted(rows, "row"));
  if (changed > 0) counts.push(`${changed} changed`);
  return counts.join(", ");
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** What an error says; one of the program's own may say anything. */
function said(error: unknown, params: boolean): string {
  if (params) return String(error);
  if (error instanceof RqliteError) return `${error.name}: ${messageOf(error)}`;
  return error instanceof Error ? error.name : typeof error;
}

function statementLine(call: Call, statement: CallStatement, params: boolean): string {
  if (!params) return textOf(call, statement);
  const { sql, params: values } = statement;
  const texts = values.slice(0, MOST_VALUES).map(valueLine).join(", ");
  const more = values.length > MOST_VALUES ? `, and ${values.length - MOST_VALUES} more` : "";
  return shortened(sql) + (values.length > 0 ? ` [${texts}${more}]` : "");
}

function valueLine(value: unknown): string {
  if (value instanceof ArrayBuffer || ArrayBuffer.isView(value)) {
    return `<${value.byteLength} bytes>`;
  }
  if (value instanceof Date) {
    return Number.isNaN(value.getTime()) ? "Invalid Date" : value.toISOString();
  }
  if (typeof value === "object" && value !== null) {
    const entries = Object.entries(value).map(([name, one]) => `${name}: ${valueLine(one)}`);
    return `{ ${entries.join(", ")} }`;
  }
  const text = typeof value === "string" ? JSON.stringify(value) : String(value);
  return text.length > LONGEST_VALUE ? `${text.slice(0, LONGEST_VALUE)}…` : text;
}
