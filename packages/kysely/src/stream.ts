import type { CompiledQuery } from "kysely";
import {
  type Client,
  type Executor,
  type Params,
  ProgrammingError,
  type Row,
} from "@tangled/rqlite";

/** Rows for each request, as Kysely has it by default. */
const CHUNK = 100;

/** Where a stream reads. */
export interface StreamSource {
  /** What reads all at once. */
  readonly executor: Executor;
  /** What can read page by page; nothing inside of a transaction. */
  readonly pages: Client | undefined;
}

/**
 * Reads a SELECT in chunks. What can be paged by rowid is read page by page; anything else, and whatever is read inside
 * of a transaction, in one request, as the server has no cursors.
 *
 * @throws {ProgrammingError} If it is no SELECT.
 * @throws {RangeError} If `chunkSize` is not a positive integer.
 */
export async function* stream(
  { executor, pages: client }: StreamSource,
  { sql, parameters }: CompiledQuery,
  chunkSize: number = CHUNK,
  options: { signal?: AbortSignal },
): AsyncGenerator<Row[]> {
  if (!Number.isInteger(chunkSize) || chunkSize < 1) {
    throw new RangeError(
      `Cannot use \`chunkSize\` as it must be a positive integer: current value is ${chunkSize}`,
    );
  }
  const params = parameters as Params;
  if (client !== undefined) {
    const pages = pagesOf(client, sql, params, chunkSize, options);
    const first = await firstOf(pages);
    if (first !== undefined) {
      if (first.done) return;
      yield first.value;
      yield* pages;
      return;
    }
  }
  const { rows } = await executor.query(sql, params, { ...options, rows: "object" });
  for (let at = 0; at < rows.length; at += chunkSize) yield rows.slice(at, at + chunkSize);
}

async function* pagesOf(
  client: Client,
  sql: string,
  params: Params,
  chunkSize: number,
  options: { signal?: AbortSignal },
): AsyncGenerator<Row[]> {
  let rows: Row[] = [];
  const all = client.iterate(sql, params, { ...options, rows: "object", pageSize: chunkSize });
  for await (const row of all) {
    rows.push(row);
    if (rows.length < chunkSize) continue;
    yield rows;
    rows = [];
  }
  if (rows.length > 0) yield rows;
}

/** The first page, or `undefined` if the statement cannot be paged: what else is wrong with it shows when it is read. */
async function firstOf(
  pages: AsyncGenerator<Row[]>,
): Promise<IteratorResult<Row[]> | undefined> {
  try {
    return await pages.next();
  } catch (error) {
    if (error instanceof ProgrammingError) return undefined;
    throw error;
  }
}
