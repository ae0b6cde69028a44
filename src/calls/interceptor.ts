import type { IntegerMode, Result } from "../sql/value.ts";

/** A statement of a {@linkcode Call}. */
export interface CallStatement {
  /** Its text. */
  readonly sql: string;
  /** Its values, as in a tuple `[sql, ...params]`: where they have names, the only one is the object of them. */
  readonly params: readonly unknown[];
}

/**
 * A call on its way down to the database.
 *
 * @example
 * ```ts
 * import { connect, type Interceptor } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * // Passes on other statements than those of the call.
 * const tagging: Interceptor = (next) => (call) =>
 *   next({ ...call, statements: call.statements.map((one) => ({ ...one, sql: `${one.sql} -- app` })) });
 * const db = connect({ ...embedded(), interceptors: [tagging] });
 * console.log(await db.value("SELECT 1")); // 1
 * await db.close();
 * ```
 */
export interface Call {
  /**
   * What was called: `query`, `first`, `value`, `execute`, `batch`, `enqueue`, `nodes`, `backup` and so on. `iterate` is
   * each of its pages, `insertMany` each of its requests, `script` the batch that it makes of a text, and what it reads of
   * the schema before. `transaction` is a transaction from its beginning to its end, also one of `begin`, with all runs of
   * its function; its statements are calls within, and so is its `commit`.
   */
  readonly operation: string;
  /** What is to be run; empty for what runs no statement. */
  readonly statements: readonly CallStatement[];
  /** The form that its rows have to come back in; `undefined` where it answers no results. */
  readonly rows?: "object" | "array";
  /** The form of the integers in them. */
  readonly integers?: IntegerMode;
  /** The same text for all calls of one transaction, and for no other; it is not the id of its commit. */
  readonly transaction?: string;
  /** Ends the call. */
  readonly signal?: AbortSignal;
  /** The nodes that the client was given, such as `http://localhost:4001`. */
  readonly nodes: readonly string[];
}

/** What comes back up. */
export interface CallOutcome {
  /** One for each statement; empty where the call answers something else. */
  readonly results: readonly Result[];
  /**
   * How many requests were sent, repeated ones included. One that several calls share counts for each of them; those of a
   * transaction's calls count for the transaction, too.
   */
  readonly requests: number;
  /** How long it waited in this client for its place in a request, in milliseconds. */
  readonly queued: number;
  /** How long its requests were under way, one added to the other, in milliseconds. */
  readonly network: number;
  /** Bytes of the bodies of its requests, before compression; those of `load` and `boot` are not counted. */
  readonly sent?: number;
  /** Bytes of the answers, after decompression; that of `backup` is not counted. */
  readonly received?: number;
  /** The node that was asked last, such as `http://localhost:4001`. */
  readonly node?: string;
}

/**
 * A layer around the calls of a client: what it returns is run for each call, and hands it on with `next`. It may look at
 * the call and at what comes back, pass on other statements, answer by itself, call `next` again, or throw.
 *
 * The outer function is called once for each call, too, so what is kept from one to the next belongs outside of it.
 *
 * @example
 * ```ts
 * import { connect, type Interceptor } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const told: string[] = [];
 * const telling: Interceptor = (next) => async (call) => {
 *   const outcome = await next(call);
 *   told.push(`${call.operation}: ${outcome.requests} requests`);
 *   return outcome;
 * };
 * const db = connect({ ...embedded(), interceptors: [telling] });
 * await db.query("SELECT 1");
 * console.log(told); // [ "query: 1 requests" ]
 * await db.close();
 * ```
 */
export type Interceptor = (
  next: (call: Call) => Promise<CallOutcome>,
) => (call: Call) => Promise<CallOutcome>;
