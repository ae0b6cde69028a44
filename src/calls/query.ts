import { copyStatement, statementOf } from "../sql/statement.ts";
import { prepareRead } from "../sql/prepare.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result } from "../sql/value.ts";
import type { QueryOptions } from "./executor.ts";
import type { Host } from "./host.ts";
import { checkAlone, checkQuery } from "./read_only.ts";
import { deadlineOf } from "./settings.ts";

/**
 * Runs a statement that only reads; it is looked at before anything is sent.
 *
 * @param options Read already.
 * @param operation What the user has called.
 */
export function query(
  host: Host,
  sql: string | SqlFragment,
  params: Params | undefined,
  options: QueryOptions,
  operation: string,
): Result | Promise<Result> {
  const settings = host.settings(options);
  const statement = statementOf(sql, params);
  const prepared = prepareRead(statement);
  checkQuery(prepared.analysis);
  checkAlone(prepared.analysis);
  const deadline = deadlineOf(settings);
  const asked = host.options.interceptors && { operation, form: copyStatement(statement) };
  return host.use(deadline, (backend) => backend.query(prepared, settings, deadline, asked));
}
