import { type Generated, Kysely, type KyselyConfig } from "kysely";
import { type Client, connect, type ConnectOptions } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { startRqlited } from "../support/rqlited.ts";

/** A database, and as many clients of it as a test wants. */
export interface Target {
  readonly client: Client;
  connect(options?: ConnectOptions): Client;
  close(): Promise<void>;
}

/** Tests that run over any target; it is there when a test runs. */
export type Topic = (target: () => Target) => void;

/** A database in this process, which enforces foreign keys. */
export function openEmbedded(): Promise<Target> {
  const engine = embedded(":memory:", { foreignKeys: true });
  const open = (options?: ConnectOptions): Client =>
    connect("http://embedded:4001", { fetch: engine.fetch, ...options });
  return Promise.resolve({
    client: open(),
    connect: open,
    close: () => Promise.resolve(engine.close()),
  });
}

/** A server, which enforces foreign keys. */
export async function openRqlited(): Promise<Target> {
  const server = await startRqlited({ args: ["-fk"] });
  const open = (options?: ConnectOptions): Client => connect(server.url, options);
  return { client: open(), connect: open, close: () => server.stop() };
}

/** The tables that every test finds as {@linkcode fill} left them. */
export interface Database {
  users: { id: Generated<number>; name: string; age: number | null; active: Generated<number> };
  posts: { id: Generated<number>; author: number; title: string };
  tags: { id: Generated<number>; name: string };
  post_tags: { post: number; tag: number };
  things: {
    id: Generated<number>;
    whole: number | bigint | null;
    real: number | null;
    text: string | null;
    bytes: Uint8Array | null;
    flag: number | boolean | null;
    day: string | Date | null;
    json: string | null;
  };
}

const SCHEMA = [
  ...["post_tags", "tags", "posts", "users", "things"].map((name) =>
    `DROP TABLE IF EXISTS ${name}`
  ),
  `CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE,
    age INTEGER CHECK (age >= 0), active BOOLEAN NOT NULL DEFAULT 1)`,
  `CREATE TABLE posts(id INTEGER PRIMARY KEY, title TEXT NOT NULL,
    author INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE)`,
  "CREATE TABLE tags(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE)",
  `CREATE TABLE post_tags(post INTEGER NOT NULL REFERENCES posts(id) ON DELETE CASCADE,
    tag INTEGER NOT NULL REFERENCES tags(id), PRIMARY KEY (post, tag)) WITHOUT ROWID`,
  `CREATE TABLE things(id INTEGER PRIMARY KEY, whole INTEGER, real REAL, text TEXT, bytes BLOB,
    flag BOOLEAN, day DATETIME, json TEXT)`,
  "INSERT INTO users(name, age) VALUES('Ada', 36), ('Bob', 20), ('Cleo', NULL)",
  "INSERT INTO posts(author, title) VALUES(1, 'One'), (1, 'Two'), (2, 'Three')",
  "INSERT INTO tags(name) VALUES('new'), ('old')",
  "INSERT INTO post_tags VALUES(1, 1), (1, 2), (3, 2)",
];

/** Makes the tables anew, and a Kysely on them. */
export async function fill(
  { client }: Target,
  config: Omit<KyselyConfig, "dialect"> = {},
): Promise<Kysely<Database>> {
  await client.batch(SCHEMA);
  return new Kysely<Database>({ dialect: new RqliteDialect({ client }), ...config });
}

/** The names of the users, in order. */
export async function names(db: Kysely<Database>): Promise<string[]> {
  const rows = await db.selectFrom("users").select("name").orderBy("name").execute();
  return rows.map(({ name }) => name);
}
