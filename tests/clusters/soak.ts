// A cluster of three nodes that works and is broken, and what is true of it in the end.
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { connect } from "../../mod.ts";
import { verifyReplicas } from "../../src/doctor/mod.ts";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import { storeRaw } from "../replicas/raw.ts";
import { type Cluster, startCluster } from "../support/cluster.ts";
import { type ChildEngine, childEngines } from "../support/engines.ts";
import { sleep } from "../support/http.ts";
import { Links } from "../support/links.ts";
import { startProxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import { equalReplicas, rowsOfEach } from "../support/replicas.ts";
import { packagedBinary, rqlitedBinary } from "../support/rqlited_binary.ts";
import { breakOnce, faultOrder, type Lane, LANES, type World } from "./faults.ts";
import { type Finding, judge, type ReadEnd } from "./judge.ts";
import { isLossy, takeSnapshots, withSnapshots } from "./snapshots.ts";
import type { StoreKind } from "./store.ts";
import type { WorkerJob, WorkerReport } from "./worker.ts";
import { ACCOUNTS, EACH, TABLES } from "./workloads.ts";

/** How long a soak is, and which one. */
export interface SoakSize {
  readonly kind: StoreKind;
  readonly seed: number;
  /** How often each fault of the nodes happens; those of requests happen beside them, at least as often. */
  readonly rounds: number;
  /** Milliseconds for which a fault lasts. */
  readonly hold: number;
  /** Milliseconds between two faults of one kind. */
  readonly calm: number;
  readonly workers: number;
  /** How many calls of each workload each of them makes at a time. */
  readonly tasks: number;
  /** The longest rest between two calls of one workload of a worker, in milliseconds. */
  readonly rest: number;
  /** Told of each fault. */
  readonly onFault?: (name: string) => void;
}

/** What a soak came to. */
export interface SoakReport {
  readonly kind: StoreKind;
  readonly seed: number;
  readonly servers: readonly string[];
  readonly seconds: number;
  /** How often each fault happened. */
  readonly faults: Readonly<Record<string, number>>;
  readonly findings: readonly Finding[];
}

const TIMEOUT = 5_000;
const LEASE = 2_000;
/** Longer than what this process may need to hand on what nodes say to each other. */
const RAFT_TIMEOUT = 600;

/** Each node computes it for itself, as the trigger asks it to. */
const EXCEPT = { profiles: ["updated_at"] };

/** Breaks a cluster that works, and judges what its clients were told. */
export async function soak(size: SoakSize): Promise<SoakReport> {
  const start = Date.now();
  const newer = withSnapshots(rqlitedBinary());
  const packaged = packagedBinary();
  const older = packaged ? withSnapshots(packaged) : newer;
  let cluster: Cluster | undefined;
  const pids = () => cluster?.nodes.map((node) => node.running ? node.pid : undefined) ?? [];
  const links = new Links(pids);
  const proxies = await Promise.all([0, 1, 2].map(() => startProxy("http://127.0.0.1:1")));
  const folder = mkdtempSync(join(tmpdir(), "soak-"));
  const workers: Worker[] = [];
  try {
    await links.open(3);
    cluster = await startCluster(3, {
      args: ["-fk"],
      raftTimeout: RAFT_TIMEOUT,
      advertise: (index) => new URL(proxies[index]!.url).host,
      each: (index, { raft }) => ({
        binary: older,
        args: ["-raft-adv-addr", links.address(index, raft)],
      }),
    });
    for (const [i, node] of cluster.nodes.entries()) proxies[i]!.target = node.url;
    await storeRaw(cluster, TABLES);
    const backups: string[] = [];
    const world: World = {
      ...{ cluster, proxies, links, newer, hold: size.hold, copies: new Map() },
      backup: async (node) => {
        const file = join(folder, `${backups.length}.db`);
        // Before any other one the server takes a snapshot.
        const vacuum = world.cluster.nodes.some(({ binary }) => isLossy(binary));
        if (await takeBackup(proxies[node]!.url, file, vacuum)) backups.push(file);
      },
    };
    const urls = proxies.map(({ url }) => url);
    const began = Date.now();
    const engines = childEngines();
    for (let worker = 0; worker < size.workers; worker++) {
      // Each asks another node first.
      const own = urls.map((_, i) => urls[(worker + i) % urls.length]!);
      const { kind, seed, rest, tasks } = size;
      const times = { began, rest, timeout: TIMEOUT, lease: LEASE };
      const job = { kind, worker, seed, tasks, urls: own, ...times };
      workers.push(new Worker(engines[worker % engines.length]!, job));
    }
    const faults = await breakAll(world, size);
    const reports = await collect(workers, proxies.map((proxy) => () => proxy.settled()));
    const findings = await conclude(cluster, reports, world, backups);
    return {
      kind: size.kind,
      seed: size.seed,
      servers: [...new Set([older.version, newer.version])],
      seconds: Math.round((Date.now() - start) / 1000),
      faults,
      findings,
    };
  } finally {
    for (const worker of workers) worker.kill();
    await links.close();
    await Promise.all(proxies.map((proxy) => proxy.close()));
    await cluster?.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Faults of the nodes one after another, and beside them those of requests; answers how often each happened. */
async function breakAll(
  world: World,
  { seed, rounds, calm, onFault = () => {} }: SoakSize,
): Promise<Record<string, number>> {
  const happened: Record<string, number> = {};
  let over = false;
  const run = async (lane: Lane, order: string[], least: number): Promise<void> => {
    const random = new Random(seed + least);
    for (const [i, name] of order.entries()) {
      if (over && i >= least) return;
      onFault(name);
      await breakOnce(world, lane, name, random);
      happened[name] = (happened[name] ?? 0) + 1;
      await sleep(calm);
    }
  };
  const least = rounds * Object.keys(LANES.requests).length;
  await Promise.all([
    takeSnapshots(world.cluster, () => over),
    run("nodes", faultOrder(seed, "nodes", rounds), 0).finally(() => over = true),
    run("requests", faultOrder(seed, "requests", 100 * rounds), least),
  ]);
  return happened;
}

async function collect(
  workers: readonly Worker[],
  settled: readonly (() => Promise<void>)[],
): Promise<WorkerReport[]> {
  await Promise.all(workers.map((worker) => worker.stop()));
  await Promise.all(settled.map((wait) => wait()));
  return await Promise.all(workers.map((worker) => worker.report()));
}

async function conclude(
  cluster: Cluster,
  reports: readonly WorkerReport[],
  { copies }: World,
  backups: readonly string[],
): Promise<Finding[]> {
  const history = reports.flatMap((report) => report.history);
  const questions = reports.flatMap((report) => report.questions);
  const equal = await equalReplicas(cluster, { except: EXCEPT }).then(
    () => [],
    // Of nodes that cannot be compared nobody knows that they are equal.
    ({ message }: Error) => {
      const [first, ...tables] = message.split("\n");
      return tables.length > 0 ? tables : [first!];
    },
  );
  const leader = cluster.nodes.indexOf(await cluster.settled());
  const read: ReadEnd = async (sql) => (await rowsOfEach(cluster, sql))[leader]!;
  const plain = { done: 0, notDone: 0, unknown: 0 };
  return [
    ...await judge({ history, questions, copies }, read),
    {
      ...{ property: "all nodes have the same rows", workload: "all", ...plain },
      operations: history.length,
      violations: equal,
    },
    {
      ...{ property: "verifyReplicas() finds the same", workload: "all", ...plain },
      operations: history.length,
      violations: await contradicted(cluster, equal),
    },
    {
      ...{ property: "a backup under load is whole", workload: "backups", ...plain },
      operations: backups.length,
      violations: (await Promise.all(backups.map(checkBackup))).flat(),
    },
  ];
}

/** Tables that differ by the doctor, or by a comparison row by row, but not by both. */
async function contradicted(cluster: Cluster, told: readonly string[]): Promise<string[]> {
  const client = connect(cluster.urls, { timeout: 60_000 });
  try {
    const { nodes, differences, hazards } = await verifyReplicas(client);
    const all = cluster.nodes.length;
    const doctors = new Set(differences.map(({ table }) => table));
    const ours = new Set(told.map((line) => line.slice(0, line.indexOf(":"))));
    const either = [...doctors.symmetricDifference(ours)].filter((table) => !(table in EXCEPT));
    return [
      ...(nodes.length === all
        ? []
        : [`the doctor saw ${nodes.length} nodes of ${all}: ${JSON.stringify(hazards)}`]),
      ...either.map((table) =>
        `${table} differs by ${doctors.has(table) ? "the doctor" : "us"} only`
      ),
    ];
  } catch (error) {
    return [`the doctor cannot tell: ${error}`];
  } finally {
    await client.close();
  }
}

/** Whether it was given; a node that is broken at the moment may refuse, or end in the middle. */
async function takeBackup(url: string, file: string, vacuum: boolean): Promise<boolean> {
  const client = connect(url, { timeout: TIMEOUT });
  try {
    const stream = await client.backup({ vacuum, signal: AbortSignal.timeout(TIMEOUT) });
    writeFileSync(file, new Uint8Array(await new Response(stream).arrayBuffer()));
    return true;
  } catch {
    return false;
  } finally {
    await client.close();
  }
}

async function checkBackup(file: string): Promise<string[]> {
  try {
    return await checkDatabase(embedded(file));
  } catch (error) {
    return [`a backup cannot be read: ${error}`];
  }
}

async function checkDatabase(engine: EmbeddedEngine): Promise<string[]> {
  const client = connect(engine, { exactlyOnce: false });
  try {
    const integrity = await client.value("SELECT * FROM pragma_integrity_check");
    const total = await client.value("SELECT sum(balance) FROM accounts");
    const wrong = [];
    if (integrity !== "ok") wrong.push(`a backup is not whole: ${integrity}`);
    if (total !== ACCOUNTS * EACH) wrong.push(`a backup has ${total} in its accounts`);
    return wrong;
  } finally {
    await client.close();
    engine.close();
  }
}

const WORKER = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** A process that makes calls. */
class Worker {
  readonly #child;
  readonly #stopped = Promise.withResolvers<void>();
  readonly #ended: Promise<string>;

  constructor({ command, args }: ChildEngine, job: WorkerJob) {
    const child = spawn(command, [...args, WORKER, JSON.stringify(job)], {
      stdio: ["pipe", "pipe", "inherit"],
    });
    this.#child = child;
    let output = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      output += text;
      if (output.startsWith("stopped\n")) this.#stopped.resolve();
    });
    this.#ended = new Promise((resolve, reject) => {
      child.once("error", reject);
      child.once("close", (code) => {
        if (code === 0) return resolve(output.slice("stopped\n".length));
        const error = new Error(`A worker on ${command} ended with ${code}`);
        this.#stopped.reject(error);
        reject(error);
      });
    });
    // Told by whoever waits for it.
    this.#ended.catch(() => {});
    this.#stopped.promise.catch(() => {});
  }

  /** Resolves when its last call has ended. */
  async stop(): Promise<void> {
    this.#child.stdin.write("stop\n");
    await this.#stopped.promise;
  }

  /** Its history, and what it was told when it asked again. */
  async report(): Promise<WorkerReport> {
    this.#child.stdin.write("report\n");
    return JSON.parse(await this.#ended) as WorkerReport;
  }

  kill(): void {
    this.#child.kill("SIGKILL");
  }
}
