import { until } from "./http.ts";
import { freePort } from "./ports.ts";
import { type RedisKind, type RedisServer, startRedis } from "./redis.ts";

const SLOTS = 16_384;

/** How a cluster is started. */
export interface RedisClusterOptions {
  /** Of each master. @default {0} */
  readonly replicas?: number;
  /** Milliseconds until a node that does not answer is given up. @default {15000} */
  readonly nodeTimeout?: number;
}

/** Three masters and their replicas. */
export class RedisCluster {
  readonly masters: readonly RedisServer[];
  /** Those of the first master first. */
  readonly replicas: readonly RedisServer[];

  constructor(masters: readonly RedisServer[], replicas: readonly RedisServer[]) {
    this.masters = masters;
    this.replicas = replicas;
  }

  /** Where clients may begin. */
  get port(): number {
    return this.masters[0]!.port;
  }

  /** The master that keeps a key. */
  async masterOf(key: string): Promise<RedisServer> {
    const slot = await this.masters[0]!.send("CLUSTER", "KEYSLOT", key) as number;
    return this.masters[Math.floor(slot / SLOTS * this.masters.length)]!;
  }

  /** Ends every node. */
  async stop(): Promise<void> {
    await Promise.all([...this.masters, ...this.replicas].map((node) => node.stop()));
  }
}

/** Starts three masters that share the slots evenly. */
export async function startRedisCluster(
  kind: RedisKind = "redis",
  { replicas = 0, nodeTimeout = 15_000 }: RedisClusterOptions = {},
): Promise<RedisCluster> {
  const start = async (): Promise<RedisServer> =>
    await startRedis(kind, [
      ...["--cluster-enabled", "yes", "--cluster-node-timeout", String(nodeTimeout)],
      ...["--cluster-port", String(await freePort()), "--cluster-replica-validity-factor", "0"],
      // Or a master waits for seconds for more replicas to send its data to.
      ...["--repl-diskless-sync-delay", "0"],
    ]);
  const nodes = await Promise.all(Array.from({ length: 3 * (1 + replicas) }, start));
  try {
    const cluster = new RedisCluster(nodes.slice(0, 3), nodes.slice(3));
    await join(cluster);
    return cluster;
  } catch (error) {
    await Promise.all(nodes.map((node) => node.stop()));
    throw error;
  }
}

async function join({ masters, replicas }: RedisCluster): Promise<void> {
  const nodes = [...masters, ...replicas];
  for (const [i, master] of masters.entries()) {
    const bound = (n: number) => Math.ceil(SLOTS * n / masters.length);
    await master.send("CLUSTER", "SET-CONFIG-EPOCH", String(i + 1));
    await master.send("CLUSTER", "ADDSLOTSRANGE", String(bound(i)), String(bound(i + 1) - 1));
  }
  // Each meets each, as hearsay takes seconds.
  for (const [i, node] of nodes.entries()) {
    const meet = ["CLUSTER", "MEET", "127.0.0.1", String(node.port), await busPort(node)];
    await Promise.all(nodes.slice(0, i).map((other) => other.send(...meet)));
  }
  const known = async (node: RedisServer): Promise<boolean> => {
    const lines = String(await node.send("CLUSTER", "NODES")).trim().split("\n");
    return lines.length === nodes.length && !lines.some((line) => line.includes("handshake"));
  };
  await all(nodes, known);
  for (const [i, replica] of replicas.entries()) {
    const master = masters[Math.floor(i * masters.length / replicas.length)]!;
    await replica.send("CLUSTER", "REPLICATE", String(await master.send("CLUSTER", "MYID")));
  }
  await all(nodes, async (node) => {
    const info = String(await node.send("CLUSTER", "INFO"));
    return info.includes("cluster_state:ok") && info.includes("cluster_slots_ok:16384");
  });
  await all(
    replicas,
    async (replica) =>
      String(await replica.send("INFO", "replication")).includes("master_link_status:up"),
  );
}

async function busPort(node: RedisServer): Promise<string> {
  const [, port] = await node.send("CONFIG", "GET", "cluster-port") as [string, string];
  return port;
}

async function all(
  nodes: readonly RedisServer[],
  probe: (node: RedisServer) => Promise<boolean>,
): Promise<void> {
  await until("cluster", async () => {
    const states = await Promise.all(nodes.map(probe));
    return states.every(Boolean) || undefined;
  }, { details: () => nodes.map((node) => node.log()).join("\n") });
}
