// Every method that takes options, and which. The compiler sees that no method and no option of one is missing.
import {
  type BackupOptions,
  type BatchOptions,
  type CallOptions,
  type Client,
  type EnqueueOptions,
  type ExecuteOptions,
  type InsertManyOptions,
  type IterateOptions,
  type LoadOptions,
  type NodesOptions,
  NotSupportedError,
  OperationalError,
  type QueryOptions,
  type ReadyOptions,
  type StepDownOptions,
  type Transaction,
  type TransactionOptions,
  type TransactionQueryOptions,
} from "../../mod.ts";
import { type RequestDatabase, rqlite } from "../../src/hono/mod.ts";
import { LocalLock } from "../../src/locks/mod.ts";
import { databaseFile } from "../support/database_file.ts";
import { honoContext } from "../support/hono_context.ts";

/** All options that a call may take. */
export type AnyOptions =
  & BackupOptions
  & BatchOptions
  & EnqueueOptions
  & InsertManyOptions
  & IterateOptions
  & NodesOptions
  & ReadyOptions
  & StepDownOptions
  & TransactionOptions
  & TransactionQueryOptions;
/** The name of one. */
export type Name = keyof AnyOptions;

/** One value of each; the compiler sees that none is missing. */
export const VALUES: { readonly [N in Name]-?: NonNullable<AnyOptions[N]> } = {
  signal: new AbortController().signal,
  timeout: 20_000,
  integers: "string",
  coalesce: false,
  level: "strong",
  freshness: 1500,
  freshnessStrict: true,
  rows: "array",
  id: "an id",
  exactlyOnce: true,
  atomic: true,
  columns: ["n"],
  onConflict: "ignore",
  onProgress: () => {},
  pageSize: 1,
  by: "n",
  nonVoters: true,
  noLeader: true,
  sync: true,
  to: "2",
  wait: true,
  format: "sql",
  vacuum: true,
  compress: true,
  tables: ["t"],
  guard: false,
  lock: new LocalLock(),
  scope: "stock",
  isolation: "none",
  mode: "lazy",
  readOnly: true,
  timeoutPer: "statement",
  retries: 1,
  turns: true,
  driver: true,
};

/** What a method does with options; it answers rows, if there are any. */
export type Call = (db: Client, options: AnyOptions, sql?: string) => Promise<unknown[]>;

/** What is done in a transaction. */
export type Inside = (tx: Transaction) => Promise<unknown[]>;

/** A method that takes options. `takes` has exactly those of its type, but for what is refused on purpose. */
export interface Way {
  readonly takes: Readonly<Partial<Record<Name, true>>>;
  readonly call: Call;
  /** The same for a function, where it takes one or gives a transaction. */
  readonly inside?: (db: Client, options: AnyOptions, fn: Inside) => Promise<unknown[]>;
  /** It changes data. */
  readonly writes?: true;
  /** What `onProgress` counts are bytes, not rows. */
  readonly bytes?: true;
  /** Two at once are one request. */
  readonly shares?: true;
}

/** Exactly the options of a type, less some. */
type Exactly<O, Less extends string = never> = Readonly<
  Record<Exclude<keyof O & Name, Less>, true>
>;

