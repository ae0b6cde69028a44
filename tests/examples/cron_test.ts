import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { verifyReplicas } from "../../src/doctor/mod.ts";
import { startCluster } from "../support/cluster.ts";
import { type ChildEngine, childEngines } from "../support/engines.ts";
import { until } from "../support/http.ts";
import { skipWithoutRqlited } from "../support/rqlited.ts";
import { assertTold, runExample } from "./run_example.ts";

const CRON = fileURLToPath(new URL("../../examples/cron.ts", import.meta.url));

interface Tick {
  readonly id: number;
  readonly tick: number;
  readonly token: number;
  readonly pid: number;
}

/** One process of the example. */
class Worker {
  readonly engine: ChildEngine;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  #output = "";

  constructor(engine: ChildEngine, urls: readonly string[]) {
    this.engine = engine;
    const args = [...engine.args, CRON, ...urls, "--every=100", "--lease=800"];
    this.#child = spawn(engine.command, args, { stdio: ["ignore", "pipe", "pipe"] });
    for (const stream of [this.#child.stdout!, this.#child.stderr!]) {
      stream.on("data", (bytes: Uint8Array) => this.#output += String(bytes));
    }
    this.#ended = new Promise((resolve) => this.#child.once("close", resolve));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get output(): string {
    return `${this.engine.name} ${this.pid}: ${this.#output}`;
  }

  /** Deno's `child.kill()` works once only. */
  send(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL" | "SIGTERM"): void {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      process.kill(this.pid, signal);
    }
  }

  async end(signal: "SIGKILL" | "SIGTERM"): Promise<number | null> {
    this.send(signal);
    return await this.#ended;
  }
}

describe("examples/cron.ts", () => {
  it("ticks in memory", async () => {
    assertTold(await runExample("cron.ts", "--every=20"), [
      ...["wants to lead", "✓ leads, with the token 1", "tick", "tick", "tick"],
    ]);
  });
});

describe("examples/cron.ts on three processes", { skip: skipWithoutRqlited() }, () => {
  it("goes on without its leader, and runs no tick twice", async () => {
    await using cluster = await startCluster();
    const db = connect(cluster.urls);
    const engines = childEngines();
    const all: Worker[] = [];
    const start = (engine: ChildEngine): void => void all.push(new Worker(engine, cluster.urls));
    const details = (): string => all.map(({ output }) => output).join("\n");
    const gone: number[] = [];
    /** Waits for a tick of somebody else than those that are gone, behind another one. */
    const next = (behind = 0): Promise<Tick & { readonly worker: Worker }> =>
      until("tick", async () => {
        const tick = await db.first<Tick>("SELECT * FROM demo_ticks ORDER BY id DESC LIMIT 1")
          .catch(() => undefined);
        if (tick === undefined || tick.id <= behind || gone.includes(tick.pid)) return undefined;
        const worker = all.find(({ pid }) => pid === tick.pid);
        return worker && { ...tick, worker };
      }, { details });
    try {
      for (let i = 0; i < 3; i++) start(engines[i % engines.length]!);
      let tick = await next();
      for (let killed = 0; killed < 2; killed++) {
        gone.push(tick.pid);
        await tick.worker.end("SIGKILL");
        start(tick.worker.engine);
        tick = await next(tick.id);
      }

      const stopped = tick;
      gone.push(stopped.pid);
      stopped.worker.send("SIGSTOP");
      tick = await next(stopped.id);
      assert.ok(tick.token > stopped.token);
      stopped.worker.send("SIGCONT");
      tick = await next(tick.id + 5);
      gone.pop();

      gone.push(tick.pid);
      assert.equal(await tick.worker.end("SIGTERM"), 0, tick.worker.output);
      await next(tick.id);
      const rest = all.filter(({ pid }) => !gone.includes(pid));
      const started = () => rest.every(({ output }) => output.includes("wants to lead"));
      await until("start", () => Promise.resolve(started() || undefined), { details });
      const codes = await Promise.all(rest.map((worker) => worker.end("SIGTERM")));
      assert.deepEqual(codes, rest.map(() => 0), details());

      const { rows } = await db.query<Tick>("SELECT * FROM demo_ticks ORDER BY id");
      for (const [i, { tick, token }] of rows.slice(1).entries()) {
        assert.ok(tick > rows[i]!.tick && token >= rows[i]!.token, JSON.stringify(rows));
      }
      const { equal, differences } = await verifyReplicas(db);
      assert.ok(equal, JSON.stringify(differences));
    } finally {
      await Promise.all(all.map((worker) => worker.end("SIGKILL")));
      await db.close();
    }
  });
});
