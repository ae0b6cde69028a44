import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { Guard } from "./guard.ts";
import { ask, until } from "./http.ts";
import { freePort } from "./ports.ts";
import { type RqlitedBinary, rqlitedBinary } from "./rqlited_binary.ts";

export { skipWithoutRqlited } from "./rqlited_binary.ts";

/** A user of rqlite's `-auth` file. */
export interface RqlitedUser {
  readonly username: string;
  readonly password: string;
  readonly perms: readonly string[];
}

/** How a node is started. */
export interface RqlitedOptions {
  /** More flags, such as `["-fk"]`; a later flag wins over one of the harness. */
  readonly args?: readonly string[];
  /** Turns authentication on. The harness adds a user of its own, see {@linkcode ADMIN}. */
  readonly auth?: readonly RqlitedUser[];
  /** The `-node-id`. @default {"1"} */
  readonly id?: string;
  /** Raft's timeouts in milliseconds. @default {200} */
  readonly raftTimeout?: number;
  /** The HTTP address the node tells others, such as that of a proxy. */
  readonly advertise?: string;
  /** Variables of its environment beside those of this process, such as `TZ`. */
  readonly env?: Readonly<Record<string, string>>;
  /** Another server than the one of {@linkcode rqlitedBinary}. */
  readonly binary?: RqlitedBinary;
  /** Keeps its data in the system's folder for temporary files, whatever that is on. @default {false} */
  readonly onDisk?: boolean;
}

/** The user the harness adds where `auth` is given, for its own probes and for joining. */
export const ADMIN: RqlitedUser = { username: "harness", password: "harness", perms: ["all"] };

/** In kB. Some servers eat memory without end on odd input; the machine must survive that. */
const MEMORY_CAP = 8_000_000;

const START = `ulimit -v ${MEMORY_CAP} 2>/dev/null; log=$1; shift; exec "$@" 2>>"$log"`;

/** tmpfs where there is one: durability does not matter to tests, and fsync would be most of the time. */
function temporaryFolder(onDisk: boolean): string {
  const inMemory = !onDisk && existsSync("/dev/shm");
  return mkdtempSync(join(inMemory ? "/dev/shm" : tmpdir(), "rqlited-"));
}

/** One rqlited process, or the place of one: it can be killed and started again. */
export class Rqlited {
  /** What the next start starts. */
  binary: RqlitedBinary;
  readonly options: RqlitedOptions;
  readonly directory: string;
  readonly httpPort: number;
  readonly raftPort: number;
  readonly #guard: Guard;
  #child: ChildProcess | undefined;
  #gone: Promise<void> = Promise.resolve();
  #paused = false;

  constructor(ports: { http: number; raft: number }, options: RqlitedOptions) {
    this.binary = options.binary ?? rqlitedBinary();
    this.options = options;
    this.httpPort = ports.http;
    this.raftPort = ports.raft;
    this.directory = temporaryFolder(options.onDisk ?? false);
    this.#guard = new Guard(this.directory);
    if (options.auth) {
      writeFileSync(join(this.directory, "auth.json"), JSON.stringify([...options.auth, ADMIN]));
    }
  }

  /** Where clients connect. */
  get url(): string {
    return `http://127.0.0.1:${this.httpPort}`;
  }

  /** 8, 9, 10 …; what a version has is better asked of `features(url)`. */
  get major(): number {
    return this.binary.major;
  }

  /** The process is there and not stopped by `pause()`. */
  get running(): boolean {
    return this.#child !== undefined && !this.#paused;
  }

  get pid(): number {
    if (this.#child?.pid === undefined) throw new Error("This rqlited is not running");
    return this.#child.pid;
  }

  /** What the server wrote to stderr, shortened in the middle. */
  log(): string {
    const file = join(this.directory, "log");
    const text = existsSync(file) ? readFileSync(file, "utf8") : "";
    return text.length > 4000 ? `${text.slice(0, 2000)}\n…\n${text.slice(-2000)}` : text;
  }

  #args(): string[] {
    const { options, binary } = this;
    // A node alone only waits for itself; `startCluster` sets its own.
    const timeout = `${options.raftTimeout ?? 40}ms`;
    return [
      ...["-node-id", options.id ?? "1"],
      ...["-http-addr", `127.0.0.1:${this.httpPort}`, "-raft-addr", `127.0.0.1:${this.raftPort}`],
      ...[binary.heartbeatFlag, timeout, "-raft-election-timeout", timeout],
      ...["-raft-leader-lease-timeout", timeout],
      ...(options.advertise ? ["-http-adv-addr", options.advertise] : []),
      ...(options.auth ? ["-auth", join(this.directory, "auth.json")] : []),
      ...(binary.args ?? []),
      ...(options.args ?? []),
      join(this.directory, "data"),
    ];
  }

