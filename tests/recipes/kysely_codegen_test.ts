// kysely-codegen, by what packages/kysely/README.md shows.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect } from "../../mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { filesOf, pick, skipWithout, withProject } from "./project.ts";

const README = filesOf("packages/kysely/README.md");

const skip = skipWithout("tools") || skipWithoutRqlited();

const SCHEMA = `
  CREATE TABLE users(
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    name VARCHAR(20) NOT NULL,
    age INT,
    score DOUBLE PRECISION,
    balance DECIMAL(10, 2) NOT NULL DEFAULT 0,
    photo BLOB,
    active BOOLEAN NOT NULL DEFAULT 1,
    born DATE,
    at DATETIME DEFAULT CURRENT_TIMESTAMP,
    "two words" TEXT
  );
  CREATE TABLE kv(k TEXT PRIMARY KEY, v ANY) STRICT, WITHOUT ROWID;
  CREATE VIEW names AS SELECT id, name, length(name) AS letters FROM users;`;

const EXPECTED = `
export interface Kv {
  k: string;
  v: unknown | null;
}

export interface Names {
  id: number | null;
  letters: unknown | null;
  name: string | null;
}

export interface Users {
  active: Generated<number>;
  age: number | null;
  at: Generated<string | null>;
  balance: Generated<number>;
  born: string | null;
  id: Generated<number>;
  name: string;
  photo: Uint8Array | null;
  score: number | null;
  "two words": string | null;
}

export interface DB {
  kv: Kv;
  names: Names;
  users: Users;
}
`;

/** Prints what values of these columns are. */
const READ = `
  import { RqliteDialect } from "@tangled/rqlite-kysely";
  import { Kysely } from "kysely";
  import type { DB } from "./db.d.ts";
  const db = new Kysely<DB>({ dialect: new RqliteDialect({ url: process.env.RQLITE_URL! }) });
  await db.insertInto("users").values({
    name: "Ada", age: 36, score: 1.5, photo: new Uint8Array([0, 255]), born: "1815-12-10", "two words": "a b",
  }).execute();
  const row = await db.selectFrom("users").selectAll().executeTakeFirstOrThrow();
  for (const [name, value] of Object.entries(row)) {
    console.log(name + ": " + (value instanceof Uint8Array ? "Uint8Array" : typeof value));
  }
  await db.destroy();`;

describe("kysely-codegen with RqliteDialect", { skip }, () => {
  it("writes the types of a live database, which its values have", async () => {
    const server = await startRqlited();
    const client = connect(server.url);
    try {
      await client.script(SCHEMA);
      await withProject("tools", ["@tangled/rqlite", "@tangled/rqlite-kysely"], async (project) => {
        project.write({ ...pick(README, "generate_types.ts"), "read.ts": READ });
        const run = async (file: string): Promise<string> => {
          const { code, output } = await project.run(file, [], { RQLITE_URL: server.url });
          assert.equal(code, 0, output);
          return output;
        };
        await run("generate_types.ts");
        const types = project.read("db.d.ts");
        assert.equal(types.slice(types.indexOf("\nexport interface")), EXPECTED);

        const values = (await run("read.ts")).trim().split("\n").sort();
        const declared = /interface Users \{\n(.*?)\}/s.exec(types)![1]!.replaceAll('"', "");
        const expected = declared.trim().split("\n").map((line) =>
          line.trim().replace(/Generated<(.*)>/, "$1").replace(" | null", "").replace(";", "")
        );
        assert.deepEqual(values, expected.sort());
      });
    } finally {
      await client.close();
      await server.stop();
    }
  });
});
