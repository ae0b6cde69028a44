import assert from "node:assert/strict";
import { type Client, connect } from "../../mod.ts";
import { freePort } from "../support/ports.ts";
import { startRqlited } from "../support/rqlited.ts";
import { type PackageName, type Project, type Tools, withProject } from "./project.ts";

/** A server, a client of it, and a project that has a driver for Drizzle and drizzle-kit. */
export interface DrizzleWorld {
  readonly client: Client;
  readonly url: string;
  readonly project: Project;
  /** Runs a file, or a command of a package, which has to succeed. */
  run(file: string, ...args: string[]): Promise<string>;
  /** Writes a backup of the server as `backup.sqlite`. */
  writeBackup(): Promise<void>;
}

/** Runs `body` in a project with those packages and files. */
export async function withDrizzle(
  tools: Tools,
  driver: PackageName,
  files: Readonly<Record<string, string>>,
  body: (world: DrizzleWorld) => Promise<void>,
): Promise<void> {
  const server = await startRqlited();
  const { url } = server;
  const client = connect(url);
  try {
    await withProject(tools, ["@tangled/rqlite", driver], (project) => {
      project.write(files);
      return body({
        client,
        url,
        project,
        async run(file, ...args) {
          const { code, output } = await project.run(file, args, { RQLITE_URL: url });
          assert.equal(code, 0, output);
          return output;
        },
        async writeBackup() {
          const response = await fetch(`${url}/db/backup`);
          assert.equal(response.status, 200);
          project.write({ "backup.sqlite": new Uint8Array(await response.arrayBuffer()) });
        },
      });
    });
  } finally {
    await client.close();
    await server.stop();
  }
}

/** A table, and then what drizzle-kit can only make of it by making it anew. */
export const SCHEMA = `
  import { integer, sqliteTable, text } from "drizzle-orm/sqlite-core";
  export const notes = sqliteTable("notes", { id: integer().primaryKey(), text: text().notNull() });
`;

export const CHANGED_SCHEMA: string = SCHEMA
  .replace("primaryKey()", "primaryKey({ autoIncrement: true })")
  .replace("notNull()", "notNull().unique()");

/** Tables that others have made. */
export const TABLES = `
  CREATE TABLE users(id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, name TEXT NOT NULL, photo BLOB);
  CREATE UNIQUE INDEX users_name ON users(name);
  CREATE TABLE posts(
    id INTEGER PRIMARY KEY NOT NULL,
    author INTEGER NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    title TEXT NOT NULL
  );
  CREATE INDEX by_author ON posts(author);
  INSERT INTO users(name, photo) VALUES('Ada', x'00ff');
  INSERT INTO posts(author, title) VALUES(1, 'Notes');`;

/** The tables that a schema declares, in alphabetical order. */
export function tablesOf(schema: string): string[] {
  return [...schema.matchAll(/sqliteTable\("(\w+)"/g)].map(([, name]) => name!).sort();
}

/** The schema with one column more in `posts`. */
export function withLikes(schema: string): string {
  return schema.replace("title: text()", "likes: integer(),\n\ttitle: text()");
}

/** Starts the Studio, by the `studio.ts` of the README, and asks it what its page would. */
export async function checkStudio({ client, project, url }: DrizzleWorld): Promise<void> {
  project.write({ "schema.ts": SCHEMA });
  await client.execute("CREATE TABLE notes(id INTEGER PRIMARY KEY, text TEXT NOT NULL)");
  await client.execute("INSERT INTO notes VALUES(9007199254740993, 'far')");
  const port = await freePort();
  const ask = async (question: object): Promise<unknown> => {
    const response = await fetch(`http://127.0.0.1:${port}/`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(question),
    });
    // One version writes it as a number, the other as a text.
    return JSON.parse(
      (await response.text()).replace(/"?9007199254740993"?/g, '"9007199254740993"'),
    );
  };
  const environment = { RQLITE_URL: url, PORT: `${port}` };
  await project.during("studio.ts", environment, `${port}`, async () => {
    const { dialect } = await ask({ type: "init" }) as { dialect: string };
    assert.equal(dialect, "sqlite");
    const sql = "SELECT id, text FROM notes WHERE text = ?";
    const data = { sql, params: ["far"], method: "all" };
    assert.deepEqual(await ask({ type: "proxy", data }), [
      { id: "9007199254740993", text: "far" },
    ]);
    assert.deepEqual(await ask({ type: "proxy", data: { ...data, mode: "array" } }), [
      ["9007199254740993", "far"],
    ]);
    const insert = { sql: "INSERT INTO notes(id, text) VALUES(1, 'near')" };
    await ask({ type: "tproxy", data: [insert, { sql: "SELECT count(*) AS n FROM notes" }] });
    assert.equal(await client.value("SELECT count(*) FROM notes"), 2);
    const failing = { sql: "INSERT INTO nowhere VALUES(1)" };
    const next = { sql: "INSERT INTO notes(id, text) VALUES(2, 'lost')" };
    const answer = JSON.stringify(await ask({ type: "tproxy", data: [next, failing] }));
    assert.match(answer, /no such table: nowhere/);
    assert.equal(await client.value("SELECT count(*) FROM notes"), 2);
  });
}
