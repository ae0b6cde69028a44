import { INSPECT, shown } from "./shown.ts";
import { InterfaceError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { statementOf } from "../sql/form.ts";
import { prepare, type Prepared, type PrepareOptions } from "../sql/prepare.ts";
import { withReturning } from "../sql/returning.ts";
import type { SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row } from "../sql/value.ts";
import { Deadline } from "../transport/deadline.ts";
import type { Transport } from "../transport/transport.ts";
import type { Backend } from "./backend.ts";
import type { Node } from "../wire/cluster.ts";
import { type Place, placeAbove } from "./caller.ts";
import { ASK, ITERATE, NODES, QUERY, READY } from "./checks.ts";
import type { BaseClient, IterateOptions } from "./client.ts";
import { Cluster, type NodesOptions, type ReadyOptions } from "./cluster.ts";
import { Dispatcher } from "./dispatch.ts";
import type { BatchOptions, CallOptions, QueryOptions } from "./executor.ts";
import { type Cells, DEFAULT_PAGE_SIZE, iterate, keysetOf } from "./iterate.ts";
import { type ResolvedOptions, resolveSettings, type Settings } from "./options.ts";
import { emptyResult, resultsOf } from "./results.ts";
import { checkAlone, checkQuery } from "./route.ts";

/** What is made of other calls, or writes. */
type Composed = "execute" | "batch" | "first" | "value";

/** The part of a {@linkcode BaseClient} that writes nothing, over a transport. */
export class DefaultClient implements Omit<BaseClient, Composed>, Backend {
  readonly #options: ResolvedOptions;
  readonly #transport: Transport;
  readonly #cluster: Cluster;
  /** Turns statements into requests. */
  readonly dispatcher: Dispatcher;
  #closed = false;

  /** Sends nothing. */
  constructor(options: ResolvedOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
    this.#cluster = new Cluster(transport, options.nodes.length);
    this.dispatcher = new Dispatcher(transport);
  }

  /** See {@linkcode BaseClient.closed}. */
  get closed(): boolean {
    return this.#closed;
  }

  /** See {@linkcode BaseClient.query}. */
  async query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    const settings = this.settings(readOptions(options, QUERY));
    const prepared = this.prepare(statementOf(sql, params));
    checkQuery(prepared.analysis);
    checkAlone(prepared.analysis);
    return await this.#run(prepared, settings) as Result<R>;
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
    const prepared = this.prepare(statementOf(sql, params));
    checkAlone(prepared.analysis);
    const keyset = keysetOf(prepared, given);
    const { pageSize = DEFAULT_PAGE_SIZE } = given;
    const read = async (page: Prepared): Promise<Result<Cells>> =>
      await this.#run(page, { ...settings, rows: "array" }) as Result<unknown> as Result<
        Cells
      >;
    const rows = iterate(prepared, keyset, { pageSize, rows: settings.rows, place }, read);
    return rows as AsyncIterableIterator<unknown> as AsyncIterableIterator<R>;
  }

  /** See {@linkcode BaseClient.nodes}. */
  async nodes(options?: NodesOptions): Promise<Node[]> {
    const given = readOptions(options, NODES);
    return await this.#cluster.nodes(this.settings(given), given);
  }

  /** See {@linkcode BaseClient.leader}. */
  async leader(options?: CallOptions): Promise<Node | undefined> {
    return await this.#cluster.leader(this.settings(readOptions(options, ASK)));
  }

  /** See {@linkcode BaseClient.status}. */
  async status(options?: CallOptions): Promise<Record<string, unknown>> {
    return await this.#cluster.status(this.settings(readOptions(options, ASK)));
  }

  /** See {@linkcode BaseClient.ready}. */
  async ready(options?: ReadyOptions): Promise<boolean> {
    const given = readOptions(options, READY);
    return await this.#cluster.ready(this.settings(given), given);
  }

  /** See {@linkcode BaseClient.close}. */
  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#transport.close();
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
    return shown("Client", { nodes: this.#options.nodes, closed: this.#closed });
  }

  async #run(prepared: Prepared, settings: Settings): Promise<Result> {
    if (prepared.analysis.kind === "empty") return emptyResult();
    const deadline = new Deadline(settings.timeout, settings.signal);
    const statements = [prepared];
    const reply = await this.dispatcher.read({
      statements,
      transaction: false,
      settings,
      deadline,
      exact: true,
    });
    return resultsOf(reply, statements, settings)[0]!;
  }

  /** See {@linkcode Backend.settings}. */
  settings(options: BatchOptions): Settings {
    if (this.#closed) throw new InterfaceError("The client is closed: connect() makes another one");
    const settings = resolveSettings(this.#options.settings, options);
    settings.signal?.throwIfAborted();
    return settings;
  }

  /** See {@linkcode Backend.prepare}. */
  prepare(statement: Statement, options?: Partial<PrepareOptions>): Prepared {
    const prepared = prepare(statement, { now: new Date(), ...options });
    return this.#options.returningRewrite ? withReturning(prepared) : prepared;
  }
}
