import { called, placeAbove, told } from "../calls/error_stacks.ts";
import { ASK, BATCH, checkFunction, EXECUTE, isAsked, QUERY, VALUE } from "../calls/checks.ts";
import {
  asCells,
  type BatchOptions,
  type CallOptions,
  type ExecuteOptions,
  firstOf,
  type QueryOptions,
  valueOf,
} from "../calls/executor.ts";
import { type Host, setHost } from "../calls/host.ts";
import { iterate, query } from "../calls/query.ts";
import { bookmarkOf, type SessionState, stateOf } from "../calls/session_state.ts";
import { deadlineOf } from "../calls/settings.ts";
import { INSPECT, shown } from "../calls/shown.ts";
import { type WriteCall, writeCallOf } from "../commit/write_call.ts";
import type { Writer } from "../commit/writer.ts";
import { type Checks, isText, readOptions } from "../options.ts";
import { type Results, type Statement, statementOf } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import { BEGIN, resolveTransaction, TRANSACTION } from "../transaction/options.ts";
import type { Runner } from "../transaction/run_transaction.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import type { Deadline } from "../time/deadline.ts";
import { Late } from "../late.ts";
import type { Node } from "../wire/cluster.ts";
import type { Administration, OptionsOf, SubjectOf } from "./administration.ts";
import type { Client, Session } from "./client.ts";
import type { LoadSource } from "./load_source.ts";
import {
  BACKUP,
  type BackupOptions,
  ENQUEUE,
  type EnqueueOptions,
  INSERT_MANY,
  type InsertManyOptions,
  ITERATE,
  type IterateOptions,
  LOAD,
  type LoadOptions,
  NODES,
  type NodesOptions,
  READY,
  type ReadyOptions,
  SESSION,
  type SessionOptions,
  STEP_DOWN,
  type StepDownOptions,
} from "./method_options.ts";

const WRITER = new Late("writes", () => import("../commit/writer.ts"));
const TRANSACTIONS = new Late(
  "transactions",
  () => import("../transaction/run_transaction.ts"),
);
const BULK = new Late("scripts, many rows and the cluster", () => import("./administration.ts"));

/** What `connect` returns. It checks what a call is given, at once, and hands the work to the parts that are loaded by need. */
export class DefaultClient implements Client {
  readonly #host: Host;
  readonly #defaults: TransactionOptions;
  /** What has the parts that write: this one, or the one that it is a session of. */
  readonly #root: DefaultClient;
  #writer: Writer | undefined;
  #runner: Runner | undefined;

