import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Interruption, main } from "../../src/cli/mod.ts";
import { type Rqlited, skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
import { Captured, cli } from "./run_cli.ts";

/** Calls back with each piece that is written. */
class Watched extends Captured {
  readonly #see: (piece: string) => void;

  constructor(see: (piece: string) => void) {
    super(false);
    this.#see = see;
  }

  override write(chunk: string | Uint8Array, done: () => void): void {
    super.write(chunk, done);
    this.#see(String(chunk));
  }
}

/** Watches a table; behind each output comes one of the steps, and at last an interruption. */
async function watched(
  env: Readonly<Record<string, string>>,
  server: Rqlited,
  steps: readonly (() => Promise<unknown>)[],
  ...flags: readonly string[]
): Promise<{ code: number; stdout: string }> {
  const controller = new AbortController();
  const left = [...steps];
  const stdout = new Watched(() => {
    const step = left.shift();
    if (step === undefined) controller.abort(new Interruption());
    else void step();
  });
  const query = ["watch", "SELECT count(*) AS n FROM t", "--json", "-n", "0.02"];
  const code = await main([...query, "--url", server.url, ...flags], {
    ...{ stdin: ReadableStream.from([]), stdout, stderr: new Captured(false), env },
    signal: controller.signal,
  });
  return { code, stdout: stdout.text };
}

describe("watch", { skip: skipWithoutRqlited() }, () => {
  it("shows rows again where they have changed, and ends where it is interrupted", async () => {
    await using server = await startRqlited();
    await server.sql("CREATE TABLE t(a)", "CREATE TABLE other(a)");
    const { code, stdout } = await watched({}, server, [
      async () => {
        // The first of them changes none of the rows, and so shows nothing.
        await server.sql("INSERT INTO other VALUES(1)");
        await server.sql("INSERT INTO t VALUES(1)");
      },
      () => server.sql("INSERT INTO t VALUES(2)"),
    ]);
    assert.deepEqual([code, stdout], [130, '[{"n":0}]\n[{"n":1}]\n[{"n":2}]\n']);
  });

  it("does so for a user who may not ask for the status of a node", async () => {
    const perms = ["query"];
    await using server = await startRqlited({ auth: [{ username: "ada", password: "pw", perms }] });
    await server.sql("CREATE TABLE t(a)");
    const env = { RQLITE_PASSWORD: "pw" };
    const { code, stdout } = await watched(
      env,
      server,
      [
        () => server.sql("INSERT INTO t VALUES(1)"),
      ],
      "--user",
      "ada",
    );
    assert.deepEqual([code, stdout], [130, '[{"n":0}]\n[{"n":1}]\n']);
  });

  it("takes no statement that writes", async () => {
    const { code, stderr } = await cli(["watch", "DELETE FROM t", "--url", ":memory:"]);
    assert.equal(code, 2);
    assert.match(stderr, /^✗ Cannot watch what is no read: write query\n/);
  });
});
