import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Guard } from "./guard.ts";
import { until } from "./http.ts";
import { freePort } from "./ports.ts";
import { redisBinary, type RedisKind } from "./redis_binary.ts";
import { RespClient } from "./resp.ts";

export { REDIS_KINDS, type RedisKind, skipWithoutRedis } from "./redis_binary.ts";

/** Of address space in kB, and of data. */
const MEMORY_CAP = 2_000_000;
const DATA_CAP = "64mb";

const START = `ulimit -v ${MEMORY_CAP} 2>/dev/null; log=$1; shift; exec "$@" >>"$log" 2>&1`;

/** One redis-server or valkey-server, or the place of one: it can be killed and started again, empty. */
export class RedisServer {
  readonly kind: RedisKind;
  readonly port: number;
  readonly directory: string;
  readonly #args: readonly string[];
  readonly #guard: Guard;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #client: RespClient | undefined;

  constructor(kind: RedisKind, port: number, args: readonly string[]) {
    this.kind = kind;
    this.port = port;
    this.#args = args;
    this.directory = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), `${kind}-`));
    this.#guard = new Guard(this.directory);
  }

  /** For clients that take one. */
  get url(): string {
    return `redis://127.0.0.1:${this.port}`;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error(`This ${this.kind}-server is not running`);
    return this.#child.pid;
  }

  /** What the server wrote, at its end. */
  log(): string {
    const file = join(this.directory, "log");
    return existsSync(file) ? readFileSync(file, "utf8").slice(-4000) : "";
  }

  /** Starts the process; returns before the server listens. */
  spawn(): void {
    const binary = redisBinary(this.kind);
    if (binary === undefined) throw new Error(`Cannot find ${this.kind}-server`);
    const { path, libraries } = binary;
    const command = [
      path,
      ...["--port", String(this.port), "--bind", "127.0.0.1", "--dir", this.directory],
      ...["--save", "", "--appendonly", "no", "--maxmemory", DATA_CAP],
      ...this.#args,
    ];
    const child = spawn("sh", ["-c", START, "sh", join(this.directory, "log"), ...command], {
      stdio: "ignore",
      env: { ...process.env, ...(libraries && { LD_LIBRARY_PATH: libraries }) },
    });
    this.#gone = new Promise((resolve) => {
      const ended = () => {
        if (this.#child === child) this.#child = undefined;
        resolve();
      };
      child.once("exit", ended);
      child.once("error", ended);
    });
    child.unref();
    this.#child = child;
    this.#guard.watch(child.pid);
  }

  /** Waits until it answers. */
  async ready(): Promise<void> {
    await until(`answer of ${this.kind}-server`, async () => {
      if (this.#child === undefined) throw new Error(`It ended early\n${this.log()}`);
      try {
        return await this.send("PING") === "PONG" || undefined;
      } catch {
        return undefined;
      }
    }, { details: () => this.log() });
  }

  /** One command of the harness itself. */
  async send(...args: string[]): Promise<unknown> {
    try {
      this.#client ??= await RespClient.connect(this.port);
      return await this.#client.send(...args);
    } catch (error) {
      if (/closed|ECONN/.test(String(error))) await this.#hangUp();
      throw error;
    }
  }

  /** SIGSTOP: connections stay open and nothing answers. */
  pause(): void {
    process.kill(this.pid, "SIGSTOP");
  }

  /** SIGCONT. */
  resume(): void {
    process.kill(this.pid, "SIGCONT");
  }

  /** SIGKILL: everything in it is gone. */
  async kill(): Promise<void> {
    await this.#hangUp();
    this.#child?.ref();
    this.#child?.kill("SIGKILL");
    await this.#gone;
    this.#guard.watch(undefined);
  }

  /** Ends the process if there is one, and starts it empty on the same port. */
  async restart(): Promise<void> {
    await this.kill();
    this.spawn();
    await this.ready();
  }

  /** Ends the process and removes its directory. */
  async stop(): Promise<void> {
    await this.kill();
    await this.#guard.release();
  }

  async #hangUp(): Promise<void> {
    const client = this.#client;
    this.#client = undefined;
    await client?.close();
  }
}

/** Starts one server on a free port of 127.0.0.1 and waits until it answers. */
export async function startRedis(
  kind: RedisKind = "redis",
  args: readonly string[] = [],
): Promise<RedisServer> {
  for (let attempt = 1;; attempt++) {
    const server = new RedisServer(kind, await freePort(), args);
    server.spawn();
    try {
      await server.ready();
      return server;
    } catch (error) {
      const log = server.log();
      await server.stop();
      // Another process may have taken the port between the probe and the start.
      if (attempt === 3 || !/Address already in use/i.test(log)) throw error;
    }
  }
}
