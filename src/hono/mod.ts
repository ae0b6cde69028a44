/**
 * A middleware for Hono: the database at `c.var.db`, for one request at a time.
 *
 * It imports nothing of Hono, and works with every copy of it from 4.0 on, whatever it was installed from.
 *
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { onRqliteError, rqlite, type RqliteVariables } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * const app = new Hono<{ Variables: RqliteVariables }>();
 * app.onError(onRqliteError);
 * app.use(rqlite(db, { transaction: true }));
 * app.get("/", async (c) => c.json((await c.var.db.query("SELECT 1 AS one")).rows));
 * console.log(await (await app.request("/")).json()); // [ { one: 1 } ]
 * await db.close();
 * ```
 *
 * @module
 */

export { rqlite } from "./middleware.ts";
export type { RqliteMiddleware, RqliteVariables } from "./middleware.ts";
export type { ClientSource } from "./client_source.ts";
export type { RqliteMiddlewareOptions } from "./options.ts";
export type { SessionCookieOptions } from "./session_cookie.ts";
export type { RequestDatabase } from "./request_database.ts";
export { onRqliteError, RequestConflictError } from "./errors.ts";
export type { HonoContext } from "./context.ts";