const CALL: Exactly<CallOptions> = {
  signal: true,
  timeout: true,
  integers: true,
  coalesce: true,
};
const ASK: Exactly<CallOptions, "integers"> = { signal: true, timeout: true, coalesce: true };
const QUERY: Exactly<QueryOptions> = {
  ...CALL,
  level: true,
  freshness: true,
  freshnessStrict: true,
  rows: true,
};
const { rows: _form, ...VALUE } = QUERY;
const EXECUTE: Exactly<ExecuteOptions> = { ...CALL, rows: true, id: true, exactlyOnce: true };
const BATCH: Exactly<BatchOptions> = { ...QUERY, ...EXECUTE, atomic: true };
const ITERATE: Exactly<IterateOptions> = { ...QUERY, pageSize: true, by: true };
const INSERT_MANY: Exactly<InsertManyOptions, "integers"> = {
  ...ASK,
  columns: true,
  onConflict: true,
  onProgress: true,
};
const NODES: Exactly<NodesOptions, "integers"> = { ...ASK, nonVoters: true };
const READY: Exactly<ReadyOptions, "integers"> = { ...ASK, noLeader: true, sync: true };
const STEP_DOWN: Exactly<StepDownOptions, "integers"> = { ...ASK, to: true, wait: true };
const ENQUEUE: Exactly<EnqueueOptions, "integers"> = { ...ASK, wait: true };
const LOAD: Exactly<LoadOptions, "integers"> = { ...ASK, onProgress: true };
const BACKUP: Exactly<BackupOptions, "integers"> = {
  ...LOAD,
  format: true,
  vacuum: true,
  compress: true,
  tables: true,
  noLeader: true,
};
const TRANSACTION: Exactly<TransactionOptions> = {
  ...CALL,
  level: true,
  rows: true,
  lock: true,
  scope: true,
  isolation: true,
  mode: true,
  readOnly: true,
  timeoutPer: true,
  retries: true,
  turns: true,
  driver: true,
};
const { retries: _, ...BEGIN } = TRANSACTION;
type OfTheWhole = "level" | "freshness" | "freshnessStrict";
const TX_QUERY: Exactly<TransactionQueryOptions, OfTheWhole> = { ...CALL, rows: true, guard: true };
const { rows: _txForm, ...TX_VALUE } = TX_QUERY;
// `exactlyOnce: true` is what a transaction is anyway.
const TX_EXECUTE: Exactly<ExecuteOptions, "id"> = { ...CALL, rows: true, exactlyOnce: true };
const TX_BATCH: Exactly<BatchOptions, "id" | OfTheWhole> = { ...TX_EXECUTE, atomic: true };

export const READ = "SELECT n FROM t";
const WRITE = "INSERT INTO t VALUES(2) RETURNING n";

type Use<T> = (db: T, options: AnyOptions, sql?: string) => Promise<unknown[]>;

/** Within a transaction that goes on. */
const inTx = (use: Use<Transaction>): Call => async (db, options, sql) => {
  const tx = await db.begin();
  await tx.query("SELECT 1");
  try {
    return await use(tx, options, sql);
  } finally {
    await tx.rollback();
  }
};

/** The view of a request, plain or with a transaction. */
const inRequest =
  (transaction: boolean, use: Use<RequestDatabase>): Call => async (db, options, sql) => {
    let view: RequestDatabase | undefined;
    let rows: unknown[] = [];
    const context = honoContext((value) => view = value as RequestDatabase);
    await rqlite(db, { transaction })(context, async () => {
      rows = await use(view!, options, sql);
    });
    return rows;
  };

type Reading = "query" | "execute" | "batch" | "first" | "value";

const on: { readonly [M in Reading]: Use<Pick<Client, M>> } = {
  query: async (db, o, sql = READ) => (await db.query(sql, [], o)).rows,
  execute: async (db, o) => (await db.execute(WRITE, [], o)).rows,
  batch: async (db, o) => (await db.batch([WRITE], o))[0].rows,
  first: async (db, o, sql = READ) => [await db.first(sql, [], o)],
  value: async (db, o, sql = READ) => [[await db.value(sql, [], o)]],
};

const none = async (done: Promise<unknown>): Promise<unknown[]> => {
  await done;
  return [];
};

const reading: Inside = async (tx) => (await tx.query(READ)).rows;

const begun: NonNullable<Way["inside"]> = async (db, options, fn) => {
  const tx = await db.begin(options);
  try {
    const rows = await fn(tx);
    await tx.commit();
    return rows;
  } finally {
    await tx.rollback();
  }
};

const inView: NonNullable<Way["inside"]> = (db, options, fn) =>
  inRequest(false, (view, o) => view.transaction(fn, o))(db, options);

/** Its type has no options. */
const nested: Use<{ transaction: unknown }> = (tx, options) =>
  (tx as Pick<Client, "transaction">).transaction(reading, options);

/** A database like the one that is there; its bytes have the word by which a request of the call's own is known. */
const FILE = databaseFile("CREATE TABLE t(n INTEGER /* asked */); INSERT INTO t VALUES(1)");

/** One node cannot do it, and an old server does not know it. */
const unlessRefused = (done: Promise<unknown>): Promise<unknown[]> =>
  none(done).catch((error: unknown) => {
    if (error instanceof OperationalError || error instanceof NotSupportedError) return [];
    throw error;
  });

/** The methods of a type, but for those that cannot have options. */
type Methods<T, Less extends PropertyKey = never> = {
  readonly [M in keyof T as T[M] extends (...args: never[]) => unknown ? Exclude<M, Less> : never]:
    Way;
};

