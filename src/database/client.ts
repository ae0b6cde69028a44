import type { BaseClient } from "../client/client.ts";
import type { CallOptions } from "../client/executor.ts";

/**
 * A client of one rqlite cluster, made by `connect`. It holds no connection and no state of its callers: share one, also
 * at module scope of a Worker.
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
export interface Client extends BaseClient {
  /**
   * What became of a commit, or of an `execute` with an id, asked later. It fences the id off: "not committed" stays
   * true, and the write can no longer be applied. "unknown" means that the cluster cannot tell any more, because more
   * than 100,000 commits have passed, the table of commits was dropped or a backup was restored.
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
}
