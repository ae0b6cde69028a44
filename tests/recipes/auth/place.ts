import { after, before, describe } from "node:test";
import { type Client, connect, type ConnectOptions } from "@tangled/rqlite";
import { embedded } from "@tangled/rqlite/embedded";
import { skipWithoutRqlited, startRqlited } from "../../support/rqlited.ts";

/** A database that enforces foreign keys, and clients of it. */
export interface Place {
  readonly client: Client;
  /** Another client, as another process would have. */
  readonly other: Client;
  /** A client with options. */
  connect(options: ConnectOptions): Client;
  close(): Promise<void>;
}

function openEmbedded(): Promise<Place> {
  const engine = embedded(":memory:", { foreignKeys: true });
  const open = (options: ConnectOptions = {}): Client =>
    connect("http://embedded:4001", { fetch: engine.fetch, ...options });
  return Promise.resolve({
    client: open(),
    other: open(),
    connect: open,
    close: () => Promise.resolve(engine.close()),
  });
}

async function openRqlited(): Promise<Place> {
  const server = await startRqlited({ args: ["-fk"] });
  const [client, other] = [connect(server.url), connect(server.url)];
  return {
    client,
    other,
    connect: (options) => connect(server.url, options),
    close: async () => {
      await Promise.all([client.close(), other.close()]);
      await server.stop();
    },
  };
}

const KINDS = [
  { name: "the embedded engine", skip: false, open: openEmbedded },
  { name: "rqlited", skip: skipWithoutRqlited(), open: openRqlited },
] as const;

/** Registers tests for each kind of database; the place is there when a test runs. */
export function everywhere(
  title: string,
  prepare: (place: Place) => Promise<void>,
  tests: (place: () => Place) => void,
): void {
  describe(title, () => {
    for (const { name, skip, open } of KINDS) {
      describe(`on ${name}`, { skip }, () => {
        let place: Place;
        before(async () => {
          place = await open();
          await prepare(place);
        });
        after(() => place?.close());
        tests(() => place);
      });
    }
  });
}
