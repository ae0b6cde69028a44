// What is done to a cluster while it works. Each fault ends with everything mended.
import type { Cluster } from "../support/cluster.ts";
import { holdsId } from "../support/commits.ts";
import { sleep, until } from "../support/http.ts";
import type { Links } from "../support/links.ts";
import type { Fault, Proxy } from "../support/proxy.ts";
import { Random } from "../support/random.ts";
import type { Rqlited } from "../support/rqlited.ts";
import type { RqlitedBinary } from "../support/rqlited_binary.ts";
import { PLAIN } from "./workloads.ts";

/** Three nodes, and what stands between them and their clients, and between each two of them. */
export interface World {
  readonly cluster: Cluster;
  /** One in front of each node. */
  readonly proxies: readonly Proxy[];
  readonly links: Links;
  /** Milliseconds for which a fault lasts, about. */
  readonly hold: number;
  /** What nodes are after the first rolling restart. */
  readonly newer: RqlitedBinary;
  /** How many requests were doubled that no id protects, by the name of their counter. */
  readonly copies: Map<string, number>;
  /** Takes a backup of one of the nodes and keeps it. */
  backup(node: number): Promise<void>;
}

type Break = (world: World, random: Random) => Promise<void>;

/** What befalls the nodes and what they say to each other, one at a time. */
const OF_NODES: Readonly<Record<string, Break>> = {
  "kill -9 of the leader": (world) => killed(world, leaderOf(world)),
  "kill -9 of a follower": (world, random) => killed(world, followerOf(world, random)),
  "SIGSTOP of the leader": (world) => stopped(world, leaderOf(world)),
  "SIGSTOP of a follower": (world, random) => stopped(world, followerOf(world, random)),
  "the leader is heard by no node": (world) => cutOff(world, leaderOf(world), ["from"]),
  "the leader hears no node": (world) => cutOff(world, leaderOf(world), ["to"]),
  "the leader is cut off from all nodes": (world) => cutOff(world, leaderOf(world), ["from", "to"]),
  "a follower hears no node": (world, random) => cutOff(world, followerOf(world, random), ["to"]),
  "nodes hear each other late": async ({ links, hold }, random) => {
    for (const link of links.all()) link.delay = 5 + random.below(40);
    await sleep(hold);
  },
  "a rolling restart": rolling,
  "a member is removed, and a new one added": replaced,
};

/** What befalls requests and answers on their way, beside that. */
const OF_REQUESTS: Readonly<Record<string, Break>> = {
  "answers are dropped": (world, random) =>
    planned(world, random, 30, [
      ...["swallow answer", "cut after request", "cut after headers", "cut in body"] as const,
    ]),
  "requests are dropped": (world, random) =>
    planned(world, random, 30, ["swallow", "cut before", "cut before", "pass and close"]),
  "requests are doubled": (world, random) =>
    planned(world, random, 50, ["twice", { copy: 20 }, { copy: 700 }]),
  "requests and answers are late": (world, random) =>
    planned(world, random, 50, [{ delay: 200 }, { hold: 200 }, { hold: 1500 }]),
  "a node hears no client": (world, random) => deaf(world, random, "swallow"),
  "no client hears a node": (world, random) => deaf(world, random, "swallow answer"),
  "connections are cut": async ({ proxies, hold }) => {
    for (const end = Date.now() + hold; Date.now() < end; await sleep(hold / 5)) {
      for (const proxy of proxies) {
        proxy.refuse = 2;
        proxy.cutAll();
      }
    }
  },
  "a backup is taken": ({ backup }, random) => backup(random.below(3)),
};

/** The two kinds of faults; one of each is under way at a time. */
export const LANES = { nodes: OF_NODES, requests: OF_REQUESTS } as const;

/** The name of a kind. */
export type Lane = keyof typeof LANES;

/** Both, of which each seed makes another order. */
export const LANE_NAMES = Object.keys(LANES) as Lane[];

/** The order in which a seed lets faults happen: each once, in another order, again and again. */
export function faultOrder(seed: number, lane: Lane, rounds: number): string[] {
  const random = new Random(seed + LANE_NAMES.indexOf(lane));
  return Array.from({ length: rounds }, () => {
    const names = Object.keys(LANES[lane]);
    const left = [...names];
    return names.map(() => left.splice(random.below(left.length), 1)[0]!);
  }).flat();
}

