import assert from "node:assert/strict";
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { constants, tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { OWN_ENGINE } from "../support/engines.ts";

const PROGRAM = fileURLToPath(new URL("../../src/cli/mod.ts", import.meta.url));
const COMMAND = [OWN_ENGINE.command, ...OWN_ENGINE.args, PROGRAM];

const folder = mkdtempSync(join(tmpdir(), "cli-"));
after(() => rmSync(folder, { recursive: true }));

const url = ["--url", join(folder, "app.db")];
const MANY =
  "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c LIMIT 100000) SELECT x FROM c";

/** A process, and what it has written so far. */
class Running {
  readonly child: ChildProcess;
  stdout = "";
  stderr = "";
  /** The exit code, by which Deno takes a process for one that a signal has ended. */
  readonly ended: Promise<number>;
  readonly #waiting: { text: string; found: () => void }[] = [];

  constructor([command = "", ...args]: readonly string[]) {
    // A run within a run of Node's would report to that.
    const { NODE_TEST_CONTEXT: _, NO_COLOR: __, ...env } = process.env;
    this.child = spawn(command, args, { env: { ...env, TERM: "xterm" } });
    this.child.stdout!.setEncoding("utf8").on("data", (text: string) => {
      this.stdout += text;
      this.#look();
    });
    this.child.stderr!.setEncoding("utf8").on("data", (text: string) => this.stderr += text);
    this.ended = once(this.child, "close").then(([code, signal]) =>
      code ?? 128 + constants.signals[signal as "SIGTERM"]
    );
  }

  /** Waits until standard output has this text; throws where the process ends without it. */
  async shows(text: string): Promise<void> {
    const shown = new Promise<void>((found) => this.#waiting.push({ text, found }));
    this.#look();
    const missing = this.ended.then((code) =>
      assert.fail(`It ended with ${code} before ${text}: ${this.stdout}${this.stderr}`)
    );
    missing.catch(() => {});
    await Promise.race([shown, missing]);
  }

  type(text: string): void {
    this.child.stdin!.write(text);
  }

  #look(): void {
    for (const { text, found } of this.#waiting) if (this.stdout.includes(text)) found();
  }
}

/** A process in a terminal of its own, which is its standard output and standard error. */
function inTerminal(args: readonly string[]): Running {
  const line = [...COMMAND, ...args].map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ");
  return new Running(["script", "-qfec", line, "/dev/null"]);
}

const hasScript = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes(
  "util-linux",
);
const skip = hasScript ? false : "needs script of util-linux, for a terminal";

describe("the program", () => {
  before(async () => {
    const made = new Running([...COMMAND, "script", "-", ...url, "--create"]);
    made.child.stdin!.end("CREATE TABLE t(a); INSERT INTO t VALUES(1);");
    const code = await made.ended;
    assert.deepEqual([code, made.stdout, made.stderr], [0, "✓ 2 statements, 1 row changed\n", ""]);
  });

  it("ends quietly where nobody reads on", async () => {
    const running = new Running([...COMMAND, "query", MANY, ...url, "-f", "csv"]);
    running.child.stdout!.once("data", () => running.child.stdout!.destroy());
    const code = await running.ended;
    assert.deepEqual([code, running.stderr], [141, ""]);
  });

  it("ends at once where it waits for input and is terminated", async () => {
    const running = new Running([...COMMAND, "watch", "SELECT a FROM t", ...url, "--json"]);
    await running.shows('[{"a":1}]\n');
    running.child.kill("SIGTERM");
    assert.equal(await running.ended, 143);
    assert.match(running.stderr, /"Interruption"/);
  });

  it("asks for the password without echo, and shows colours and progress", { skip }, async () => {
    const server = createServer();
    const asked = once(server, "request") as Promise<[IncomingMessage, ServerResponse]>;
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const { port } = server.address() as AddressInfo;
    const running = inTerminal(["query", "SELECT 1 AS one", "-u", `http://ada@127.0.0.1:${port}`]);
    try {
      await running.shows(`Password of ada at http://127.0.0.1:${port}: `);
      running.type("hunter3\x7f2\r");
      await running.shows("waiting for the answer (");
      const [request, response] = await asked;
      assert.equal(request.headers.authorization, `Basic ${btoa("ada:hunter2")}`);
      response.setHeader("content-type", "application/json");
      response.end('{"results":[{"columns":["one"],"types":["integer"],"values":[[1]]}]}');
      assert.equal(await running.ended, 0);
      assert.ok(running.stdout.includes("\r\x1b[K\x1b[1mone\x1b[0m\r\n  1\r\n"), running.stdout);
      assert.doesNotMatch(running.stdout, /hunter/);
      // On a narrow terminal the line must not become two, of which one would stay.
      assert.ok(running.stdout.includes("\r\x1b[K\x1b[?7lwaiting for the answer ("));
      assert.ok(running.stdout.includes(" s)\x1b[?7h"));
    } finally {
      running.child.kill("SIGKILL");
      server.close();
    }
  });

  it("ends where somebody types Ctrl-C", { skip }, async () => {
    const running = inTerminal(["watch", "SELECT a FROM t", ...url]);
    await running.shows("1 row");
    running.type("\x03");
    assert.equal(await running.ended, 130);
    assert.match(running.stdout, /Interrupted/);
  });
});
