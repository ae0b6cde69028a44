import type { Executor } from "../calls/executor.ts";
import { type Check, type Checks, oneOf, readOptions } from "../options.ts";
import type { Statement } from "../sql/statement.ts";
import type { Params, Result } from "../sql/value.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { Transaction, TransactionOptions } from "../transaction/transaction.ts";
import type { Passing } from "./followers.ts";
import { CELLS } from "./rows.ts";

/**
 * How a transaction of Drizzle is run: the client's options, except that it runs once unless `retries` says otherwise, and
 * takes its turn unless `turns` does.
 *
 * @example
 * ```ts
 * import type { RqliteTransactionConfig } from "@tangled/rqlite/driver";
 *
 * const config: RqliteTransactionConfig = { retries: 10, turns: false }; // db.transaction(fn, config)
 * console.log(config); // { retries: 10, turns: false }
 * ```
 */
export interface RqliteTransactionConfig
  extends Omit<TransactionOptions, "integers" | "rows" | "driver"> {
  /**
   * Drizzle's own. "deferred" is what every transaction is; "concurrent" stands for `turns: false`. The others are refused:
   * nothing is locked on the server, so `lock` and `retries` are for what they are used for.
   */
  behavior?: "deferred" | "immediate" | "exclusive" | "concurrent" | undefined;
  /** Runs of the function after the first, on conflict. @default {0} */
  retries?: number | undefined;
  /** Waits for earlier transactions of this client, so that they do not collide. @default {true} */
  turns?: boolean | undefined;
}

const { integers: _integers, rows: _rows, driver: _driver, ...REST } = TRANSACTION;

const CONFIG: Checks<RqliteTransactionConfig> = {
  ...REST,
  behavior(value, name) {
    if (value === "deferred" || value === "concurrent") return;
    BEHAVIORS(value, name);
    throw new TypeError(
      `Cannot use \`behavior: "${value}"\` as nothing is locked on the server: give \`lock\` where others must wait, ` +
        "`retries` where the function may run again on a conflict, or leave it out, which is serializable, too",
    );
  },
};

const BEHAVIORS: Check = oneOf("deferred", "immediate", "exclusive", "concurrent");

/** What a cache is told of. */
export interface ToldCache {
  /** Some tables have changed. */
  onMutate(change: { tables: string[] }): Promise<void>;
}

/**
 * Runs a function as a transaction of Drizzle. One of a transaction is a nested one, which has no options.
 *
 * @param cache Told of the tables that the function has changed, once it has ended.
 * @param fn Adds the tables to the set.
 * @throws {TypeError} If an option is unknown or cannot be honoured.
 */
export function runTransaction<T>(
  passing: Passing,
  config: RqliteTransactionConfig | undefined,
  cache: ToldCache | undefined,
  fn: (tx: Transaction, changed: Set<string>) => Promise<T>,
): Promise<T> {
  return passing.follow(async () => {
    const changed = new Set<string>();
    if (passing.nested) refuseConfig(config);
    const options = passing.nested ? undefined : readConfig(config);
    try {
      return await passing.client.transaction((tx) => fn(tx, changed), options);
    } finally {
      // Also after a failure: nobody knows what became of a commit whose answer was lost.
      if (changed.size > 0) await cache?.onMutate({ tables: [...changed] });
    }
  });
}

function readConfig(config?: RqliteTransactionConfig): TransactionOptions {
  const { behavior, ...options } = readOptions(config, CONFIG);
  if (behavior === "concurrent" && options.turns === true) {
    throw new TypeError('Cannot use `turns: true` beside `behavior: "concurrent"`: leave one out');
  }
  return { driver: true, ...behavior === "concurrent" && { turns: false }, ...options };
}

/**
 * Refuses options for a nested transaction, which is a savepoint of the one around it.
 *
 * @throws {TypeError} If there is one.
 */
