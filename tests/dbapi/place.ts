import { after, before, describe } from "node:test";
import { type Client, connect as connectClient } from "../../mod.ts";
import { connect, type Connection, type ConnectionOptions } from "../../src/dbapi/mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

/** A database, connections to it, and what they send. */
export class Place {
  readonly client: Client;
  readonly #url: string;
  readonly #fetch: typeof fetch;
  #tables = 0;
  /** Paths of the requests since they were forgotten. */
  readonly sent: string[] = [];
  /** What their query strings said of `level`. */
  readonly levels: (string | null)[] = [];
  /** Their bodies. */
  readonly bodies: string[] = [];

  constructor(url: string, node: typeof fetch) {
    this.#url = url;
    this.#fetch = node;
    this.client = connectClient(url, { fetch: node });
  }

  /** A connection whose requests are recorded. */
  connect(options: ConnectionOptions = {}): Connection {
    const record = async (input: string | URL | Request, init?: RequestInit): Promise<Response> => {
      const { pathname, searchParams } = new URL(input instanceof Request ? input.url : input);
      const body = init?.body ? await new Response(init.body).text() : "";
      this.sent.push(pathname);
      this.bodies.push(body);
      this.levels.push(searchParams.get("level"));
      return await this.#fetch(input, init);
    };
    return connect(this.#url, { fetch: record as typeof fetch, ...options });
  }

  /** Makes a table of the test's own with these columns, and returns its name. */
  async table(columns: string): Promise<string> {
    const name = `dbapi_${++this.#tables}`;
    await this.client.execute(`CREATE TABLE ${name}(${columns})`);
    return name;
  }

  /** What another client sees: the rows, as arrays. */
  async rows(sql: string): Promise<unknown[][]> {
    const { rows } = await this.client.query<unknown[]>(sql, [], { rows: "array" });
    return rows;
  }

  /** Forgets what was sent. */
  forget(): void {
    this.sent.length = 0;
    this.bodies.length = 0;
    this.levels.length = 0;
  }
}

/** Runs tests over every implementation of the server's protocol. */
export function everywhere(topic: string, tests: (place: () => Place) => void): void {
  describe(`${topic}, over the embedded engine`, () => {
    const engine = embedded(":memory:", { foreignKeys: true });
    const place = new Place("http://embedded:4001", engine.fetch);
    after(() => engine.close());
    tests(() => place);
  });
  describe(`${topic}, over rqlited`, { skip: skipWithoutRqlited() }, () => {
    let place: Place | undefined;
    let stop: (() => Promise<void>) | undefined;
    before(async () => {
      const server = await startRqlited({ args: ["-fk"] });
      stop = () => server.stop();
      place = new Place(server.url, fetch);
    });
    after(() => stop?.());
    tests(() => place!);
  });
}
