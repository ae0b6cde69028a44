import type { Executor } from "../calls/executor.ts";
import { isTarget } from "../client/connect_url.ts";
import type { Client } from "../client/client.ts";
import { connect } from "../client/connect.ts";
import type { ConnectOptions } from "../client/connect_options.ts";
import { ProgrammingError } from "../errors.ts";
import { type Checks, readOptions } from "../options.ts";
import type { Transaction } from "../transaction/transaction.ts";

/**
 * What a driver runs on: a client, or whatever executes SQL and has transactions like one.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import type { RqliteClient } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const answer = (client: RqliteClient) => client.value("SELECT 42");
 * const db = connect(embedded());
 * console.log(await answer(db), await db.transaction((tx) => answer(tx))); // 42 42
 * await db.close();
 * ```
 */
export type RqliteClient = Executor & Pick<Client, "transaction">;

/** The URL of a node, or those of several. */
export type Urls = string | URL | readonly (string | URL)[];

/** The config of a driver with what it runs on in it. */
export type AllInOne<C> = C & {
  /** What the driver runs on. */
  client?: RqliteClient;
  /** In its place, what a client is made of. */
  connection?: Urls | ConnectOptions;
};

/** What a database of an ORM is made of. */
export interface Opened<C> {
  /** What it runs on. */
  readonly client: RqliteClient;
  /** The rest of what was given. */
  readonly config: C;
}

/**
 * Reads the arguments of `drizzle()` and the like: a URL or a client with a config behind it, or a config with `client` or
 * `connection` in it. The config is read before a client is made.
 *
 * @param checks One for each option of the config.
 * @throws {TypeError} If there is no client, or an option is unknown or has the wrong form.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { isBoolean, openTarget } from "@tangled/rqlite/driver";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const checks = { verbose: isBoolean };
 * const { client, config } = openTarget(connect(embedded()), { verbose: true }, checks);
 * console.log(await client.value("SELECT 1"), config); // 1 { verbose: true }
 * ```
 */
export function openTarget<C extends object>(
  first: Urls | RqliteClient | AllInOne<C>,
  second: C | undefined,
  checks: Checks<C>,
): Opened<C> {
  if (isTarget(first) || isClient(first)) {
    const config = readOptions<C>(second, checks);
    return { client: isClient(first) ? first : connect(first), config };
  }
  if (typeof first !== "object" || first === null) throw noClient(first);
  if (second !== undefined) {
    throw new TypeError("Cannot use a second argument behind an object: put its options into that");
  }
  // Both are checked where they are used.
  const all = { client() {}, connection() {}, ...checks } as Checks<AllInOne<C>>;
  const { client, connection, ...config } = readOptions<AllInOne<C>>(first, all);
  if (client !== undefined && connection !== undefined) {
    throw new TypeError("Cannot use `connection` beside `client`: give one of them");
  }
  const made = connection === undefined ? client : connect(connection);
  if (!isClient(made)) throw noClient(made);
  return { client: made, config: config as unknown as C };
}

/**
 * Whether a value has these methods; not by its class, as it may be one of another copy of a package.
 *
 * @example
 * ```ts
 * import { hasMethods } from "@tangled/rqlite/driver";
 *
 * console.log(hasMethods(new Map(), "get", "set"), hasMethods(undefined, "get")); // true false
 * ```
 */
export function hasMethods(value: unknown, ...methods: readonly string[]): boolean {
  const object = (value ?? {}) as Record<string, unknown>;
  return methods.every((method) => typeof object[method] === "function");
}

/**
 * Refuses a cache of a database that runs on a transaction: what that reads may be undone, and nobody tells when it ends.
 *
 * @throws {TypeError} If there is one.
 */
export function checkCache(cache: unknown, client: RqliteClient): void {
  if (cache === undefined || !isTransaction(client)) return;
  throw new TypeError(
    "Cannot use `cache` over a transaction, which may be undone: give it to the database of the client",
  );
}

/**
 * Refuses to migrate what is no database of a driver: one of another driver would fail later, by an error that does not
 * say why.
 *
 * @param part What the `_` of its databases has, and that of others has not.
 * @param maker What answers such databases, for the error.
 * @throws {TypeError} If it is none.
 */
export function checkDatabase(db: unknown, part: string, maker: string): void {
  const { _, $client } = Object(db) as { _?: unknown; $client?: unknown };
  if (hasMethods($client, "transaction") && part in Object(_)) return;
  throw new TypeError(`Cannot migrate as \`db\` must be what ${maker} answers`);
}

/** Whether a client is itself a transaction: those that are begun on it are nested ones. */
export function isTransaction(client: RqliteClient): client is Transaction {
  return "savepoint" in client;
}

function isClient(value: unknown): value is RqliteClient {
  return hasMethods(value, "query", "execute", "batch", "transaction");
}

function noClient(given: unknown): TypeError {
  const what = given === undefined || given === null
    ? `: it is ${given}, which a variable of the environment may be that is not set`
    : "";
  return new TypeError(
    `Cannot use \`client\` as it must be a URL or what \`connect\` answers${what}`,
  );
}

/** What stands at `$client` of `drizzle.mock()`: whatever it is asked is a `ProgrammingError`. */
export type MockClient = RqliteClient;

/**
 * A client of nothing, for a database that makes SQL and sends none.
 *
 * @param maker What answers databases with it, for its error.
 *
 * @example
 * ```ts
 * import { mockClient } from "@tangled/rqlite/driver";
 *
 * const client = mockClient("drizzle.mock()");
 * await client.query("SELECT 1").catch((error) => console.log(error.name)); // ProgrammingError
 * ```
 */
export function mockClient(maker: string): MockClient {
  const refuse = (): Promise<never> =>
    Promise.reject(
      new ProgrammingError(
        `Cannot run anything on ${maker}, which has no client: use drizzle(url)`,
      ),
    );
  return {
    query: refuse,
    execute: refuse,
    batch: refuse,
    first: refuse,
    value: refuse,
    transaction: refuse,
  };
}
