import { connectBy } from "../client/connect.ts";
import {
  CONNECT,
  type ConnectOptions,
  readTarget,
  resolveOptions,
} from "../client/connect_options.ts";
import { checkLock } from "../locks/acquire_options.ts";
import type { Lock } from "../locks/lock.ts";
import { type Checks, isBoolean, readOptions, refusing } from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { TransactionOptions } from "../transaction/transaction.ts";
import type { Connection } from "./connection.ts";
import { DefaultConnection } from "./default_connection.ts";

/** What {@linkcode connect} takes beside the options of a client. */
export interface ConnectionOptions extends ConnectOptions {
  /** Taken before the first statement of each transaction, freed on every path; when it is lost, the transaction ends. */
  lock?: Lock | undefined;
  /** Sends each statement by itself, unless BEGIN opens a transaction. @default {false} */
  autocommit?: boolean | undefined;
}

const OF_CONNECT = refusing("in `transaction` of a connection: give it to connect() itself");
const SETTLED = refusing(
  "in `transaction` of a connection: leave it out, as a connection settles it",
);

const TX: Checks<TransactionOptions> = {
  ...TRANSACTION,
  signal: OF_CONNECT,
  rows: SETTLED,
  timeoutPer: SETTLED,
  turns: SETTLED,
  driver: SETTLED,
  retries: refusing("in `transaction` of a connection: use run(connection, fn)"),
};

const CONNECTION: Checks<ConnectionOptions> = {
  ...CONNECT,
  rows: refusing("for a connection, whose rows are arrays: leave it out"),
  transaction: (value) => void readOptions(value as TransactionOptions, TX, "`transaction`"),
  lock: checkLock,
  autocommit: isBoolean,
};

/**
 * Makes a connection to a cluster; no request is sent.
 *
 * @param url One URL, several nodes of one cluster, or options. A URL may carry the user, the password and options:
 * `http://user:pw@host:4001?level=weak&timeout=5000`.
 * @param options Win over what the URL says.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite/dbapi";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const connection = connect(embedded()); // or connect("http://localhost:4001")
 * const cursor = connection.cursor();
 * await cursor.execute("CREATE TABLE products(id INTEGER PRIMARY KEY, name TEXT, price REAL)");
 * await cursor.execute("INSERT INTO products(name, price) VALUES(?, ?)", ["Widget", 9.99]);
 * await connection.commit();
 * await cursor.execute("SELECT name, price FROM products WHERE id = :id", { id: 1 });
 * console.log(await cursor.fetchOne()); // [ "Widget", 9.99 ]
 * await connection.close();
 * ```
 *
 * @throws {TypeError} If a URL or an option has the wrong form or an unknown name.
 * @throws {RangeError} If a number is out of range, such as a negative timeout.
 */
export function connect(
  url?: string | URL | readonly (string | URL)[] | ConnectionOptions,
  options?: ConnectionOptions,
): Connection {
  const { lock, autocommit = false, ...given } = readTarget(url, options, CONNECTION);
  return new DefaultConnection({
    client: connectBy(given),
    lock: lock ?? given.transaction?.lock,
    signal: given.signal,
    timeout: resolveOptions(given).settings.timeout,
    autocommit,
  });
}
