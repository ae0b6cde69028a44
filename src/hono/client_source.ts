import type { Client } from "../database/client.ts";
import { connect } from "../database/connect.ts";
import type { HonoContext } from "./context.ts";

/**
 * A client for all requests, or a function that tells the one for a request: a client that it keeps itself, or a URL, for
 * which a client is made once and kept.
 */
export type ClientSource<C extends HonoContext = HonoContext> =
  | Client
  | ((c: C) => Client | string);

/** The clients that were made for URLs. They hold settings and what was learned, no connection and no stream. */
const clients = new Map<string, Client>();

/**
 * Checks what does not change from request to request, and returns what tells the client of a request.
 *
 * @throws {TypeError} If it is neither a client nor a function; the returned function throws it for what it was given.
 */
export function clientsOf<C extends HonoContext>(source: ClientSource<C>): (c: C) => Client {
  if (typeof source === "function") {
    return (c) => {
      const chosen = source(c);
      return typeof chosen === "string" ? clientAt(chosen) : checked(chosen);
    };
  }
  const client = checked(source);
  return () => client;
}

function clientAt(url: string): Client {
  const known = clients.get(url);
  if (known !== undefined && !known.closed) return known;
  const client = connect(url);
  clients.set(url, client);
  return client;
}

function checked(client: Client): Client {
  const methods = client as Partial<Client> | null | undefined;
  if (typeof methods?.query === "function" && typeof methods.begin === "function") return client;
  const given = (client as unknown) instanceof Promise ? "a promise" : String(client);
  throw new TypeError(
    `Cannot use \`client\` as it must be made by connect(), or a function that gives one: current value is ${given}`,
  );
}