// What `session` takes is of no call: ways_in.ts has it.
const CLIENT: Methods<Client, "close" | "session" | typeof Symbol.asyncDispose> = {
  query: { takes: QUERY, call: on.query, shares: true },
  execute: { takes: EXECUTE, call: on.execute, writes: true },
  batch: { takes: BATCH, call: on.batch, writes: true },
  first: { takes: QUERY, call: on.first, shares: true },
  value: { takes: VALUE, call: on.value, shares: true },
  iterate: {
    takes: ITERATE,
    call: async (db, o) => {
      const rows: unknown[] = [];
      for await (const row of db.iterate(READ, [], o)) rows.push(row);
      return rows;
    },
    shares: true,
  },
  script: {
    takes: EXECUTE,
    call: async (db, o) => (await db.script(`${WRITE};`, o))[0]!.rows,
    writes: true,
  },
  insertMany: {
    takes: INSERT_MANY,
    call: (db, o) => none(db.insertMany("t", [[2]], o)),
    writes: true,
  },
  nodes: { takes: NODES, call: (db, o) => none(db.nodes(o)) },
  leader: { takes: ASK, call: (db, o) => none(db.leader(o)) },
  status: { takes: ASK, call: (db, o) => none(db.status(o)) },
  ready: { takes: READY, call: (db, o) => none(db.ready(o)) },
  stepDown: { takes: STEP_DOWN, call: (db, o) => unlessRefused(db.stepDown(o)) },
  removeNode: { takes: ASK, call: (db, o) => none(db.removeNode("asked", o)) },
  snapshot: { takes: ASK, call: (db, o) => none(db.snapshot(o)) },
  backup: {
    takes: BACKUP,
    call: (db, o) => unlessRefused(db.backup(o).then((stream) => new Response(stream).bytes())),
    bytes: true,
  },
  load: {
    takes: LOAD,
    call: (db, o) => none(db.load(`${WRITE};`, o)),
    writes: true,
    bytes: true,
  },
  boot: { takes: LOAD, call: (db, o) => none(db.boot(FILE, o)), writes: true, bytes: true },
  enqueue: { takes: ENQUEUE, call: (db, o) => none(db.enqueue(WRITE, o)), writes: true },
  outcome: { takes: ASK, call: (db, o) => none(db.outcome("asked", o)) },
  transaction: {
    takes: TRANSACTION,
    call: (db, o) => db.transaction(reading, o),
    inside: (db, o, fn) => db.transaction(fn, o),
  },
  begin: { takes: BEGIN, call: (db, o) => begun(db, o, reading), inside: begun },
};

type Ends = "commit" | "rollback" | "savepoint" | "rollbackTo" | "release";
const TX: Methods<Transaction, Ends | typeof Symbol.asyncDispose> = {
  query: { takes: TX_QUERY, call: inTx(on.query) },
  execute: { takes: TX_EXECUTE, call: inTx(on.execute) },
  batch: { takes: TX_BATCH, call: inTx(on.batch) },
  first: { takes: TX_QUERY, call: inTx(on.first) },
  value: { takes: TX_VALUE, call: inTx(on.value) },
  transaction: { takes: {}, call: inTx(nested) },
};

const VIEW: Methods<RequestDatabase> = {
  query: { takes: QUERY, call: inRequest(false, on.query), shares: true },
  execute: { takes: EXECUTE, call: inRequest(false, on.execute), writes: true },
  batch: { takes: BATCH, call: inRequest(false, on.batch), writes: true },
  first: { takes: QUERY, call: inRequest(false, on.first), shares: true },
  value: { takes: VALUE, call: inRequest(false, on.value), shares: true },
  transaction: {
    takes: TRANSACTION,
    call: (db, o) => inView(db, o, reading),
    inside: inView,
  },
};

const REQUEST_TX: Methods<RequestDatabase> = {
  query: { takes: TX_QUERY, call: inRequest(true, on.query) },
  execute: { takes: TX_EXECUTE, call: inRequest(true, on.execute) },
  batch: { takes: TX_BATCH, call: inRequest(true, on.batch) },
  first: { takes: TX_QUERY, call: inRequest(true, on.first) },
  value: { takes: TX_VALUE, call: inRequest(true, on.value) },
  transaction: { takes: { driver: true }, call: inRequest(true, nested) },
};

/** All of them, by what stands in front of their names. */
export const SURFACES: Readonly<Record<string, Readonly<Record<string, Way>>>> = {
  "client.": CLIENT,
  "tx.": TX,
  "a request's ": VIEW,
  "a request's transaction.": REQUEST_TX,
};
