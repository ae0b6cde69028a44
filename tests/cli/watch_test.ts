import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Interruption, main } from "../../src/cli/mod.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";
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

describe("watch", { skip: skipWithoutRqlited() }, () => {
  it("shows rows again where they have changed, and ends where it is interrupted", async () => {
    await using server = await startRqlited();
    await server.sql("CREATE TABLE t(a)", "CREATE TABLE other(a)");
    const controller = new AbortController();
    const steps: (() => Promise<unknown> | void)[] = [
      async () => {
        // The first of them changes none of the rows, and so shows nothing.
        await server.sql("INSERT INTO other VALUES(1)");
        await server.sql("INSERT INTO t VALUES(1)");
      },
      () => server.sql("INSERT INTO t VALUES(2)"),
      () => controller.abort(new Interruption()),
    ];
    const stdout = new Watched(() => void steps.shift()?.());
    const stderr = new Captured(false);
    const code = await main(
      ["watch", "SELECT count(*) AS n FROM t", "--json", "-n", "0.02", "--url", server.url],
      { stdin: ReadableStream.from([]), stdout, stderr, env: {}, signal: controller.signal },
    );
    assert.equal(code, 130);
    assert.equal(stdout.text, '[{"n":0}]\n[{"n":1}]\n[{"n":2}]\n');
  });

  it("takes no statement that writes", async () => {
    const { code, stderr } = await cli(["watch", "DELETE FROM t", "--url", ":memory:"]);
    assert.equal(code, 1);
    assert.match(stderr, /^✗ ProgrammingError: Cannot query with DELETE/);
  });
});
