import type { SqlFragment } from "../sql/fragment.ts";
import { prepareRead } from "../sql/prepare.ts";
import { copyStatement, statementOf } from "../sql/statement.ts";
import type { Params, Result } from "../sql/value.ts";
import type { Place } from "./error_stacks.ts";
import type { QueryOptions } from "./executor.ts";
import type { Host } from "./host.ts";
import { keysetOf, type Page, rowsOf } from "./paging.ts";
import { checkAlone, checkQuery } from "./read_only.ts";
import { deadlineOf } from "./settings.ts";

/** Rows asked for at a time. */
const DEFAULT_PAGE_SIZE = 1000;

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

/**
 * The rows of a SELECT, read page by page. It is looked at before anything is sent.
 *
 * @param options Read already.
 * @param place Where they were asked for.
 * @throws {ProgrammingError} If the statement cannot be paged.
 */
export function iterate<R>(
  host: Host,
  sql: string | SqlFragment,
  params: Params | undefined,
  options: QueryOptions & { pageSize?: number | undefined; by?: string | undefined },
  place: Place,
): AsyncGenerator<R> {
  const settings = host.settings(options);
  const prepared = prepareRead(statementOf(sql, params));
  checkAlone(prepared.analysis);
  const keyset = keysetOf(prepared, options.by);
  const { pageSize = DEFAULT_PAGE_SIZE } = options;
  const { rows } = settings;
  return rowsOf(place, async (after) => {
    const deadline = deadlineOf(settings);
    const spec = { prepared, keyset, after, pageSize, rows };
    const page = await host.use(deadline, (backend) => backend.page(spec, settings, deadline));
    // Rows have the type that the caller named with R.
    return page as Page<unknown> as Page<R>;
  });
}
