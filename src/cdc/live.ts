import { CALL, isRows } from "../calls/checks.ts";
import type { Executor, QueryOptions } from "../calls/executor.ts";
import { ProgrammingError } from "../errors.ts";
import { type Check, type Checks, isTables, oneOf, readOptions, refused } from "../options.ts";
import { copyStatement, sqlAndParams, statementOf } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Row } from "../sql/value.ts";
import type { Change } from "./change.ts";
import { eventStream, rowsJson } from "./event_stream.ts";
import { LiveIterator, type LiveSource } from "./live_iterator.ts";
import { isClient, isDuration } from "./options.ts";
import { type Reader, readTables, SchemaSource } from "./schema_source.ts";

/**
 * What tells of changes: a `changeFeed`, or anything else that does.
 *
 * @example
 * ```ts
 * import type { ChangeSource } from "@tangled/rqlite/cdc";
 *
 * const bus = new EventTarget(); // by which the writers of this program tell what they change
 * const feed: ChangeSource = {
 *   listen(listener) {
 *     const tell = (event: Event) => listener({ table: (event as CustomEvent<string>).detail });
 *     bus.addEventListener("change", tell);
 *     return () => bus.removeEventListener("change", tell);
 *   },
 * };
 * const stop = feed.listen(({ table }) => console.log(table)); // users
 * bus.dispatchEvent(new CustomEvent("change", { detail: "users" }));
 * stop();
 * ```
 */
export interface ChangeSource {
  /** Calls a function with every change from now on. @returns Ends that. */
  listen(listener: (change: Pick<Change, "table">) => void): () => void;
  /** Aborted when no more changes are told, which ends the live queries. */
  readonly closed?: AbortSignal;
}

/** What {@linkcode live} takes. */
export interface LiveOptions
  extends Pick<QueryOptions, "signal" | "timeout" | "integers" | "rows"> {
  /** What tells of changes. */
  feed: ChangeSource;
  /**
   * The tables whose changes matter, by their names in any case. Without it they are those that the query names, and
   * those of its views.
   */
  tables?: readonly string[] | undefined;
  /** How current the rows have to be: a node that may not have the change yet is not asked. @default {"linearizable"} */
  level?: "weak" | "linearizable" | "strong" | undefined;
}

/** What `response` takes. */
export interface LiveResponseOptions {
  /**
   * Milliseconds between signs of life: proxies close a connection on which nothing comes, and Bun does so after ten
   * seconds. @default {5000}
   */
  heartbeat?: number | undefined;
}

/** A query whose rows come again with each change. */
export interface Live<R = Row> extends AsyncIterable<readonly R[]> {
  /**
   * The rows as server-sent events for one browser: each event is the JSON of all rows, integers beyond 2^53 as digits in
   * text and BLOBs as base64. It ends when the browser goes away, and a browser that comes again gets all rows.
   *
   * @throws {InterfaceError} If nobody reads the feed, see `listen`.
   * @throws {RangeError} If an option is out of range.
   */
  response(options?: LiveResponseOptions): Response;
  /**
   * The rows now, and again after each change; changes that come while the loop is busy are one. All loops over one live
   * query share its runs and the rows that they give, so treat those as read-only.
   *
   * @throws {InterfaceError} If nobody reads the feed, see `listen`.
   */
  [Symbol.asyncIterator](): AsyncIterableIterator<readonly R[]>;
}

const isFeed: Check = (feed, name) => {
  const { listen } = (feed ?? {}) as Partial<ChangeSource>;
  if (typeof listen !== "function") throw refused(name, "what `changeFeed` answers", feed);
};

const LIVE: Checks<LiveOptions> = {
  signal: CALL.signal,
  timeout: CALL.timeout,
  integers: CALL.integers,
  rows: isRows,
  feed: isFeed,
  tables: isTables,
  level: oneOf("weak", "linearizable", "strong"),
};

const RESPONSE: Checks<LiveResponseOptions> = {
  heartbeat: isDuration,
};

/**
 * Keeps the rows of a query current: they are read again when one of its tables has changed. Nothing is sent before
 * somebody iterates it, and nothing stays behind when nobody does any more.
 *
 * @param params Values; `undefined` or an empty list where the statement has its own, or none.
 * @throws {TypeError} If an argument has the wrong form.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { changeFeed, live } from "@tangled/rqlite/cdc";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE todos(id INTEGER PRIMARY KEY, title TEXT)");
 * const feed = changeFeed({ unread: "drop" });
 * const todos = live<{ title: string }>(db, "SELECT title FROM todos", [], { feed });
 * // In an app: app.get("/todos", () => todos.response())
 * for await (const rows of todos) {
 *   console.log(rows); // [], and again after each change
 *   feed.close();
 * }
 * await db.close();
 * ```
 */
export function live<R = Row>(
  client: Pick<Executor, "query">,
  sql: string | SqlFragment,
  params: Params | undefined,
  options: LiveOptions,
): Live<R> {
  isClient(client, "client");
  const read = readOptions(options, LIVE);
  isFeed(read.feed, "feed");
  const { sql: text, params: values } = sqlAndParams(copyStatement(statementOf(sql, params)));
  return new LiveQuery<R>(client, text, values, read);
}

