import { statementOf } from "../sql/statement.ts";
import { prepareRead } from "../sql/prepare.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params } from "../sql/value.ts";
import { type Place, told } from "./error_stacks.ts";
import type { QueryOptions } from "./executor.ts";
import type { Host } from "./host.ts";
import { keysetOf } from "./keyset.ts";
import type { Page } from "./page.ts";
import { checkAlone } from "./read_only.ts";
import { deadlineOf } from "./settings.ts";

/** Rows asked for at a time. */
const DEFAULT_PAGE_SIZE = 1000;

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

/** The rows of one page after another. @param read The page behind that key. */
async function* rowsOf<R>(
  place: Place,
  read: (after: string | undefined) => Promise<Page<R>>,
): AsyncGenerator<R> {
  try {
    let after: string | undefined;
    do {
      const page = await read(after);
      after = page.after;
      for (const row of page.rows) yield row;
    } while (after !== undefined);
  } catch (error) {
    throw told(error, place);
  }
}
