import { INSPECT, shown } from "../calls/shown.ts";
import { called, placeAbove, told } from "../calls/caller.ts";
import { checkFunction } from "../calls/check_function.ts";
import { ASK, BATCH, EXECUTE, isAsked, NODES, READY, STEP_DOWN, VALUE } from "../calls/checks.ts";
import type { IterateOptions } from "../calls/client.ts";
import type { NodesOptions, ReadyOptions, StepDownOptions } from "../calls/cluster.ts";
import type { DefaultClient } from "../calls/default_client.ts";
import type {
  BatchOptions,
  CallOptions,
  ExecuteOptions,
  Executor,
  QueryOptions,
} from "../calls/executor.ts";
import { asCells, firstOf, valueOf } from "../calls/first.ts";
import { Late } from "../late.ts";
import { deadlineOf } from "../calls/options.ts";
import { type WriteCall, writeCallOf } from "../commit/write_call.ts";
import type { Writer } from "../commit/writer.ts";
import { originOf, sendingTo } from "../calls/origin.ts";
import { bookmarkOf, type SessionState, stateOf } from "../calls/session_state.ts";
import { type Checks, isBoolean, isText, readOptions } from "../options.ts";
import { statementOf } from "../sql/form.ts";
import type { Results, SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Result, Row, Value } from "../sql/value.ts";
import {
  BEGIN,
  type ResolvedTransactionOptions,
  resolveTransaction,
  TRANSACTION,
} from "../transaction/options.ts";
import type { Runner } from "../transaction/run_transaction.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import type { Deadline } from "../time/deadline.ts";
import type { Node } from "../wire/cluster.ts";
import type { Client, Session, SessionOptions } from "./client.ts";
import {
  BACKUP,
  type BackupOptions,
  ENQUEUE,
  type EnqueueOptions,
  LOAD,
  type LoadOptions,
} from "./administration_options.ts";
import type { Administration, OptionsOf, SubjectOf } from "./administration.ts";
import type { LoadSource } from "./load_source.ts";
import { INSERT_MANY, type InsertManyOptions } from "./insert_options.ts";

const WRITER = new Late("writes", () => import("../commit/writer.ts"));
const TRANSACTIONS = new Late(
  "transactions",
  () => import("../transaction/run_transaction.ts"),
);
const BULK = new Late("scripts, many rows and the cluster", () => import("./bulk.ts"));

/** {@linkcode SessionOptions}, checked. */
const SESSION: Checks<SessionOptions> = { strict: isBoolean };

/** The {@linkcode Client}: reads by the client below, everything that writes by the commit log. */
export class DefaultDatabase implements Client {
  readonly #client: DefaultClient;
  readonly #defaults: TransactionOptions;
  readonly #exactlyOnce: boolean;
  /** What has the parts that write: this one, or the one that it is a session of. */
  readonly #root: DefaultDatabase;
  #writer: Writer | undefined;
  #runner: Runner | undefined;

  /** Sends nothing. */
  constructor(
    client: DefaultClient,
    defaults: TransactionOptions,
    exactlyOnce: boolean,
    root?: DefaultDatabase,
  ) {
    this.#client = client;
    this.#defaults = defaults;
    this.#exactlyOnce = exactlyOnce;
    this.#root = root ?? this;
  }

  /** See {@linkcode Client.closed}. */
  get closed(): boolean {
    return this.#client.closed;
  }

