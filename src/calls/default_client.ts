import { INSPECT, shown } from "./shown.ts";
import { InterfaceError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { copyStatement, statementOf } from "../sql/form.ts";
import { type Prepared, prepareRead } from "../sql/prepared.ts";
import type { SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row } from "../sql/value.ts";
import type { Deadline } from "../time/deadline.ts";
import type { Host } from "./backend.ts";
import { type Place, placeAbove } from "./caller.ts";
import { ITERATE, QUERY } from "./checks.ts";
import type { BaseClient, IterateOptions } from "./client.ts";
import type { Connection } from "./connection.ts";
import type { BatchOptions, QueryOptions } from "./executor.ts";
import { DEFAULT_PAGE_SIZE, iterate, keysetOf } from "./iterate.ts";
import { Late } from "../late.ts";
import { deadlineOf, type ResolvedOptions, resolveSettings, type Settings } from "./options.ts";
import type { Page } from "./page.ts";
import { checkAlone, checkQuery } from "./route.ts";
import type { SessionState } from "./session_state.ts";

const CALLS = new Late("calls", () => import("./connection.ts"));

/** What is made of other calls, writes, or is about the cluster. */
type Composed =
  | ("execute" | "batch" | "first" | "value")
  | ("nodes" | "leader" | "status" | "ready" | "stepDown" | "removeNode" | "snapshot");

/** The part of a {@linkcode BaseClient} that writes nothing: looks at what is asked for before it is sent. */
export class DefaultClient implements Omit<BaseClient, Composed>, Host {
  readonly #options: ResolvedOptions;
  /** What has the connection: this one, or the one that it is a session of. */
  readonly #root: DefaultClient;
  #connection: Connection | undefined;
  #closed = false;

  /** Sends nothing. */
  constructor(options: ResolvedOptions, root?: DefaultClient) {
    this.#options = options;
    this.#root = root ?? this;
  }

  /** The same, whose calls are those of a session. */
  within(session: SessionState): DefaultClient {
    const settings: Settings = { ...this.#options.settings, level: "none", session };
    return new DefaultClient({ ...this.#options, settings }, this.#root);
  }

  /** See {@linkcode BaseClient.closed}. */
  get closed(): boolean {
    return this.#root.#closed;
  }

  /** See {@linkcode BaseClient.query}. @param operation What the user has called. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
    operation = "query",
  ): Promise<Result<R>> {
    const settings = this.settings(readOptions(options, QUERY));
    const statement = statementOf(sql, params);
    const prepared = prepareRead(statement);
    checkQuery(prepared.analysis);
    checkAlone(prepared.analysis);
    // Rows have the type that the caller named with R.
    return this.#run(prepared, settings, operation, statement) as Promise<
      Result<unknown>
    > as Promise<Result<R>>;
  }

  /** See {@linkcode BaseClient.iterate}. */
  iterate<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: IterateOptions,
    place: Place = placeAbove(this.iterate),
  ): AsyncIterableIterator<R> {
    const given = readOptions(options, ITERATE);
    const settings = this.settings(given);
    const prepared = prepareRead(statementOf(sql, params));
    checkAlone(prepared.analysis);
    const keyset = keysetOf(prepared, given);
    const { pageSize = DEFAULT_PAGE_SIZE } = given;
    const { rows } = settings;
    const read = async (after: string | undefined): Promise<Page<R>> => {
      const deadline = deadlineOf(settings);
      const spec = { prepared, keyset, after, pageSize, rows };
      const page = (connection: Connection) => connection.page(spec, settings, deadline);
      // Rows have the type that the caller named with R.
      return await this.#connected(deadline, page) as Page<unknown> as Page<R>;
    };
    return iterate(place, read);
  }

  /** See {@linkcode BaseClient.close}. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#connection?.close();
      this.#options.close?.();
    }
    return Promise.resolve();
  }

  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("Client", { nodes: this.#options.nodes, closed: this.closed });
  }

  #run(
    prepared: Prepared,
    settings: Settings,
    operation: string,
    statement: Statement,
  ): Promise<Result> {
    const deadline = deadlineOf(settings);
    const asked = this.#options.interceptors && { operation, form: copyStatement(statement) };
    const query = (connection: Connection) => connection.query(prepared, settings, deadline, asked);
    // It is one, as the query itself is.
    return this.#connected(deadline, query) as Promise<Result>;
  }

  #connected<T>(
    deadline: Deadline,
    work: (connection: Connection) => T | Promise<T>,
  ): T | Promise<T> {
    return CALLS.use(deadline, ({ Connection }) => work(this.connectedBy(Connection)));
  }

  /** See {@linkcode Host.connectedBy}. */
  connectedBy(made: typeof Connection): Connection {
    const root = this.#root;
    if (root.#connection === undefined) {
      root.#connection = new made(root, root.#options);
      if (root.#closed) root.#connection.close();
    }
    return root.#connection;
  }

  /** See {@linkcode Host.settings}. */
  settings(options: BatchOptions): Settings {
    if (this.closed) throw new InterfaceError("The client is closed: connect() makes another one");
    const settings = resolveSettings(this.#options.settings, options);
    settings.signal?.throwIfAborted();
    return settings;
  }
}