  /** Starts the process on its directory; returns before the server listens. */
  spawn(): void {
    const command = [this.binary.path, ...this.#args()];
    const child = spawn("sh", ["-c", START, "sh", join(this.directory, "log"), ...command], {
      stdio: "ignore",
      env: { ...process.env, ...this.options.env },
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

  /** Waits for `/readyz` to answer 200. */
  async ready(): Promise<void> {
    await until("answer of rqlited", async () => {
      if (this.#child === undefined) throw new Error(`rqlited ended early\n${this.log()}`);
      return await this.#isReady() ? true : undefined;
    }, { details: () => this.log() });
  }

  async #isReady(): Promise<boolean> {
    try {
      return (await this.ask("/readyz", { limit: 1000 })).status === 200;
    } catch {
      return false; // not listening yet
    }
  }

  /** One request of the harness itself, with its own user where `auth` is on. */
  ask(
    path: string,
    init: { method?: string; body?: string; limit?: number } = {},
  ): Promise<{ status: number; text: string }> {
    const { username, password } = ADMIN;
    const headers = {
      "content-type": "application/json",
      ...(this.options.auth ? { authorization: `Basic ${btoa(`${username}:${password}`)}` } : {}),
    };
    return ask(this.url + path, { headers, ...init });
  }

  /** Posts statements past the client under test; fails on any error in the answer. */
  async sql(...statements: readonly unknown[]): Promise<unknown[]> {
    const body = JSON.stringify(statements);
    const { status, text } = await this.ask("/db/request?level=strong", { method: "POST", body });
    if (status !== 200 || text.includes('"error":')) throw new Error(`${status} ${text}`);
    return (JSON.parse(text) as { results: unknown[] }).results;
  }

  /** SIGSTOP, and waits for it: from then on connections stay open and nothing answers. */
  async pause(): Promise<void> {
    const { pid } = this;
    process.kill(pid, "SIGSTOP");
    this.#paused = true;
    await until("stop of rqlited", () => Promise.resolve(isStopped(pid) || undefined));
  }

  /** SIGCONT. */
  resume(): void {
    process.kill(this.pid, "SIGCONT");
    this.#paused = false;
  }

  /** SIGKILL; the directory stays for a `restart()`. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** SIGTERM, and SIGKILL where that does not help; the directory stays for a `restart()`. */
  async shutdown(): Promise<void> {
    if (this.#paused) this.resume();
    const pid = this.#child?.pid;
    // Deno's `ChildProcess.kill` sends no second signal.
    const timer = setTimeout(() => pid !== undefined && process.kill(pid, "SIGKILL"), 5000);
    await this.#end("SIGTERM");
    clearTimeout(timer);
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    this.#child?.ref();
    this.#child?.kill(signal);
    await this.#gone;
    this.#paused = false;
    this.#guard.watch(undefined);
  }

  /** Removes the data of a process that has ended: the next start is that of a new node. */
  forget(): void {
    rmSync(join(this.directory, "data"), { recursive: true, force: true });
  }

  /** Ends the process if there is one, starts it on the same directory and waits until it is ready. */
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

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

/** Threads stop one after another, and one that still runs may still answer. */
function isStopped(pid: number): boolean {
  const tasks = `/proc/${pid}/task`;
  if (!existsSync(tasks)) return true; // no Linux: believe the signal
  return readdirSync(tasks).every((task) => {
    const stat = readFileSync(`${tasks}/${task}/stat`, "utf8");
    return stat.slice(stat.lastIndexOf(")") + 2).startsWith("T");
  });
}

/** Starts one node on free ports of 127.0.0.1; returns before it listens. */
export async function spawnRqlited(options: RqlitedOptions = {}): Promise<Rqlited> {
  const server = new Rqlited({ http: await freePort(), raft: await freePort() }, options);
  server.spawn();
  return server;
}

/** Starts one node on free ports of 127.0.0.1 and waits until it is ready. */
export async function startRqlited(options: RqlitedOptions = {}): Promise<Rqlited> {
  for (let attempt = 1;; attempt++) {
    const server = await spawnRqlited(options);
    try {
      await server.ready();
      return server;
    } catch (error) {
      const log = server.log();
      await server.stop();
      // Another process may have taken a port between the probe and the start.
      if (attempt === 3 || !log.includes("address already in use")) throw error;
    }
  }
}
