import { command } from "./command.ts";
import { run, STATEMENT, statementOf, tell, VALUES_HELP } from "./statement.ts";

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