/** Lets a fault happen, and mends everything. */
export async function breakOnce(
  world: World,
  lane: Lane,
  name: string,
  random: Random,
): Promise<void> {
  try {
    await LANES[lane][name]!(world, random);
  } finally {
    if (lane === "nodes") {
      for (const link of world.links.all()) link.mend();
      await world.cluster.settled();
    } else {
      for (const proxy of world.proxies) {
        proxy.plan = () => "pass";
        proxy.refuse = 0;
        proxy.reset();
      }
    }
  }
}

const leaderOf = ({ cluster }: World): Promise<Rqlited> => cluster.leader();

async function followerOf({ cluster }: World, random: Random): Promise<Rqlited> {
  return random.of(await cluster.followers());
}

async function killed({ hold }: World, chosen: Promise<Rqlited>): Promise<void> {
  const node = await chosen;
  await node.kill();
  await sleep(hold);
  await node.restart();
}

async function stopped({ hold }: World, chosen: Promise<Rqlited>): Promise<void> {
  const node = await chosen;
  await node.pause();
  await sleep(hold);
  node.resume();
}

async function cutOff(
  { cluster, links, hold }: World,
  chosen: Promise<Rqlited>,
  directions: readonly ("from" | "to")[],
): Promise<void> {
  const me = cluster.nodes.indexOf(await chosen);
  for (const other of cluster.nodes.keys()) {
    if (other === me) continue;
    if (directions.includes("from")) links.link(me, other).cut();
    if (directions.includes("to")) links.link(other, me).cut();
  }
  await sleep(hold);
}

/** Every node in turn, the leader last, as one upgrades a cluster. */
async function rolling({ cluster, newer }: World): Promise<void> {
  const leader = await cluster.leader();
  const others = cluster.nodes.filter((node) => node !== leader);
  for (const node of [...others, leader]) {
    await node.shutdown();
    node.binary = newer;
    await node.restart();
    await cluster.settled();
  }
}

async function replaced(world: World, random: Random): Promise<void> {
  // A removal that nobody has answered may have taken effect: it is this one that has to come back.
  let node = await followerOf(world, random);
  await until("removal of a member", async () => {
    const leader = await leaderOf(world);
    // A node that leads was not removed.
    if (leader === node) node = await followerOf(world, random);
    const init = { method: "DELETE", body: JSON.stringify({ id: node.options.id }) };
    const answer = await leader.ask("/remove", init).catch(() => undefined);
    return answer?.status === 200 || undefined;
  });
  await node.kill();
  await sleep(world.hold / 2);
  // What the leader still sends to the one that is gone may reach the new one, which takes itself for a member then.
  await until("new member", async () => {
    await node.kill();
    node.forget();
    node.spawn();
    const limit = 5_000;
    return await until("new member", () => listed(world, node), { limit }).catch(() => undefined);
  });
  await node.ready();
}

/** Whether the leader counts a node among the members; `undefined` if it does not. */
async function listed(world: World, { options: { id } }: Rqlited): Promise<true | undefined> {
  const { text } = await (await leaderOf(world)).ask("/nodes?ver=2");
  const { nodes } = JSON.parse(text) as { nodes: { id: string }[] };
  return nodes.some((node) => node.id === id) || undefined;
}

/** So many of a hundred requests meet one of the faults. */
async function planned(
  { proxies, hold, copies }: World,
  random: Random,
  share: number,
  faults: readonly Fault[],
): Promise<void> {
  const own = new Random(random.below(1_000_000));
  for (const proxy of proxies) {
    proxy.plan = ({ body }) => {
      if (own.below(100) >= share) return "pass";
      const fault = own.of(faults);
      if (fault === "twice" || typeof fault === "object" && "copy" in fault) note(body, copies);
      return fault;
    };
  }
  await sleep(hold);
}

/** What carries no id is applied twice, whoever sent it. */
function note(body: string, copies: Map<string, number>): void {
  if (holdsId(body)) return;
  for (const [, counter] of body.matchAll(new RegExp(`"(${PLAIN} [^"]+)"`, "g"))) {
    copies.set(counter!, (copies.get(counter!) ?? 0) + 1);
  }
}

async function deaf({ proxies, hold }: World, random: Random, fault: Fault): Promise<void> {
  random.of(proxies).plan = () => fault;
  await sleep(hold);
}
