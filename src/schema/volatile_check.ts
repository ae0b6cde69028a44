import { NotSupportedError } from "../errors.ts";
import type { TableFacts } from "./facts.ts";

/**
 * Refuses a write to a table whose CHECK holds a clock, chance or the state of the connection: a node may refuse the row
 * that another takes, and one that restarts evaluates it anew for what it reads from its log.
 *
 * @throws {NotSupportedError} If it has one.
 */
export function refuseVolatileCheck({ name, volatileCheck }: TableFacts, sql: string): void {
  if (!volatileCheck) return;
  throw new NotSupportedError(
    `Cannot write to ${
      JSON.stringify(name)
    } as each node would evaluate a CHECK of it for itself, ` +
      "and may miss the row, at the latest when it restarts: make the table anew with a CHECK of what the row " +
      "holds alone, and compare with the clock in the program",
    { sql },
  );
}