export function refuseConfig(config: RqliteTransactionConfig | undefined): void {
  const [name] = Object.keys(readOptions(config, CONFIG));
  if (name === undefined) return;
  throw new TypeError(
    `Cannot use \`${name}\` in a nested transaction: give it to the transaction around it`,
  );
}

/**
 * Makes the queries of a batch of Drizzle ready, in a way that its types leave out.
 *
 * @throws {TypeError} If one of them is no query.
 *
 * @example
 * ```ts
 * import { prepareItems } from "@tangled/rqlite/driver";
 *
 * const query = { _prepare: () => ({ sql: "SELECT 1" }) }; // what db.select() answers
 * console.log(prepareItems<{ sql: string }>([query])); // [ { sql: "SELECT 1" } ]
 * ```
 */
export function prepareItems<Q>(items: readonly unknown[]): Q[] {
  if (!Array.isArray(items)) {
    throw new TypeError("Cannot run the batch as it must be an array of queries");
  }
  return items.map((item, position) => {
    const { _prepare } = Object(item) as { _prepare?: () => Q };
    if (typeof _prepare === "function") return _prepare.call(item);
    throw new TypeError(
      `Cannot run query ${position} of the batch as it is no query of Drizzle: give db.select(), db.run(sql) or the like, ` +
        "without await",
    );
  });
}

/** What the queries of a batch of Drizzle run on, and who is told. */
export interface BatchContext {
  /** Where they are sent. */
  readonly executor: Pick<Executor, "batch">;
  /** Told of every query. */
  readonly logger: { logQuery(sql: string, params: unknown[]): void };
  /** Told of the tables that were changed, where no transaction collects them. */
  readonly cache: ToldCache | undefined;
  /** Collects the tables that a transaction has changed. */
  readonly changed: Set<string> | undefined;
}

/** How a version of Drizzle has the queries of a batch. */
export interface BatchReader<Q> {
  /** Puts values in the place of placeholders. */
  fill(params: unknown[]): unknown[];
  /** The tables that a query changes. */
  changes(query: Q): readonly string[];
  /** What a query answers. */
  answer(query: Q, result: Result<unknown>): unknown;
}

/**
 * Runs the queries of a batch of Drizzle as one unit.
 *
 * @returns What each of them answers.
 * @throws {TypeError} If one of them is no query.
 * @throws {DatabaseError} Of the first query that failed; nothing was kept.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { cellsOf, runBatch } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * const query = { getQuery: () => ({ sql: "SELECT ?", params: [1] }) };
 * const logger = { logQuery: (sql: string) => console.log(sql) }; // SELECT ?
 * const answers = await runBatch<typeof query>(
 *   { executor: db, logger, cache: undefined, changed: undefined },
 *   [{ _prepare: () => query }], // what db.select() answers
 *   { fill: (params) => params, changes: () => [], answer: (_, result) => cellsOf(result) },
 * );
 * console.log(answers); // [ [ [ 1 ] ] ]
 * await db.close();
 * ```
 */
export async function runBatch<Q extends { getQuery(): { sql: string; params: unknown[] } }>(
  { executor, logger, cache, changed }: BatchContext,
  items: readonly unknown[],
  { fill, changes, answer }: BatchReader<Q>,
): Promise<unknown[]> {
  const queries = prepareItems<Q>(items);
  const statements = queries.map((query): Statement => {
    const { sql, params } = query.getQuery();
    const filled = fill(params);
    logger.logQuery(sql, filled);
    return { sql, params: filled as Params };
  });
  const results = await executor.batch(statements, CELLS);
  const tables = queries.flatMap(changes);
  for (const table of tables) changed?.add(table);
  if (changed === undefined && tables.length > 0) await cache?.onMutate({ tables });
  const answers: unknown[] = [];
  for (const [i, query] of queries.entries()) {
    const result = results[i];
    if (result !== undefined) answers.push(answer(query, result));
  }
  return answers;
}