  /** Sends nothing. @param defaults Of transactions. */
  constructor(host: Host, defaults: TransactionOptions, root?: DefaultClient) {
    this.#host = host;
    this.#defaults = defaults;
    this.#root = root ?? this;
    setHost(this, this.#root.#host);
  }

  /** Whether it was closed. */
  get closed(): boolean {
    return this.#host.closed;
  }

  /** Runs a statement that reads. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return called(() => this.#query<R>(sql, params, readOptions(options, QUERY), "query"));
  }

  /** Runs a statement that changes data. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    const write = async () => {
      const statement = statementOf(sql, params);
      const [result] = await this.#write([statement], readOptions(options, EXECUTE), "execute");
      return result;
    };
    // Rows have the type that the caller named with R.
    return called(write) as Promise<Result<R>>;
  }

  /** Runs several statements in one request. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    const write = () => this.#write(statements, readOptions(options, BATCH), "batch");
    // One for each statement.
    return called(write as () => Promise<Results<Statements>>);
  }

  /** The first row of a query. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return called(async () =>
      firstOf(await this.#query<R>(sql, params, readOptions(options, QUERY), "first"))
    );
  }

  /** The first column of the first row of a query. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined> {
    return called(async () => {
      const given = asCells(readOptions(options, VALUE));
      return valueOf<T>(await this.#query(sql, params, given, "value"));
    });
  }

  /** The rows of a query, read page by page. */
  iterate<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: IterateOptions,
  ): AsyncIterableIterator<R> {
    const place = placeAbove(this.iterate);
    try {
      return iterate(this.#host, sql, params, readOptions(options, ITERATE), place);
    } catch (error) {
      throw told(error, place);
    }
  }

  /** Runs the statements of a text as one batch. */
  script(text: string, options?: ExecuteOptions): Promise<Result[]> {
    return called(() => {
      const given = readOptions(options, EXECUTE);
      const settings = this.#host.settings(given);
      const deadline = deadlineOf(settings);
      const { signal } = settings;
      const left = () => ({ ...given, timeout: deadline.remaining || Number.MIN_VALUE });
      const asked =
        () => ({ signal, timeout: left().timeout, level: "weak", rows: "array" } as const);
      return BULK.use(deadline, ({ runScript }) =>
        runScript(
          text,
          async (statements) => await this.#write(statements, left(), "script"),
          async (sql) => (await this.#query(sql, [], asked(), "script")).rows,
        ));
    });
  }

  /** Inserts many rows, request by request. */
  insertMany(
    table: string,
    rows: Iterable<Params> | AsyncIterable<Params>,
    options?: InsertManyOptions,
  ): Promise<{ rowsAffected: number }> {
    return called(() => {
      const { columns, onConflict, onProgress, ...given } = readOptions(options, INSERT_MANY);
      const settings = this.#host.settings(given);
      const { signal } = settings;
      return BULK.use(deadlineOf(settings), ({ insertMany }) =>
        insertMany(
          table,
          rows,
          { columns, onConflict, onProgress, signal },
          async (statements) => await this.#write(statements, given, "insertMany"),
        ));
    });
  }

  /** Runs a function as one transaction. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return called(() => {
      const resolved = resolveTransaction(this.#host, {
        ...this.#defaults,
        ...readOptions(options, TRANSACTION),
      });
      checkFunction(fn, "transaction(async (tx) => …)");
      const deadline = deadlineOf(resolved.settings);
      return TRANSACTIONS.use(deadline, ({ makeRunner, runTransaction }) => {
        return runTransaction(this.#runnerBy(makeRunner), resolved, deadline, fn);
      });
    });
  }

  /** Begins a transaction that the caller ends. */
  begin(options?: TransactionOptions): Promise<Transaction> {
    return called(() => {
      const resolved = resolveTransaction(this.#host, {
        ...this.#defaults,
        ...readOptions(options, BEGIN),
      });
      const deadline = deadlineOf(resolved.settings);
      return TRANSACTIONS.use(deadline, ({ makeRunner, beginTransaction }) => {
        return beginTransaction(this.#runnerBy(makeRunner), resolved, deadline);
      });
    });
  }

  /** Makes a client whose reads never show less than it has shown or written before. */
  session(bookmark = "", options?: SessionOptions): Session {
    isText(bookmark, "bookmark");
    const { strict = true } = readOptions(options, SESSION);
    const state = stateOf(bookmark, strict);
    return new DefaultSession(state, this.#host.within(state), this.#defaults, this.#root);
  }

  /** What became of a write with an id, which can no longer be applied then. */
  outcome(
    id: string,
    options?: CallOptions,
  ): Promise<"committed" | "not committed" | "unknown"> {
    return called(() => {
      isAsked(id, "id");
      const settings = this.#host.settings(readOptions(options, ASK));
      const deadline = deadlineOf(settings);
      return this.#writing(deadline, (writer) => writer.outcome(id, { settings, deadline }));
    });
  }

  /** The members of the cluster. */
  nodes(options?: NodesOptions): Promise<Node[]> {
    return this.#administer("nodes", NODES, options);
  }

  /** The member that leads. */
  leader(options?: CallOptions): Promise<Node | undefined> {
    return this.#administer("leader", ASK, options);
  }

  /** What a node tells of itself. */
  status(options?: CallOptions): Promise<Record<string, unknown>> {
    return this.#administer("status", ASK, options);
  }

  /** Whether the cluster can be used now. */
  ready(options?: ReadyOptions): Promise<boolean> {
    return this.#administer("ready", READY, options);
  }

  /** Makes the leader hand over to another node. */
  stepDown(options?: StepDownOptions): Promise<void> {
    return this.#administer("stepDown", STEP_DOWN, options);
  }

  /** Takes a node out of the cluster. */
  removeNode(id: string, options?: CallOptions): Promise<void> {
    return this.#administer("removeNode", ASK, options, id);
  }

  /** Makes a node write a snapshot. */
  snapshot(options?: CallOptions): Promise<void> {
    return this.#administer("snapshot", ASK, options);
  }

  /** Hands writes to the queue of a node. */
  enqueue(
    statements: Statement | readonly Statement[],
    options?: EnqueueOptions,
  ): Promise<{ sequence: bigint }> {
    return called(() => {
      const { wait = false, ...given } = readOptions(options, ENQUEUE);
      const asked = writeCallOf(this.#host, queuedStatements(statements), given, "enqueue");
      const { deadline } = asked.call;
      const ready = async (asked: WriteCall) =>
        await this.#writing(deadline, (writer) => writer.queued(asked));
      return BULK.use(deadline, ({ enqueue }) => enqueue(this.#host, asked, wait, ready));
    });
  }

  /** A copy of the database as a stream. */
  backup(options?: BackupOptions): Promise<ReadableStream<Uint8Array>> {
    return this.#administer("backup", BACKUP, options);
  }

  /** Replaces the database by a file, or runs SQL text. */
  load(source: LoadSource, options?: LoadOptions): Promise<void> {
    const { signal } = options ?? {};
    return this.#administer(
      "load",
      LOAD,
      options,
      source,
      (text, timeout) => this.script(text, { signal, timeout }),
    );
  }

  /** Replaces the database of a cluster of one node by a file of any size. */
  boot(source: Exclude<LoadSource, string>, options?: LoadOptions): Promise<void> {
    return this.#administer("boot", LOAD, options, source);
  }

  /** Ends what is in flight; later calls are refused. */
  close(): Promise<void> {
    this.#host.close();
    this.#runner?.turns.clear();
    return Promise.resolve();
  }

  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How it is printed. */
  [INSPECT](): string {
    return shown("Client", { nodes: this.#host.options.nodes, closed: this.closed });
  }

  /** @param options Read already. @param operation What the user has called. */
  #query<R>(
    sql: string | SqlFragment,
    params: Params | undefined,
    options: QueryOptions,
    operation: string,
  ): Promise<Result<R>> {
    // Rows have the type that the caller named with R.
    return query(this.#host, sql, params, options, operation) as Promise<Result<R>>;
  }

  /** @param subject What the call is about, besides its options. */
  #administer<Name extends keyof Administration>(
    name: Name,
    checks: Checks<OptionsOf<Name>>,
    options: OptionsOf<Name> | undefined,
    ...subject: SubjectOf<Name>
  ): ReturnType<Administration[Name]> {
    const ask = () => {
      const given = readOptions(options, checks);
      const settings = this.#host.settings(given);
      const deadline = deadlineOf(settings);
      return BULK.use(
        deadline,
        (part) => part.administer(name, this.#host, { settings, deadline }, given, subject),
      );
    };
    return called(ask) as ReturnType<Administration[Name]>;
  }

  #write(
    statements: readonly Statement[],
    options: BatchOptions,
    operation: string,
  ): Result[] | Promise<Result[]> {
    const asked = writeCallOf(this.#host, statements, options, operation);
    return this.#writing(asked.call.deadline, (writer) => writer.run(asked));
  }

  #writing<T>(deadline: Deadline, work: (writer: Writer) => Promise<T>): T | Promise<T> {
    return WRITER.use(deadline, ({ Writer }) => {
      const root = this.#root;
      root.#writer ??= new Writer(root.#host);
      return work(root.#writer);
    });
  }

  #runnerBy(make: (client: Client, host: Host) => Runner): Runner {
    const root = this.#root;
    return root.#runner ??= make(root, root.#host);
  }
}

/** A client that shares all but what it has seen. */
class DefaultSession extends DefaultClient implements Session {
  readonly #state: SessionState;

  constructor(state: SessionState, ...made: ConstructorParameters<typeof DefaultClient>) {
    super(...made);
    this.#state = state;
  }

  /** What it has seen so far, as a text. */
  get bookmark(): string {
    return bookmarkOf(this.#state);
  }

  /** Does nothing: what it uses is its client's. */
  override close(): Promise<void> {
    return Promise.resolve();
  }

  /** How it is printed. */
  override [INSPECT](): string {
    return shown("Session", { bookmark: this.bookmark });
  }
}

/** What `enqueue` was given, as a list. A text with places for values begins one statement; without them it can only be the first of several. */
function queuedStatements(given: Statement | readonly Statement[]): readonly Statement[] {
  const isList = Array.isArray(given) && (typeof given[0] !== "string" || !/[?:@$]/.test(given[0]));
  return isList ? given : [given as Statement];
}
