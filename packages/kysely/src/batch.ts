import {
  type Compilable,
  type CompiledQuery,
  DeleteResult,
  type InferResult,
  InsertResult,
  type Kysely,
  type RootOperationNode,
  UpdateResult,
} from "kysely";
import type { CallOptions, Executor, Params, Statement } from "@tangled/rqlite";
import { CALL, hasMethods, readOptions } from "@tangled/rqlite/driver";
import { withConnection } from "./connection.ts";
import { queryResult } from "./results.ts";

/** A query of Kysely, compiled or not. */
export type BatchQuery = Compilable<unknown> | CompiledQuery<unknown>;

/** What the queries of a batch answer: each what its own `execute()` would. */
export type BatchResults<Queries extends readonly BatchQuery[]> = {
  -readonly [I in keyof Queries]: InferResult<Queries[I]>;
};

/**
 * Runs queries as one unit, all or none of them, in as few requests as possible. Plugins see the queries, not the
 * results.
 *
 * @param on A Kysely of this dialect or a transaction of it; or the client or one of its transactions.
 * @returns For each query what its `execute()` would answer.
 * @throws {TypeError} If it is none of these, or one of the queries is no query.
 * @throws {DatabaseError} Of the first query that failed, with `statementIndex`; nothing was kept.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { batch, RqliteDialect } from "@tangled/rqlite-kysely";
 * import { Kysely } from "kysely";
 *
 * const client = connect(embedded());
 * await client.execute("CREATE TABLE stock(name TEXT, n INTEGER)");
 * const db = new Kysely<{ stock: { name: string; n: number } }>({
 *   dialect: new RqliteDialect({ client }),
 * });
 * const [inserted, rows] = await batch(db, [
 *   db.insertInto("stock").values({ name: "tea", n: 3 }),
 *   db.selectFrom("stock").select("n").compile(),
 * ]);
 * console.log(inserted[0]?.insertId, rows[0]?.n); // 1n 3
 * await client.close();
 * ```
 */
export async function batch<const Queries extends readonly BatchQuery[]>(
  // deno-lint-ignore no-explicit-any -- Kysely's own signature.
  on: Kysely<any> | Executor,
  queries: Queries,
  options?: CallOptions,
): Promise<BatchResults<Queries>> {
  const call = readOptions(options, CALL);
  if (!Array.isArray(queries)) {
    throw new TypeError("Cannot use `queries` as it must be an array: batch(db, [query, …])");
  }
  const compiled = queries.map(compiledOf);
  const statements = compiled.map(({ sql, parameters }): Statement => ({
    sql,
    params: parameters as Params,
  }));
  const send = (executor: Executor) => executor.batch(statements, { ...call, rows: "object" });
  const results = isExecutor(on)
    ? await send(on)
    : await withConnection(on, (connection) => connection.run(send));
  const answers = results.map((result, i) => {
    const { rows, insertId, numAffectedRows = 0n } = queryResult(result);
    return countsOf(compiled[i]?.query, insertId, numAffectedRows) ?? rows;
  });
  // Each has the type that Kysely inferred for its query.
  return answers as BatchResults<Queries>;
}

// deno-lint-ignore no-explicit-any -- Kysely's own signature.
function isExecutor(on: Kysely<any> | Executor): on is Executor {
  return hasMethods(on, "batch");
}

function compiledOf(query: BatchQuery, index: number): CompiledQuery<unknown> {
  if (typeof query === "object" && query !== null) {
    if ("compile" in query && typeof query.compile === "function") return query.compile();
    if ("sql" in query && "parameters" in query && "query" in query) return query;
  }
  throw new TypeError(
    `Cannot use query ${index} of the batch as it must be a query of Kysely or what its compile() answers`,
  );
}

/** The one element that Kysely's builders answer for a write without RETURNING. */
function countsOf(
  query: RootOperationNode | undefined,
  insertId: bigint | undefined,
  rows: bigint,
): [InsertResult | UpdateResult | DeleteResult] | undefined {
  switch (query?.kind) {
    case "InsertQueryNode":
      return query.returning ? undefined : [new InsertResult(insertId, rows)];
    case "UpdateQueryNode":
      return query.returning ? undefined : [new UpdateResult(rows, undefined)];
    case "DeleteQueryNode":
      return query.returning ? undefined : [new DeleteResult(rows)];
  }
  return undefined;
}
