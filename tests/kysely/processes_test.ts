// Migrators in many processes, one of which dies.
import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { Kysely } from "kysely";
import { connect } from "../../mod.ts";
import { RqliteDialect } from "../../packages/kysely/mod.ts";
import { OWN_ENGINE } from "../support/engines.ts";
import { until } from "../support/http.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { migrate } from "./migrator.ts";

const CHILD = fileURLToPath(new URL("./child.ts", import.meta.url));
const PROCESSES = 8;

function startChild(url: string, ...args: string[]): ChildProcess {
  const { command, args: run } = OWN_ENGINE;
  return spawn(command, [...run, CHILD, url, ...args], { stdio: ["ignore", "ignore", "inherit"] });
}

function exitOf(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", resolve);
  });
}

describe("migrators in many processes", { skip: skipWithoutRqlited() }, () => {
  it(`${PROCESSES} × migrateToLatest() runs each migration once`, async () => {
    const server = await startRqlited();
    try {
      const children = Array.from({ length: PROCESSES }, () => exitOf(startChild(server.url)));
      assert.deepEqual(await Promise.all(children), children.map(() => 0));
      const client = connect(server.url);
      const { rows } = await client.query("SELECT name FROM runs ORDER BY rowid");
      assert.deepEqual(rows, [{ name: "a" }, { name: "b" }, { name: "c" }]);
    } finally {
      await server.stop();
    }
  });

  it("a migrator that is killed is followed by another, which finds nothing of it", async () => {
    const server = await startRqlited();
    try {
      const client = connect(server.url);
      const dead = startChild(server.url, "hang");
      const gone = exitOf(dead);
      await until("start of the migration", async () => {
        const { rows } = await client.query("SELECT 1 FROM sqlite_schema WHERE name = 'begun'");
        return rows.length > 0 ? true : undefined;
      });
      dead.kill("SIGKILL");
      await gone;
      const dialect = new RqliteDialect({ client, transactionalMigrations: true });
      const { error, results } = await migrate(new Kysely<unknown>({ dialect }), {
        a: { up: (db) => db.schema.createTable("runs").addColumn("name", "text").execute() },
      });
      assert.equal(error, undefined);
      assert.deepEqual(results?.map(({ status }) => status), ["Success"]);
    } finally {
      await server.stop();
    }
  });
});
