import { until } from "./http.ts";
import { freePort } from "./ports.ts";
import { ADMIN, Rqlited, type RqlitedOptions } from "./rqlited.ts";

/** How a cluster is started; the flags hold for each of its nodes. */
export interface ClusterOptions extends Pick<RqlitedOptions, "args" | "auth" | "raftTimeout"> {
  /** The HTTP address that node `index` tells others, such as that of a proxy. */
  readonly advertise?: (index: number) => string;
  /** What only node `index` gets, which listens on these ports; its `args` come behind those of all. */
  readonly each?: (
    index: number,
    ports: { readonly http: number; readonly raft: number },
  ) => Pick<RqlitedOptions, "args" | "binary" | "env">;
}

/** Several rqlited processes that form one cluster. */
export class Cluster {
  readonly nodes: readonly Rqlited[];

  constructor(nodes: readonly Rqlited[]) {
    this.nodes = nodes;
  }

  /** The nodes' addresses, in the order of `nodes`. */
  get urls(): string[] {
    return this.nodes.map((node) => node.url);
  }

  /** Waits until one running node leads and is ready, and returns it. */
  leader(): Promise<Rqlited> {
    return until("leader", () => this.#leaderNow(), { details: () => this.#logs() });
  }

  /** The running nodes that do not lead. */
  async followers(): Promise<Rqlited[]> {
    const leader = await this.leader();
    return this.nodes.filter((node) => node.running && node !== leader);
  }

  async #leaderNow(): Promise<Rqlited | undefined> {
    const running = this.nodes.filter((node) => node.running);
    const states = await Promise.all(running.map((node) => raftState(node)));
    // A node that was paused believes for a moment that it still leads, in an older term.
    const term = Math.max(...states.map((state) => state.term));
    const index = states.findIndex((state) => state.leads && state.ready && state.term === term);
    return running[index];
  }

  /** Waits until every running node is ready and knows the same leader. */
  async settled(): Promise<Rqlited> {
    const leader = await this.leader();
    await Promise.all(this.nodes.filter((node) => node.running).map((node) => node.ready()));
    return leader;
  }

  #logs(): string {
    return this.nodes.map((node) => node.log()).join("\n");
  }

  /** Ends all processes and removes their directories. */
  async stop(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.stop()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }
}

interface RaftState {
  readonly leads: boolean;
  readonly ready: boolean;
  readonly term: number;
}

async function raftState(node: Rqlited): Promise<RaftState> {
  try {
    const { text } = await node.ask("/status", { limit: 1000 });
    const { store } = JSON.parse(text) as {
      store: { ready: boolean; raft: { state: string; term: number | string } };
    };
    const leads = store.raft.state === "Leader";
    return { leads, ready: store.ready, term: Number(store.raft.term) };
  } catch {
    return { leads: false, ready: false, term: 0 };
  }
}

async function nodesOf(size: number, options: ClusterOptions): Promise<Rqlited[]> {
  const ports: { http: number; raft: number }[] = [];
  for (let i = 0; i < size; i++) ports.push({ http: await freePort(), raft: await freePort() });
  const join = ports.map(({ raft }) => `127.0.0.1:${raft}`).join(",");
  const { advertise, args = [], auth, raftTimeout = 400 } = options;
  return ports.map((pair, index) => {
    const { args: own = [], ...each } = options.each?.(index, pair) ?? {};
    return new Rqlited(pair, {
      id: String(index + 1),
      raftTimeout,
      ...each,
      ...(auth ? { auth } : {}),
      ...(advertise ? { advertise: advertise(index) } : {}),
      args: [
        ...["-bootstrap-expect", String(size), "-join", join],
        ...(auth ? ["-join-as", ADMIN.username] : []),
        ...args,
        ...own,
      ],
    });
  });
}

/** Starts `size` nodes at once and waits until all are ready under one leader. */
export async function startCluster(size = 3, options: ClusterOptions = {}): Promise<Cluster> {
  for (let attempt = 1;; attempt++) {
    const cluster = new Cluster(await nodesOf(size, options));
    for (const node of cluster.nodes) node.spawn();
    try {
      await cluster.settled();
      return cluster;
    } catch (error) {
      const taken = cluster.nodes.some((node) => node.log().includes("address already in use"));
      await cluster.stop();
      if (attempt === 3 || !taken) throw error;
    }
  }
}