  /** See {@linkcode Client.query}. */
  query<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<Result<R>> {
    return called(() => this.#client.query<R>(sql, params, options));
  }

  /** See {@linkcode Client.execute}. */
  execute<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: ExecuteOptions,
  ): Promise<Result<R>> {
    const write = async () => {
      const statement = statementOf(sql, params);
      return (await this.#write([statement], readOptions(options, EXECUTE), "execute"))[0]!;
    };
    // Rows have the type that the caller named with R.
    return called(write) as Promise<Result<R>>;
  }

  /** See {@linkcode Client.batch}. */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>> {
    const write = () => this.#write(statements, readOptions(options, BATCH), "batch");
    // One for each statement.
    return called(write as () => Promise<Results<Statements>>);
  }

  /** See {@linkcode Client.first}. */
  first<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: QueryOptions,
  ): Promise<R | undefined> {
    return called(async () => firstOf(await this.#client.query<R>(sql, params, options, "first")));
  }

  /** See {@linkcode Client.value}. */
  value<T = Value>(
    sql: string | SqlFragment,
    params?: Params,
    options?: Omit<QueryOptions, "rows">,
  ): Promise<T | undefined> {
    return called(async () => {
      const given = asCells(readOptions(options, VALUE));
      return valueOf<T>(await this.#client.query(sql, params, given, "value"));
    });
  }

  /** See {@linkcode Client.script}. */
  script(text: string, options?: ExecuteOptions): Promise<Result[]> {
    return called(() => {
      const given = readOptions(options, EXECUTE);
      const settings = this.#client.settings(given);
      const deadline = deadlineOf(settings);
      const { signal } = settings;
      const left = () => ({ ...given, timeout: deadline.remaining || Number.MIN_VALUE });
      const asked =
        () => ({ signal, timeout: left().timeout, level: "weak", rows: "array" } as const);
      return BULK.use(deadline, ({ runScript }) =>
        runScript(
          text,
          async (statements) => await this.#write(statements, left(), "script"),
          async (sql) => (await this.#client.query(sql, [], asked(), "script")).rows,
        ));
    });
  }

  /** See {@linkcode Client.insertMany}. */
  insertMany(
    table: string,
    rows: Iterable<Params> | AsyncIterable<Params>,
    options?: InsertManyOptions,
  ): Promise<{ rowsAffected: number }> {
    return called(() => {
      const { columns, onConflict, onProgress, ...given } = readOptions(options, INSERT_MANY);
      const settings = this.#client.settings(given);
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

  /** See {@linkcode Client.iterate}. */
  iterate<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: IterateOptions,
  ): AsyncIterableIterator<R> {
    const place = placeAbove(this.iterate);
    try {
      return this.#client.iterate(sql, params, options, place);
    } catch (error) {
      throw told(error, place);
    }
  }

  /** See {@linkcode Client.transaction}. */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T> {
    return called(() => {
      const resolved = this.#resolve(options, TRANSACTION);
      checkFunction(fn, "transaction(async (tx) => …)");
      const deadline = deadlineOf(resolved.settings);
      return TRANSACTIONS.use(deadline, ({ makeRunner, runTransaction }) => {
        return runTransaction(this.#runnerBy(makeRunner), resolved, deadline, fn);
      });
    });
  }

  /** See {@linkcode Client.begin}. */
  begin(options?: TransactionOptions): Promise<Transaction> {
    return called(() => {
      const resolved = this.#resolve(options, BEGIN);
      const deadline = deadlineOf(resolved.settings);
      return TRANSACTIONS.use(deadline, ({ makeRunner, beginTransaction }) => {
        return beginTransaction(this.#runnerBy(makeRunner), resolved, deadline);
      });
    });
  }

  /** See {@linkcode Client.session}. */
  session(bookmark = "", options?: SessionOptions): Session {
    isText(bookmark, "bookmark");
    const { strict = true } = readOptions(options, SESSION);
    const state = stateOf(bookmark, strict);
    const client = this.#client.within(state);
    const session = new DefaultSession(
      state,
      client,
      this.#defaults,
      this.#exactlyOnce,
      this.#root,
    );
    return sendingTo(session, originOf(this.#root)!);
  }

  /** See {@linkcode Client.outcome}. */
  outcome(
    id: string,
    options?: CallOptions,
  ): Promise<"committed" | "not committed" | "unknown"> {
    return called(() => {
      isAsked(id, "id");
      const settings = this.#client.settings(readOptions(options, ASK));
      const deadline = deadlineOf(settings);
      return this.#writing(deadline, (writes) => writes.outcome(id, { settings, deadline }));
    });
  }

  /** See {@linkcode Client.nodes}. */
  nodes(options?: NodesOptions): Promise<Node[]> {
    return this.#ask("nodes", NODES, options);
  }

  /** See {@linkcode Client.leader}. */
  leader(options?: CallOptions): Promise<Node | undefined> {
    return this.#ask("leader", ASK, options);
  }

  /** See {@linkcode Client.status}. */
  status(options?: CallOptions): Promise<Record<string, unknown>> {
    return this.#ask("status", ASK, options);
  }

  /** See {@linkcode Client.ready}. */
  ready(options?: ReadyOptions): Promise<boolean> {
    return this.#ask("ready", READY, options);
  }

  /** See {@linkcode Client.stepDown}. */
  stepDown(options?: StepDownOptions): Promise<void> {
    return this.#ask("stepDown", STEP_DOWN, options);
  }

  /** See {@linkcode Client.removeNode}. */
  removeNode(id: string, options?: CallOptions): Promise<void> {
    return this.#ask("removeNode", ASK, options, id);
  }

  /** See {@linkcode Client.snapshot}. */
  snapshot(options?: CallOptions): Promise<void> {
    return this.#ask("snapshot", ASK, options);
  }

  /** See {@linkcode Client.enqueue}. */
  enqueue(
    statements: Statement | readonly Statement[],
    options?: EnqueueOptions,
  ): Promise<{ sequence: bigint }> {
    return called(() => {
      const { wait = false, ...given } = readOptions(options, ENQUEUE);
      const asked = writeCallOf(this.#client, listOf(statements), given, "enqueue");
      const { deadline } = asked.call;
      const ready = async (asked: WriteCall) =>
        await this.#writing(deadline, (writes) => writes.queued(asked));
      return BULK.use(deadline, ({ enqueue }) => enqueue(this.#client, asked, wait, ready));
    });
  }

  /** See {@linkcode Client.backup}. */
  backup(options?: BackupOptions): Promise<ReadableStream<Uint8Array>> {
    return this.#ask("backup", BACKUP, options);
  }

  /** See {@linkcode Client.load}. */
  load(source: LoadSource, options?: LoadOptions): Promise<void> {
    const { signal } = options ?? {};
    return this.#ask(
      "load",
      LOAD,
      options,
      source,
      (text, timeout) => this.script(text, { signal, timeout }),
    );
  }

  /** See {@linkcode Client.boot}. */
  boot(source: Exclude<LoadSource, string>, options?: LoadOptions): Promise<void> {
    return this.#ask("boot", LOAD, options, source);
  }

  /** See {@linkcode Client.close}. */
  close(): Promise<void> {
    const closed = this.#client.close();
    this.#runner?.turns.clear();
    return closed;
  }

  /** Closes the client. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** How it is printed. */
  [INSPECT](): string {
    return this.#client[INSPECT]();
  }

  /** @param subject What the call is about, besides its options. */
  #ask<Name extends keyof Administration>(
    name: Name,
    checks: Checks<OptionsOf<Name>>,
    options: OptionsOf<Name> | undefined,
    ...subject: SubjectOf<Name>
  ): ReturnType<Administration[Name]> {
    const ask = () => {
      const given = readOptions(options, checks);
      const settings = this.#client.settings(given);
      const deadline = deadlineOf(settings);
      return BULK.use(
        deadline,
        (part) => part.administer(name, this.#client, { settings, deadline }, given, subject),
      );
    };
    return called(ask) as ReturnType<Administration[Name]>;
  }

  #resolve(
    options: TransactionOptions | undefined,
    checks: Checks<TransactionOptions>,
  ): ResolvedTransactionOptions {
    const given = readOptions(options, checks);
    return resolveTransaction(this.#client, { ...this.#defaults, ...given });
  }

  #write(
    statements: readonly Statement[],
    options: BatchOptions,
    operation: string,
  ): Result[] | Promise<Result[]> {
    const asked = writeCallOf(this.#client, statements, options, operation);
    return this.#writing(asked.call.deadline, (writes) => writes.run(asked));
  }

  #writing<T>(deadline: Deadline, work: (writer: Writer) => Promise<T>): T | Promise<T> {
    return WRITER.use(deadline, ({ Writer }) => {
      const root = this.#root;
      root.#writer ??= new Writer(root.#client, root.#exactlyOnce);
      return work(root.#writer);
    });
  }

  #runnerBy(make: (client: Executor, host: DefaultClient) => Runner): Runner {
    const root = this.#root;
    return root.#runner ??= make(root, root.#client);
  }
}

/** The {@linkcode Session}: a client that shares all but what it has seen. */
class DefaultSession extends DefaultDatabase implements Session {
  readonly #state: SessionState;

  constructor(state: SessionState, ...made: ConstructorParameters<typeof DefaultDatabase>) {
    super(...made);
    this.#state = state;
  }

  /** See {@linkcode Session.bookmark}. */
  get bookmark(): string {
    return bookmarkOf(this.#state);
  }

  /** It has nothing to close. */
  override close(): Promise<void> {
    return Promise.resolve();
  }

  /** How it is printed. */
  override [INSPECT](): string {
    return shown("Session", { bookmark: this.bookmark });
  }
}

/** A text with places for values begins one statement; without them it can only be the first of several. */
function listOf(given: Statement | readonly Statement[]): readonly Statement[] {
  const isList = Array.isArray(given) && (typeof given[0] !== "string" || !/[?:@$]/.test(given[0]));
  return isList ? given : [given as Statement];
}
