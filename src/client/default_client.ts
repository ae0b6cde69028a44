import { INSPECT, shown } from "./shown.ts";
import { DatabaseError, InterfaceError } from "../errors.ts";
import { readOptions } from "../options.ts";
import { statementOf } from "../sql/form.ts";
import { type Prepared, prepareRead } from "../sql/prepared.ts";
import type { SqlFragment } from "../sql/statement.ts";
import type { Params, Result, Row } from "../sql/value.ts";
import { Deadline } from "../transport/deadline.ts";
import type { Transport } from "../transport/transport.ts";
import type { Backend } from "./backend.ts";
import type { Node } from "../wire/cluster.ts";
import { type Place, placeAbove } from "./caller.ts";
import { ASK, ITERATE, NODES, QUERY, READY } from "./checks.ts";
import type { BaseClient, IterateOptions } from "./client.ts";
import type { Cluster, NodesOptions, ReadyOptions } from "./cluster.ts";
import { Dispatcher, type Reply } from "./dispatch.ts";
import type { BatchOptions, CallOptions, QueryOptions } from "./executor.ts";
import { type Cells, DEFAULT_PAGE_SIZE, iterate, keysetOf } from "./iterate.ts";
import { Late } from "../transport/late.ts";
import { type ResolvedOptions, resolveSettings, type Settings } from "./options.ts";
import { emptyResult, firstError, placeOf, readResults } from "./readings.ts";
import { checkAlone, checkQuery } from "./route.ts";

const FAILURES = new Late("errors of statements", () => import("./results.ts"));
const CLUSTER = new Late("questions about the cluster", () => import("./cluster.ts"));

/** What is made of other calls, or writes. */
type Composed = "execute" | "batch" | "first" | "value";

/** The part of a {@linkcode BaseClient} that writes nothing, over a transport. */
export class DefaultClient implements Omit<BaseClient, Composed>, Backend {
  readonly #options: ResolvedOptions;
  readonly #transport: Transport;
  /** Turns statements into requests. */
  readonly dispatcher: Dispatcher;
  #closed = false;

  /** Sends nothing. */
  constructor(options: ResolvedOptions, transport: Transport) {
    this.#options = options;
    this.#transport = transport;
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
    const prepared = prepareRead(statementOf(sql, params));
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
    const prepared = prepareRead(statementOf(sql, params));
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
    return await this.#ask(this.settings(given), (cluster, end) => cluster.nodes(end, given));
  }

  /** See {@linkcode BaseClient.leader}. */
  async leader(options?: CallOptions): Promise<Node | undefined> {
    const settings = this.settings(readOptions(options, ASK));
    return await this.#ask(settings, (cluster, end) => cluster.leader(end));
  }

  /** See {@linkcode BaseClient.status}. */
  async status(options?: CallOptions): Promise<Record<string, unknown>> {
    const settings = this.settings(readOptions(options, ASK));
    return await this.#ask(settings, (cluster, end) => cluster.status(end));
  }

  /** See {@linkcode BaseClient.ready}. */
  async ready(options?: ReadyOptions): Promise<boolean> {
    const given = readOptions(options, READY);
    return await this.#ask(this.settings(given), (cluster, end) => cluster.ready(end, given));
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

  async #ask<T>(
    { timeout, signal }: Settings,
    question: (cluster: Cluster, end: Deadline) => Promise<T>,
  ): Promise<T> {
    const deadline = new Deadline(timeout, signal);
    const { nodes } = this.#options;
    return await CLUSTER.use(
      deadline,
      ({ Cluster }) => question(new Cluster(this.#transport, nodes.length), deadline),
    );
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
    const failed = firstError(reply, statements);
    if (failed < 0) return readResults(reply, statements, settings, failed, {})[0]!;
    const { resultsOf } = await diagnosis(reply, statements, deadline);
    return resultsOf(reply, statements, settings)[0]!;
  }

  /** See {@linkcode Backend.settings}. */
  settings(options: BatchOptions): Settings {
    if (this.#closed) throw new InterfaceError("The client is closed: connect() makes another one");
    const settings = resolveSettings(this.#options.settings, options);
    settings.signal?.throwIfAborted();
    return settings;
  }

  /** See {@linkcode Backend.returningRewrite}. */
  get returningRewrite(): boolean {
    return this.#options.returningRewrite;
  }
}

/** What tells errors of statements apart; where it cannot be loaded, the error of a read says what the server does. */
async function diagnosis(
  { answer, first }: Reply,
  statements: readonly Prepared[],
  deadline: Deadline,
): Promise<typeof import("./results.ts")> {
  try {
    return await FAILURES.use(deadline, (part) => part, "Cannot tell more of the error");
  } catch (cause) {
    if (deadline.signal?.aborted) throw cause;
    const where = placeOf(0, statements, undefined, []);
    throw new DatabaseError(answer.errorAt(first)!, { ...where, cause });
  }
}
