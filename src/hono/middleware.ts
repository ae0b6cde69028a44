import type { Client, Session } from "../client/client.ts";
import { clientsOf, type ClientSource } from "./client_source.ts";
import type { HonoContext } from "./context.ts";
import { type ResolvedOptions, resolveOptions, type RqliteMiddlewareOptions } from "./options.ts";
import {
  clientOfVariable,
  DirectDatabase,
  type RequestDatabase,
  RequestScope,
  sessionOfVariable,
} from "./request_database.ts";
import { TransactionalDatabase } from "./request_transaction.ts";

/**
 * Types `c.var.db`: `new Hono<{ Variables: RqliteVariables }>()`. With another `key`, write
 * `{ Variables: { orders: RequestDatabase } }`.
 */
// Not an interface: Hono 4.0 wants an index signature, which only a type alias has.
export type RqliteVariables = {
  /** The request's own view of the database. */
  db: RequestDatabase;
};

/** A middleware as Hono takes it. */
export type RqliteMiddleware<C extends HonoContext> = (
  c: C,
  next: () => Promise<void>,
) => Promise<void>;

/**
 * Gives each request its own view of the database at `c.var.db`: a client like any, whose calls end when the request is
 * aborted, and within `timeout`. With `transaction` all of a request is one serializable transaction.
 *
 * A commit that fails replaces the answer: a conflict becomes a `RequestConflictError`, which answers 409; everything
 * goes to the app's `onError`.
 *
 * @param client A client that all requests share, or a function that tells the one for a request: a client that it keeps
 * itself, or a URL, for which a client is made once; those of the last 100 URLs are kept. In a Worker: `(c) => c.env.RQLITE_URL`.
 * @throws {TypeError|RangeError} If an option has the wrong form.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { onRqliteError, rqlite, type RqliteVariables } from "@tangled/rqlite/hono";
 * import { Hono } from "hono";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT UNIQUE)");
 *
 * const app = new Hono<{ Variables: RqliteVariables }>();
 * app.onError(onRqliteError);
 * app.use(rqlite(db, { timeout: 5_000, transaction: true }));
 * app.post("/notes", async (c) => {
 *   await c.var.db.execute("INSERT INTO notes(text) VALUES(?)", [await c.req.text()]);
 *   return c.text("kept", 201);
 * });
 *
 * const post = () => app.request("/notes", { method: "POST", body: "Buy milk" });
 * console.log((await post()).status, (await post()).status); // 201 409
 * await db.close();
 * ```
 */
export function rqlite<C extends HonoContext = HonoContext>(
  client: ClientSource<C>,
  options?: RqliteMiddlewareOptions<C>,
): RqliteMiddleware<C> {
  const clientOf = clientsOf(client);
  const resolved = resolveOptions(options);
  return async function rqlite(c, next) {
    const present = c.get(resolved.key);
    const shared = clientOfVariable(present);
    const own = await clientOf(c, shared);
    if (present !== undefined && shared !== own) throw taken(resolved.key);
    const scope = new RequestScope(c.req.raw, resolved.timeout, resolved.defaults);
    const known = sessionOfVariable(present);
    const made = known === undefined ? resolved.sessionOf?.(c, own) : undefined;
    try {
      await handle(c, next, { own, scope, session: known ?? made?.session }, resolved);
    } finally {
      // What was written counts also where the request failed.
      made?.keep();
    }
  };
}

/** What a request's calls are made by. */
interface Served {
  readonly own: Client;
  readonly scope: RequestScope;
  readonly session: Session | undefined;
}

async function handle<C extends HonoContext>(
  c: C,
  next: () => Promise<void>,
  { own, scope, session }: Served,
  resolved: ResolvedOptions<C>,
): Promise<void> {
  const transaction = resolved.transaction(c);
  if (transaction === undefined) {
    c.set(resolved.key, new DirectDatabase(own, scope, session));
    return await next();
  }
  const turns = SAFE.includes(c.req.method) ? {} : { driver: true };
  const options = { ...turns, ...transaction };
  const database = new TransactionalDatabase(own, scope, options, session);
  c.set(resolved.key, database);
  await inTransaction(database, c, next, resolved);
}

/** Methods that change nothing, by their definition: those requests need not wait for each other. */
const SAFE: readonly string[] = ["GET", "HEAD", "OPTIONS"];

/** Runs the handlers in a transaction; the answer goes out only once it is committed. */
async function inTransaction<C extends HonoContext>(
  database: TransactionalDatabase,
  c: C,
  next: () => Promise<void>,
  { commitWhen }: ResolvedOptions<C>,
): Promise<void> {
  try {
    await next();
  } catch (error) {
    await database.rollback();
    throw error;
  }
  try {
    await (commitWhen(c) ? database.commit() : database.rollback());
  } catch (error) {
    await database.rollback();
    withdraw(c);
    throw error;
  }
}

/** Takes the answer back, as if the handler had thrown: Hono would copy its headers to the answer of the error. */
function withdraw(c: HonoContext): void {
  const { body } = c.res;
  // Hono takes `undefined` for that.
  (c as { res: Response | undefined }).res = undefined;
  // Whoever streams it learns that nobody reads; one that is being read already cannot be told.
  body?.cancel().catch(() => {});
}

/** A variable that is there already is somebody else's, except the plain view of the same client. */
function taken(key: string): TypeError {
  return new TypeError(
    `Cannot use \`key\` ${
      JSON.stringify(key)
    } as another middleware has set this variable: give one of them another`,
  );
}
