import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { type Client, connect } from "../../mod.ts";
import { PrismaRqlite } from "../../packages/prisma/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { FaultyNetwork } from "../support/faulty_network.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { PrismaClient } from "./generated/client.ts";

/** The schema of the tests, as `prisma generate` reads it. */
export const SCHEMA: string = read("./generator/schema.prisma");
/** What `prisma migrate diff --from-empty --script` makes of it. */
export const SQL: string = read("./schema.sql");

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), "utf8");
}

/** A database with the tables of the schema, empty, and ways to it. */
export interface PrismaWorld {
  readonly prisma: PrismaClient;
  /** The client behind it. */
  readonly client: Client;
  /** What travels from it. */
  readonly network: FaultyNetwork;
  /** Another client of the same database, which meets no faults. */
  readonly other: Client;
  /** Where the database is, for a client of the test's own. */
  readonly target: { readonly url: string; readonly fetch: typeof fetch };
}

/** Prisma over a client, with more patience than it has by itself, as tests of a busy machine wait for turns. */
export function prismaOf(client: Client): PrismaClient {
  const transactionOptions = { maxWait: 30_000, timeout: 30_000 };
  return new PrismaClient({ adapter: new PrismaRqlite({ client }), transactionOptions });
}

interface Server {
  readonly url: string;
  readonly node: typeof fetch;
  close(): Promise<void>;
}

interface Place {
  readonly name: string;
  readonly skip: string | false;
  open(): Promise<Server>;
}

/** Both check foreign keys. */
const PLACES: readonly Place[] = [
  {
    name: "the embedded engine",
    skip: false,
    open() {
      const engine = embedded(":memory:", { foreignKeys: true });
      const close = () => Promise.resolve(engine.close());
      return Promise.resolve({ url: "http://embedded:4001", node: engine.fetch, close });
    },
  },
  {
    name: "rqlited",
    skip: skipWithoutRqlited(),
    async open() {
      const server = await startRqlited({ args: ["-fk"] });
      return { url: server.url, node: fetch, close: () => server.stop() };
    },
  },
];

type Test = (name: string, body: (world: PrismaWorld) => Promise<void>) => void;

/** Tests over one database for all of them, emptied before each; in each place. */
export function suites(name: string, tests: (test: Test) => void): void {
  for (const place of PLACES) {
    describe(`${name} on ${place.name}`, { skip: place.skip }, () => {
      let server: Server;
      before(async () => {
        server = await place.open();
        const client = connect(server.url, { fetch: server.node });
        await client.script(SQL);
        await client.close();
      });
      after(() => server?.close());
      tests((name, body) => it(name, () => inWorld(server, body)));
    });
  }
}

async function inWorld(
  { url, node }: Server,
  body: (world: PrismaWorld) => Promise<void>,
): Promise<void> {
  const network = new FaultyNetwork(node);
  const other = connect(url, { fetch: node });
  const client = connect(url, { fetch: network.fetch as typeof fetch, retries: 0 });
  const prisma = prismaOf(client);
  try {
    await other.script(EMPTY);
    await body({ prisma, client, network, other, target: { url, fetch: node } });
  } finally {
    await prisma.$disconnect();
    await client.close();
    await other.close();
  }
}

const TABLES = ["_PostToTag", "Post", "Profile", "Tag", "User", "Account", "Every", "Timed"];
const EMPTY = TABLES.map((table) => `DELETE FROM "${table}";`).join("\n");
