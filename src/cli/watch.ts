import { setTimeout } from "node:timers/promises";
import type { Client } from "../client/client.ts";
import { AuthenticationError } from "../errors.ts";
import { milliseconds } from "./arguments.ts";
import { command } from "./command.ts";
import { UsageError } from "./exit.ts";
import { formatRows } from "./format_rows.ts";
import { read, STATEMENT, statementOf, VALUES_HELP, writes } from "./statement.ts";

/** `watch`: a query's rows, again whenever they have changed. */
export const watch = command({
  name: "watch",
  summary: "shows the rows of a query, and again whenever they have changed",
  operands: "SQL [VALUE]…",
  count: [1, Infinity],
  options: {
    ...STATEMENT,
    interval: {
      type: "string",
      short: "n",
      value: "SECONDS",
      help: "how often is looked; 1 if it is not given",
    },
  },
  details: `${VALUES_HELP}\n` +
    "A server is asked how far its database is, and runs the query only behind a change. It ends with Ctrl-C.",
  async run(session) {
    const { values, embedded, output, signal } = session;
    const statement = await statementOf(session);
    if (writes(statement)) throw new UsageError("Cannot watch what is no read: write query");
    const interval = milliseconds("interval", values.interval ?? "1");
    const db = await session.connect();
    // Another process may write to a file, which then only the query sees.
    let signOf = embedded ? undefined : appliedIndex;
    let sign: unknown;
    let last: string | undefined;
    for (;;) {
      let now: unknown;
      try {
        now = await signOf?.(db, signal);
      } catch (error) {
        // Whoever may not ask for the state of a node still may query.
        if (!(error instanceof AuthenticationError)) throw error;
        signOf = undefined;
      }
      if (now === undefined || now !== sign) {
        sign = now;
        const result = await read(session, statement);
        const text = formatRows(result, statement.format, output.paint);
        if (text !== last) {
          await output.write(last === undefined || output.json ? text : `\n${text}`);
          last = text;
        }
      }
      await setTimeout(interval, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
  },
});

/** Which entry of the log was the last to change the database of a node. */
async function appliedIndex(db: Client, signal: AbortSignal): Promise<unknown> {
  const { store } = await db.status({ signal });
  const { db_applied_index, fsm_index } = (store ?? {}) as Record<string, unknown>;
  return db_applied_index ?? fsm_index;
}
