import type { BatchOptions, CallOptions, ExecuteOptions, Executor } from "../calls/executor.ts";
import type { Results, Statement } from "../sql/statement.ts";
import type { SqlFragment } from "../sql/fragment.ts";
import type { Params, Result, Row } from "../sql/value.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import type { Node } from "../wire/cluster.ts";
import type {
  BackupOptions,
  EnqueueOptions,
  InsertManyOptions,
  IterateOptions,
  LoadOptions,
  NodesOptions,
  ReadyOptions,
  SessionOptions,
  StepDownOptions,
} from "./method_options.ts";

/**
 * A client of one rqlite cluster, made by `connect`. It holds no connection and no state of its callers: share one, also
 * at module scope of a Worker. Single statements are run by the methods of {@linkcode Executor}.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)");
 * const { lastInsertId } = await db.execute("INSERT INTO users(name) VALUES(?)", ["Ada"]);
 * const { rows } = await db.query<{ name: string }>("SELECT name FROM users WHERE id = :id", {
 *   id: lastInsertId!,
 * });
 * console.log(rows[0]?.name); // Ada
 * await db.close();
 * ```
 */
export interface Client extends Executor, AsyncDisposable {
  /** Whether {@linkcode Client.close} was called. */
  readonly closed: boolean;
  /**
   * Runs several statements, all or none of them unless `atomic` is false; for a tuple of statements it answers a tuple of
   * results.
   *
   * @throws {DatabaseError} Of the first statement that failed, with `statementIndex` and the `results` before it.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * const [, inserted, counted] = await db.batch([
   *   "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)",
   *   ["INSERT INTO users(name) VALUES(?), (?)", "Ada", "Grace"],
   *   "SELECT count(*) AS n FROM users",
   * ]);
   * console.log(inserted.rowsAffected, counted.rows); // 2 [ { n: 2 } ]
   * await db.close();
   * ```
   */
  batch<const Statements extends readonly Statement[]>(
    statements: Statements,
    options?: BatchOptions,
  ): Promise<Results<Statements>>;
  /**
   * Reads a large result page by page, one row at a time. Each page is a read of its own: rows that change meanwhile
   * may or may not be seen, none is seen twice.
   *
   * Without `by` the statement must be a plain SELECT from one table that has rowids. With `by` it may be any SELECT; column
   * names must differ.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE logs(line TEXT)");
   * await db.batch(["a", "b", "c"].map((line) => ["INSERT INTO logs VALUES(?)", line]));
   * for await (const row of db.iterate("SELECT line FROM logs", [], { pageSize: 2 })) {
   *   console.log(row.line);
   * }
   * await db.close();
   * ```
   *
   * @throws {ProgrammingError} If the statement cannot be paged that way.
   */
  iterate<R = Row>(
    sql: string | SqlFragment,
    params?: Params,
    options?: IterateOptions,
  ): AsyncIterableIterator<R>;
  /**
   * Runs `fn` as one serializable transaction and commits it: what it read still holds at that moment, or nothing is kept.
   * On a conflict it runs again, up to `retries` times: `fn` must have no effects outside of `tx`.
   *
   * @returns What `fn` returned in the run that took effect.
   * @throws {TransactionConflictError} If every run conflicted; nothing was kept.
   * @throws {OutcomeUnknownError} If it cannot be known whether it took effect; `outcome(error.id)` may tell later.
   * @throws What `fn` throws; nothing was kept then.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE accounts(id INTEGER PRIMARY KEY, balance INTEGER)");
   * await db.execute("INSERT INTO accounts VALUES(1, 100), (2, 0)");
   * await db.transaction(async (tx) => {
   *   const { rows: [from] } = await tx.query<{ balance: number }>(
   *     "SELECT balance FROM accounts WHERE id = 1",
   *   );
   *   if (from!.balance < 30) throw new Error("Not enough money");
   *   await tx.execute("UPDATE accounts SET balance = balance - 30 WHERE id = 1");
   *   await tx.execute("UPDATE accounts SET balance = balance + 30 WHERE id = 2");
   * });
   * await db.close();
   * ```
   */
  transaction<T>(fn: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /**
   * Begins a transaction that the caller commits; conflicts are the caller's too. No request is sent, and one that is
   * never committed costs nothing; use `await using` to roll it back on every path.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE logs(line TEXT)");
   * {
   *   await using tx = await db.begin();
   *   await tx.execute("INSERT INTO logs VALUES('kept')");
   *   const point = await tx.savepoint();
   *   await tx.execute("INSERT INTO logs VALUES('undone')");
   *   await tx.rollbackTo(point);
   *   await tx.commit();
   * }
   * await db.close();
   * ```
   */
  begin(options?: TransactionOptions): Promise<Transaction>;
  /**
   * What became of a commit, or of an `execute` with an id, asked later. It fences the id off: "not committed" stays
   * true, and the write can no longer be applied. "unknown" means that the cluster cannot tell any more, because more
   * than 100,000 commits have passed, the log of commits was dropped, or a backup was restored by other means than
   * `load` and `boot`.
   *
   * @throws {OperationalError} If the cluster cannot be asked now.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE orders(n INTEGER)");
   * await db.execute("INSERT INTO orders VALUES(7)", [], { id: "order-7" });
   * console.log(await db.outcome("order-7")); // committed
   * await db.close();
   * ```
   */
  outcome(id: string, options?: CallOptions): Promise<"committed" | "not committed" | "unknown">;
  /**
   * Runs the statements of a text, such as a file or a dump, as one atomic batch.
   *
   * The lines by which a dump is one for SQLite's shell are left out: BEGIN, COMMIT, `PRAGMA foreign_keys` and what it
   * holds of this package's own tables. Where the server checks foreign keys, put `PRAGMA defer_foreign_keys = ON;` in
   * front of a dump: they are checked at its end.
   *
   * @param text At most 2²⁶ (67,108,864) characters, as all of it is one request and one entry of the log of every node.
   * @param options An `id` names the script as it names an `execute`: it is applied once, and `outcome(id)` tells.
   * @returns The results of the statements that were run, in their order.
   * @throws {ProgrammingError} If the text cannot be cut into statements; nothing was sent.
   * @throws {NotSupportedError} If a statement cannot be part of a batch, such as ROLLBACK or VACUUM; nothing was sent. Also
   * if the text turns foreign keys off, the server checks them, and a table is dropped to which rows of others refer that
   * would be changed by that; nothing was kept.
   * @throws {DatabaseError} Of the first statement that failed, with its line in the message and its `statementIndex`
   * among those that were run; nothing was kept.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * const results = await db.script(`
   *   CREATE TABLE notes(id INTEGER PRIMARY KEY, body TEXT); -- comments may stand anywhere
   *   INSERT INTO notes(body) VALUES('a;b'), ('c');
   * `);
   * console.log(results[1]?.rowsAffected); // 2
   * await db.close();
   * ```
   */
  script(text: string, options?: ExecuteOptions): Promise<Result[]>;
  /**
   * Inserts many rows in the form that is fastest, with a bounded part of them in memory: 100 rows a statement, and
   * requests of up to 10,000 rows or 4 MB.
   *
   * Each request is atomic, and exactly-once as any write; the whole is not. Where one fails, the rows of those before it
   * are in, and none behind them: an error of this package tells how many by `rowsApplied`, and `onProgress` tells it
   * before any error, as do those of a signal or of the rows themselves, which come as they are. So a call with the rows
   * from there on completes it. Where `rowsUnknown` follows, or a signal came while a request was under way, the next up
   * to 10,000 rows are in, too, or none of them.
   *
   * The next row is asked for when the request before was answered, and the iterable is ended with the call, however that
   * ends. For rows that have to be in all together, or not at all, see `batch` and `transaction`.
   *
   * @param table Its name, without quotes or schema.
   * @param rows Objects whose keys are columns, all of them alike, or lists of values. A value is one that a parameter may
   * have; NULL is `null`.
   * @returns How many rows were inserted, those that took the place of another among them; -1 where the answer to a
   * request was lost on its way, though its rows are in.
   * @throws {ProgrammingError} If a row has not the keys of the first, or of `columns`, before its request is sent.
   * @throws {IntegrityError} If a constraint refused a row; the message tells which 100 it was among.
   * @throws {OutcomeUnknownError} If it cannot be known whether the last request was applied: `outcome(error.id)` may tell.
   * @throws {TypeError|RangeError} If a value cannot be bound; the message tells the row.
   * @throws What the iterable or `onProgress` throws.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE points(x INTEGER, y REAL)");
   * const points = Array.from({ length: 25_000 }, (_, x) => ({ x, y: x / 3 }));
   * const { rowsAffected } = await db.insertMany("points", points, {
   *   onProgress: (rows) => console.log(rows), // 10000, 20000, 25000
   * });
   * console.log(rowsAffected); // 25000
   * await db.close();
   * ```
   */
  insertMany(
    table: string,
    rows: Iterable<Params> | AsyncIterable<Params>,
    options?: InsertManyOptions,
  ): Promise<{ rowsAffected: number }>;
  /**
   * A client whose reads may go to any node, and yet never show less than it has shown or written before:
   * *read your writes*, and *monotonic reads*. It sends nothing, costs nothing and needs no end: make one for each user,
   * request or job.
   *
   * Its reads are at level "none" unless the call says otherwise. With each of them the node says, in the same snapshot, how
   * far it is; only where that is behind the session, the leader is asked, so that nearly all take one round trip. What the
   * promise holds for, and what it costs where a write leaves no commit, is in docs/sessions.md.
   *
   * @param bookmark Of another session, also one of another process: this one goes on from there.
   * @throws {TypeError} If it is no bookmark.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded()); // or connect(["http://node1:4001", "http://node2:4001"])
   * const session = db.session();
   * await session.execute("CREATE TABLE notes(body TEXT)");
   * await session.execute("INSERT INTO notes VALUES('Buy milk')");
   * console.log(await session.value("SELECT count(*) FROM notes")); // 1, whichever node is asked
   *
   * const elsewhere = db.session(session.bookmark); // a short text, for a cookie or a job
   * console.log(await elsewhere.value("SELECT count(*) FROM notes")); // 1
   * await db.close();
   * ```
   */
  session(bookmark?: string, options?: SessionOptions): Session;
  /**
   * Hands writes to the queue of one node, which applies them soon: they are not durable when this returns, have no result,
   * an error of one of them is told to nobody, and they may be lost or applied twice where a node fails.
   *
   * They are the fastest writes there are, for what may be missing, such as counts of visits. `wait` waits until they are in
   * the log, so that they are durable; what became of each is not told even then. They may be applied behind writes that
   * are made later. Where the client has a user, each call asks for the leader first, as the queue of another node could not
   * deliver them.
   *
   * @param statements One, or a list. An array that begins with a text is one statement with its values where that text has
   * places for some, else a list of texts.
   * @returns The number that the node gave them; it counts for itself, from when it was started.
   * @throws {ProgrammingError|NotSupportedError|DataError} If a statement cannot be sent at all; nothing was.
   * @throws {OutcomeUnknownError} If it cannot be known whether the node took them, or, with `wait`, if time is up.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * await db.execute("CREATE TABLE visits(page TEXT)");
   * const { sequence } = await db.enqueue(["INSERT INTO visits VALUES(?)", "/"], { wait: true });
   * console.log(typeof sequence); // bigint
   * await db.close();
   * ```
   */
  enqueue(
    statements: Statement | readonly Statement[],
    options?: EnqueueOptions,
  ): Promise<{ sequence: bigint }>;
  /**
   * A copy of the database as a stream: for a file, a `Response`, or `load` of another cluster.
   *
   * It comes from the leader, and is the state of one moment; as SQL text each table is, but what is written meanwhile may
   * be in one and not in another. A stream that ends is complete: where the connection breaks, or the server fails in the
   * middle, it is an error, and what came so far must not be kept. `timeout` ends with the first bytes, `signal` with the
   * last. `maxResponseSize` does not count.
   *
   * @throws {TypeError} If two options do not fit together.
   * @throws {NotSupportedError} If the server is too old for an option. Also if the server's SQL text would lack something: it
   * leaves out the rows of a table with `'` in its name or `"` in the name of a column, and cuts off a text at a NUL
   * character.
   * @throws {ProgrammingError} If there is no table of a name in `tables`; upper and lower case are not the same there.
   * @throws {AuthenticationError} If the user lacks the permission `backup`.
   * @throws {OperationalError} If the node cannot make one now, or, from the stream, if it is not complete.
   *
   * @example Into a file
   * ```ts ignore
   * const stream = await db.backup({ vacuum: true, onProgress: (bytes) => console.log(bytes) });
   * await Deno.writeFile("app.db", stream);
   * ```
   *
   * @example As an answer
   * ```ts ignore
   * app.get("/backup", async (c) => new Response(await db.backup(), { headers: { "content-type": "application/vnd.sqlite3" } }));
   * ```
   */
  backup(options?: BackupOptions): Promise<ReadableStream<Uint8Array>>;
  /**
   * Replaces the database on all nodes by a database file, or runs SQL text in the one that is there.
   *
   * **A file** is checked before it is sent, as a node that is given a damaged one has no database any more: its header, its
   * length and its schema; whether each of its pages is sound only SQLite can tell, by `PRAGMA integrity_check`. A stream is
   * sent while it comes, as far as the runtime can, and given up where its end is missing. The server holds the file
   * several times in memory: for one of many hundred megabytes see `boot`. What gzip has made is unpacked here.
   *
   * Nobody should write meanwhile, as what is written before the load is gone behind it. Commits that are on their way are
   * not applied to the new database. Other clients go on by themselves: what they send next is judged by the new database.
   *
   * **SQL text**, also as bytes in UTF-8, is what `script` runs, with its limits: one atomic batch, so that all of it is
   * applied or nothing.
   *
   * @param source A stream can be used once, also where this fails.
   * @throws {DataError} If the file is not a whole database; nothing was changed.
   * @throws {OutcomeUnknownError} If the answer was lost: read something that only one of the databases has. It is not sent
   * again by itself, as a later copy would undo what was written since.
   * @throws {OperationalError} If the nodes could not do it.
   * @throws {AuthenticationError} If the user lacks the permission `load`.
   * @throws What the stream fails with; nothing was changed.
   * @throws What `script` throws, for SQL text.
   *
   * @example From one cluster into another
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const [from, to] = [connect(embedded()), connect(embedded())];
   * await from.execute("CREATE TABLE notes(body TEXT)");
   * await to.load(await from.backup());
   * console.log((await to.query("SELECT * FROM notes")).columns); // [ "body" ]
   * await Promise.all([from.close(), to.close()]);
   * ```
   */
  load(
    source: Uint8Array | string | Blob | ReadableStream<Uint8Array>,
    options?: LoadOptions,
  ): Promise<void>;
  /**
   * Replaces the database of a cluster that has one node by a database file, of any size: it goes to the node's disk and not
   * through the log. Nodes that join later get it from there. For the rest it is as `load`.
   *
   * @throws {NotSupportedError} If the cluster has several nodes; nothing was changed.
   * @throws What `load` throws.
   *
   * @example
   * ```ts ignore
   * await db.boot(await openAsBlob("app.db"), { timeout: 600_000 });
   * ```
   */
  boot(
    source: Uint8Array | Blob | ReadableStream<Uint8Array>,
    options?: LoadOptions,
  ): Promise<void>;
  /**
   * The members of the cluster, as one of them sees them: it asks each of the others, for two seconds at most.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * for (const node of await db.nodes({ nonVoters: true })) console.log(node.id, node.apiUrl, node.reachable);
   * await db.close();
   * ```
   *
   * @throws {AuthenticationError} If the user lacks the permission `status`.
   */
  nodes(options?: NodesOptions): Promise<Node[]>;
  /** The member that leads, or `undefined` while there is none. @throws {AuthenticationError} As `nodes` does. */
  leader(options?: CallOptions): Promise<Node | undefined>;
  /**
   * What a node tells of itself, such as `store.raft.state`; the content is the server's. Integers beyond 2^53 are
   * `bigint`.
   *
   * @throws {AuthenticationError} If the user lacks the permission `status`.
   */
  status(options?: CallOptions): Promise<Record<string, unknown>>;
  /**
   * Whether the cluster can be used now: true as soon as one of the configured nodes is ready and knows a leader. It is
   * false where none is, where none can be reached, and where none answers within `timeout`. Why it is false, the events of
   * `onRequest` tell: each has the `error` of one node, with the words in which it, or the way to it, failed.
   *
   * @example
   * ```ts
   * import { connect } from "@tangled/rqlite";
   * import { embedded } from "@tangled/rqlite/embedded";
   *
   * const db = connect(embedded());
   * console.log(await db.ready({ timeout: 1_000 })); // true
   * await db.close();
   * ```
   *
   * @example Why not
   * ```ts
   * import { connect } from "@tangled/rqlite";
   *
   * const db = connect("http://localhost:1", {
   *   retries: 0,
   *   onRequest: ({ error }) => console.log(String(error)), // ConnectionError: Cannot reach http://localhost:1: …
   * });
   * console.log(await db.ready()); // false
   * await db.close();
   * ```
   *
   * @throws {AuthenticationError} If the user lacks the permission `ready`.
   */
  ready(options?: ReadyOptions): Promise<boolean>;
  /**
   * Makes the leader hand over to another node, as before it is stopped for good: writes go on a moment later. Pages of
   * another origin may not do it.
   *
   * @throws {OperationalError} If nobody else can lead, as in a cluster of one node, or `to` is no other voting member.
   * @throws {NotSupportedError} Before rqlite 8.40, and `to` before 8.41.
   * @throws {AuthenticationError} If the user lacks the permission `leader-ops`.
   *
   * @example
   * ```ts ignore
   * await db.stepDown({ to: "node2" });
   * console.log((await db.leader())?.id); // node2
   * ```
   */
  stepDown(options?: StepDownOptions): Promise<void>;
  /**
   * Takes a node out of the cluster for good, as where its machine is lost; the others no longer wait for it. It does not
   * stop the node. An id that no member has is not an error: the server takes it for one that is gone already.
   *
   * @param id As `nodes()` says it.
   * @throws {TypeError} If `id` is no text, or an empty one.
   * @throws {AuthenticationError} If the user lacks the permission `remove`.
   *
   * @example
   * ```ts ignore
   * const lost = (await db.nodes({ nonVoters: true })).filter(({ reachable }) => !reachable);
   * for (const { id } of lost) await db.removeNode(id);
   * ```
   */
  removeNode(id: string, options?: CallOptions): Promise<void>;
  /**
   * Makes one node, the leader where it is known, write a snapshot and shorten its log; nodes do so by themselves. With
   * nothing new it does nothing. For another node, connect to that alone.
   *
   * @throws {OperationalError} If the node cannot do it now, as while a long read is under way.
   * @throws {AuthenticationError} If the user lacks the permission `snapshot`.
   */
  snapshot(options?: CallOptions): Promise<void>;
  /** Ends what is in flight; later calls reject with `InterfaceError`. Calling it again does nothing. */
  close(): Promise<void>;
}

/**
 * A client that remembers what it has seen, made by `session`. It shares all else with its client, and ends with that.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded()); // or connect(["http://node1:4001", "http://node2:4001"])
 * const session = db.session();
 * await session.execute("CREATE TABLE notes(body TEXT)");
 * console.log(await session.value("SELECT count(*) FROM notes")); // 0, and never "no such table"
 * console.log(session.bookmark.length <= 50); // true
 * await db.close();
 * ```
 */
export interface Session extends Client {
  /**
   * What the session has seen so far, for another session to go on from: a text of at most 50 characters that may stand
   * as it is in a URL, a header or a cookie; "" of one that has seen nothing. It tells the number of the latest commit, and
   * no more of the database.
   */
  readonly bookmark: string;
  /** Does nothing: what a session uses is its client's. */
  close(): Promise<void>;
}
