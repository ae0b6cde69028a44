import type { Host } from "../calls/host.ts";
import type { CallContext } from "../calls/call_context.ts";
import type { BatchOptions } from "../calls/executor.ts";
import { deadlineOf } from "../calls/settings.ts";
import { copyStatement, type Statement, statementList } from "../sql/statement.ts";

/** A call that writes, as it was asked for: callers may use their arrays again at once, whatever has to be waited for. */
export interface WriteCall {
  /** Its statements. */
  readonly forms: readonly Statement[];
  /** What the caller asked for besides. */
  readonly options: BatchOptions;
  /** What its requests are run with. */
  readonly call: CallContext;
  /** What was called; but for `execute`, errors name the statement by its position. */
  readonly operation: string;
  /** When it was. */
  readonly now: Date;
}

/**
 * Takes down what is asked for.
 *
 * @param options Read already.
 * @param operation What was called.
 */
export function writeCallOf(
  host: Host,
  forms: readonly Statement[],
  options: BatchOptions,
  operation: string,
): WriteCall {
  const copies = statementList(forms).map((form) => copyStatement(form));
  const settings = host.settings(options);
  const call = { settings, deadline: deadlineOf(settings) };
  return { forms: copies, options, call, operation, now: new Date() };
}