/** One run of the query. */
interface Run<R> {
  /** Its number. */
  readonly order: number;
  /** How many changes had come when it began. */
  readonly changes: number;
  readonly rows: Promise<readonly R[]>;
  settled: boolean;
}

class LiveQuery<R> implements Live<R>, LiveSource<R> {
  readonly #client: Reader;
  readonly #sql: string;
  readonly #params: Params | undefined;
  readonly #options: LiveOptions;
  readonly #iterators = new Set<LiveIterator<R>>();
  readonly #texts = new WeakMap<readonly R[], string>();
  /** The tables that matter, in lower case; before they are known, all do. */
  #tables: ReadonlySet<string> | undefined;
  #changes = 0;
  #runs = 0;
  #run: Run<R> | undefined;
  /** Ends what is done for the iterators there are. */
  #work: AbortController | undefined;

  constructor(client: Reader, sql: string, params: Params | undefined, options: LiveOptions) {
    this.#client = client;
    this.#sql = sql;
    this.#params = params;
    this.#options = options;
  }

  [Symbol.asyncIterator](): LiveIterator<R> {
    const { signal, feed } = this.#options;
    if (this.#work === undefined && !signal?.aborted && !feed.closed?.aborted) this.#begin();
    const iterator = new LiveIterator<R>(this, this.#runs);
    this.#iterators.add(iterator);
    if (signal?.aborted) iterator.end({ reason: signal.reason });
    if (feed.closed?.aborted) iterator.end();
    return iterator;
  }

  response(options?: LiveResponseOptions): Response {
    const { heartbeat = 5_000 } = readOptions(options, RESPONSE);
    return eventStream(this[Symbol.asyncIterator](), heartbeat, (rows) => this.#textOf(rows));
  }

  async rowsFor(iterator: LiveIterator<R>): Promise<readonly R[]> {
    for (;;) {
      while (iterator.seen >= this.#changes) await iterator.change();
      if (iterator.ended) return [];
      const run = this.#run;
      if (run !== undefined && this.#serves(run, iterator)) {
        const rows = await run.rows;
        iterator.seen = run.changes;
        return rows;
      }
      if (run === undefined || run.settled) this.#start();
      else await run.rows.catch(() => {});
    }
  }

  leave(iterator: LiveIterator<R>): void {
    this.#iterators.delete(iterator);
    if (this.#iterators.size > 0) return;
    this.#work?.abort();
    this.#work = undefined;
    this.#run = undefined;
  }

  /** Whether what a run gives is new to an iterator, and not older than what is known to be there. */
  #serves(run: Run<R>, { after, seen }: LiveIterator<R>): boolean {
    return run.order > after && run.changes > seen &&
      (!run.settled || run.changes === this.#changes);
  }

  #begin(): void {
    const { signal, feed, tables } = this.#options;
    const work = new AbortController();
    this.#tables = tables && new Set(tables.map((table) => table.toLowerCase()));
    const stop = feed.listen(({ table }) => {
      if (this.#tables?.has(table.toLowerCase()) ?? true) this.#note();
    });
    const abort = () => this.#end({ reason: signal?.reason });
    const close = () => this.#end();
    signal?.addEventListener("abort", abort, { signal: work.signal });
    feed.closed?.addEventListener("abort", close, { signal: work.signal });
    work.signal.addEventListener("abort", stop);
    this.#work = work;
  }

  #end(failure?: { readonly reason: unknown }): void {
    for (const iterator of [...this.#iterators]) iterator.end(failure);
  }

  #note(): void {
    this.#changes++;
    for (const iterator of this.#iterators) iterator.wake();
  }

  #start(): void {
    const rows = this.#read(this.#work?.signal);
    const run: Run<R> = { order: ++this.#runs, changes: this.#changes, rows, settled: false };
    this.#run = run;
    const settle = () => void (run.settled = true);
    rows.then(settle, () => {
      settle();
      // The next change gets another chance.
      if (this.#run === run) this.#run = undefined;
    });
  }

  async #read(signal: AbortSignal | undefined): Promise<readonly R[]> {
    if (this.#tables === undefined) {
      const found = readTables(this.#sql, await SchemaSource.of(this.#client).facts(signal));
      if (found.size > 0) this.#tables = found;
    }
    const { feed: _, tables: __, ...call } = this.#options;
    const { rows } = await this.#client.query<R>(this.#sql, this.#params, {
      level: "linearizable",
      ...call,
      signal,
    });
    if (this.#tables !== undefined) return rows;
    throw new ProgrammingError(
      "Cannot tell which tables the query reads: name those whose changes matter in `tables`",
      { sql: this.#sql },
    );
  }

  #textOf(rows: readonly R[]): string {
    const text = this.#texts.get(rows) ?? rowsJson(rows);
    this.#texts.set(rows, text);
    return text;
  }
}
