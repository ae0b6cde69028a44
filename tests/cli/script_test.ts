import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { startProxy } from "../support/proxy.ts";
import { Interruption } from "../../src/cli/mod.ts";
import { cli } from "./run_cli.ts";

const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

describe("script", () => {
  const url = ["--url", join(folder, "app.db"), "--create"];

  it("runs all statements of a file, or none", async () => {
    const file = join(folder, "schema.sql");
    writeFileSync(file, "BEGIN; CREATE TABLE t(a UNIQUE); INSERT INTO t VALUES(1), (2); COMMIT;");
    assert.equal((await cli(["script", file, ...url])).stdout, "✓ 2 statements, 2 rows changed\n");
    const stdin = "INSERT INTO t VALUES(3);\nINSERT INTO t VALUES(1);";
    const { code, stderr } = await cli(["script", "-", ...url], { stdin });
    assert.equal(code, 1);
    assert.match(stderr, /^✗ IntegrityError: .* \(line 2: INSERT INTO t VALUES\(1\)\)/);
    const { stdout } = await cli(["query", "SELECT count(*) AS n FROM t", ...url, "--json"]);
    assert.equal(stdout, '[{"n":2}]\n');
  });

  it("also runs one that only reads, and tells as JSON what it did", async () => {
    const read = await cli(["script", "-", ...url, "--json"], { stdin: "SELECT * FROM t;" });
    assert.equal(read.stdout, '{"statements":1,"rowsAffected":0}\n');
    const missing = await cli(["script", join(folder, "nowhere.sql"), ...url]);
    assert.equal(missing.code, 1);
    assert.match(missing.stderr, /no such file.*nowhere\.sql/);
  });
});

describe("a write that is interrupted", { skip: skipWithoutRqlited() }, () => {
  it("is settled, and the message tells how", async () => {
    await using server = await startRqlited();
    const url = ["--url", server.url];
    await cli(["query", "CREATE TABLE t(a)", ...url]);
    const commands: readonly (readonly [readonly string[], string])[] = [
      [["query", "INSERT INTO t VALUES(1)"], ""],
      [["script", "-"], "INSERT INTO t VALUES(1); INSERT INTO t VALUES(2)"],
    ];
    for (const [args, stdin] of commands) {
      await cli(["query", "DELETE FROM t", ...url]);
      const controller = new AbortController();
      await server.pause();
      const running = cli([...args, ...url], { stdin, signal: controller.signal });
      // Long enough for the request to be on its way, and if it is not the outcome is as certain.
      await new Promise((resolve) => setTimeout(resolve, 100));
      controller.abort(new Interruption());
      server.resume();
      const { code, stderr } = await running;
      assert.equal(code, 130);
      const told = /^✗ Interrupted: the write was (applied|not applied, and will not be)\n$/;
      assert.match(stderr, told);
      const rows = await server.sql("SELECT * FROM t");
      const isThere = JSON.stringify(rows).includes('"values"');
      assert.equal(isThere, told.exec(stderr)![1] === "applied");
    }
  });
});

describe("a write of whose answer nothing is heard", { skip: skipWithoutRqlited() }, () => {
  it("ends with 4, and names the id to ask for", async () => {
    await using server = await startRqlited();
    await server.sql("CREATE TABLE t(a)");
    const proxy = await startProxy(server.url);
    let silent = false;
    proxy.plan = ({ path, body }) => {
      // From the write itself on, which enters its id.
      silent ||= path.startsWith("/db/execute") && body.includes("INSERT INTO t");
      return silent ? "cut after request" : "pass";
    };
    const write = ["query", "INSERT INTO t VALUES(1)", "--url", proxy.url, "--timeout", "0.5"];
    try {
      const { code, stdout, stderr } = await cli(write);
      assert.deepEqual([code, stdout], [4, ""]);
      assert.match(stderr, /^✗ OutcomeUnknownError: Cannot tell whether .* outcome\("/);
      proxy.reset();
      silent = false;
      const json = JSON.parse((await cli([...write, "--json"])).stderr);
      assert.equal(json.error.code, "ERR_OUTCOME_UNKNOWN");
    } finally {
      await proxy.close();
    }
  });
});

describe("an account", { skip: skipWithoutRqlited() }, () => {
  it("that may not keep ids writes without, and one that may not write is told so", async () => {
    const user = (username: string, ...perms: string[]) => ({
      username,
      password: "secret",
      perms,
    });
    await using server = await startRqlited({
      auth: [user("writer", "execute"), user("reader", "query")],
    });
    const as = (username: string) => ["--url", server.url, "--user", username];
    const around = { env: { RQLITE_PASSWORD: "secret" } };
    const written = await cli(["query", "CREATE TABLE t(a)", ...as("writer")], around);
    assert.deepEqual([written.code, written.stdout, written.stderr], [0, "✓ done\n", ""]);
    const refused = await cli(["query", "INSERT INTO t VALUES(1)", ...as("reader")], around);
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /^✗ AuthenticationError: .* permission execute/);
    assert.doesNotMatch(refused.stderr, /secret/);
  });
});
