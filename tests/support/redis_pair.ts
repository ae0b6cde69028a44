import { until } from "./http.ts";
import { type RedisKind, type RedisServer, startRedis } from "./redis.ts";
import { RespClient } from "./resp.ts";

/** Two servers, of which one copies the other and may take over. */
export class RedisPair {
  readonly master: RedisServer;
  readonly replica: RedisServer;
  readonly #clients: RespClient[] = [];
  #leader: RedisServer;

  constructor(master: RedisServer, replica: RedisServer) {
    this.master = this.#leader = master;
    this.replica = replica;
  }

  /** What sends commands to whichever leads, over one connection as long as that lives. */
  client(): (args: readonly string[]) => Promise<unknown> {
    let [to, connecting]: [RedisServer?, Promise<RespClient>?] = [];
    return async (args) => {
      if (connecting === undefined || to !== this.#leader) {
        to = this.#leader;
        connecting = RespClient.connect(to.port);
        connecting.then((client) => this.#clients.push(client), () => {});
      }
      return await (await connecting).send(...args);
    };
  }

  /** From now on nothing reaches the replica. */
  async cut(): Promise<void> {
    this.replica.pause();
    await this.master.send("CLIENT", "KILL", "TYPE", "replica");
  }

  /** The master dies, and the replica leads: what it does not have by then is gone. */
  async failOver(): Promise<void> {
    await this.master.kill();
    this.replica.resume();
    await this.replica.send("REPLICAOF", "NO", "ONE");
    this.#leader = this.replica;
  }

  /** The master that died starts empty, and copies the other. */
  async comeBack(): Promise<void> {
    await this.master.restart();
    await follow(this.master, this.replica);
  }

  /** Ends both. */
  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
    await Promise.all([this.master.stop(), this.replica.stop()]);
  }
}

/** Starts a master, and a replica that has a link to it. */
export async function startRedisPair(kind: RedisKind): Promise<RedisPair> {
  // Or a master waits for seconds for more replicas to send its data to.
  const start = (): Promise<RedisServer> => startRedis(kind, ["--repl-diskless-sync-delay", "0"]);
  const [master, replica] = await Promise.all([start(), start()]);
  const pair = new RedisPair(master, replica);
  try {
    await follow(replica, master);
    return pair;
  } catch (error) {
    await pair.stop();
    throw error;
  }
}

async function follow(who: RedisServer, whom: RedisServer): Promise<void> {
  await who.send("REPLICAOF", "127.0.0.1", String(whom.port));
  await linked(who);
}

async function linked(replica: RedisServer): Promise<void> {
  await until("link to the master", async () => {
    const info = String(await replica.send("INFO", "replication"));
    return info.includes("master_link_status:up") || undefined;
  });
}
