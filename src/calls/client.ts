import type { Results, SqlFragment, Statement } from "../sql/statement.ts";
import type { Params, Row } from "../sql/value.ts";
import type { Node } from "../wire/cluster.ts";
import type { NodesOptions, ReadyOptions, StepDownOptions } from "./cluster.ts";
import type { BatchOptions, CallOptions, Executor, QueryOptions } from "./executor.ts";

/** What {@linkcode BaseClient.iterate} takes. */
export interface IterateOptions extends QueryOptions {
  /** Rows asked for at a time. @default {1000} */
  pageSize?: number | undefined;
  /** The result column whose order the pages follow: unique and never NULL. @default the table's rowid */
  by?: string | undefined;
}

/** What a client does by single requests; `Client` adds transactions. */
export interface BaseClient extends Executor, AsyncDisposable {
  /** Whether {@linkcode BaseClient.close} was called. */
  readonly closed: boolean;
  /** See {@linkcode Executor.batch}; for a tuple of statements it answers a tuple of results. */
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
