import { Host } from "../calls/host.ts";
import { readOptions } from "../options.ts";
import { TRANSACTION } from "../transaction/options.ts";
import type { Client } from "./client.ts";
import { CONNECT, type ConnectOptions, readTarget, resolveOptions } from "./connect_options.ts";
import { DefaultClient } from "./default_client.ts";

/**
 * Makes a client of a cluster; no request is sent.
 *
 * @param url One URL, several nodes of one cluster, or options. A URL may carry the user, the password and options:
 * `http://user:pw@host:4001?level=weak&timeout=5000`.
 * @param options Win over what the URL says; see {@linkcode ConnectOptions} for the defaults.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 *
 * const db = connect(["http://node1:4001", "http://node2:4001"], { level: "weak", timeout: 5_000 });
 * await db.close();
 * ```
 *
 * @throws {TypeError} If a URL or an option has the wrong form or an unknown name.
 * @throws {RangeError} If a number is out of range, such as a negative timeout.
 */
export function connect(
  url?: string | URL | readonly (string | URL)[] | ConnectOptions,
  options?: ConnectOptions,
): Client {
  return connectBy(readTarget(url, options, CONNECT));
}

/** The same by what `readTarget` answers. */
export function connectBy(given: ConnectOptions): Client {
  const host = new Host(resolveOptions(given));
  return new DefaultClient(host, readOptions(given.transaction, TRANSACTION));
}
