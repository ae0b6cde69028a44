import type { Executor } from "../calls/executor.ts";
import type { Facts } from "../schema/facts.ts";
import { namesIn, viewOf } from "../schema/node_state.ts";
import { factsFrom } from "../schema/schema_cache.ts";
import { FACTS_QUERY, SCHEMA_VERSION } from "../schema/schema_objects.ts";

/** What the feed asks a client. */
export type Reader = Pick<Executor, "query">;

/**
 * The schema of the database behind a client. It is read from the leader, who has applied what it sends, and again where
 * it has another version.
 */
export class SchemaSource {
  static readonly #sources = new WeakMap<Reader, SchemaSource>();

  readonly #client: Reader;
  #known: Facts | undefined;

  /** The one of a client: what it knows is shared. */
  static of(client: Reader): SchemaSource {
    let source = SchemaSource.#sources.get(client);
    if (source === undefined) SchemaSource.#sources.set(client, source = new SchemaSource(client));
    return source;
  }

  private constructor(client: Reader) {
    this.#client = client;
  }

  /** Reads the schema as it is now. @throws {RqliteError} As `query` does. */
  async facts(signal?: AbortSignal): Promise<Facts> {
    const version = String((await this.#read(SCHEMA_VERSION, signal))[0]?.[0]);
    if (this.#known?.version !== version) {
      this.#known = factsFrom(await this.#read(FACTS_QUERY, signal), version);
    }
    return this.#known;
  }

  async #read(sql: string, signal: AbortSignal | undefined): Promise<unknown[][]> {
    const { rows } = await this.#client.query<unknown[]>(sql, [], {
      level: "weak",
      rows: "array",
      integers: "number",
      signal,
    });
    return rows;
  }
}

/**
 * The tables, in lower case, that a statement may read, those of views included. It may be more than it does read, as
 * everything counts that is named like a table; none where it names no table.
 */
export function readTables(sql: string, facts: Facts): Set<string> {
  const view = viewOf(sql);
  const names = view === undefined ? [] : [...namesIn(view)];
  return new Set(names.flatMap((name) => [...facts.table(name)?.reads ?? []]));
}
