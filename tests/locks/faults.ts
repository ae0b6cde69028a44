// What may go wrong while processes count under a lock. Each ends in an exact number, whatever the lock did.
import assert from "node:assert/strict";
import { startCluster } from "../support/cluster.ts";
import { sleep } from "../support/http.ts";
import { startProxy } from "../support/proxy.ts";
import { startRedisCluster } from "../support/redis_cluster.ts";
import type { RedisKind } from "../support/redis.ts";
import { equalReplicas } from "../support/replicas.ts";
import { startRqlited } from "../support/rqlited.ts";
import { count, type Crowd, type Told } from "./crowd.ts";
import type { LockWorld, RedisLockWorld, StartedLock } from "./lock_worlds.ts";
import type { LockPlan } from "./make_lock.ts";

/** How much is counted. */
export interface Size {
  readonly processes: number;
  readonly rounds: number;
  /** How many runs are stopped for longer than their lease. */
  readonly pauses: number;
  /** Milliseconds between two blows against a server that come once or twice only. */
  readonly blow: number;
}

/** What the processes met; `n` is the counter. */
export type Counted = Told & { readonly n: number };

const LEASE = 50;

/** Every tenth commit is done, and nobody hears of it. */
const CUT_EVERY = 10;

/** The version of the lock is the only guard: what is read is not compared. */
const GUARDED = { isolation: "none" } as const;

/** Nothing goes wrong: nobody is in another's way. */
export async function countInPeace({ start }: LockWorld, size: Size): Promise<Counted> {
  return await onOneNode(start, undefined, size);
}

/** The same pauses where the lock is all there is: to show that the others need the guard, and are tried hard. */
export async function countUnguarded({ start }: LockWorld, size: Size): Promise<Counted> {
  return await onOneNode(start, LEASE, size, () => ({ pauses: pausesOf(size), guarded: false }));
}

/** Holders are stopped between reading and writing, and between the last look at the clock and the commit. */
export async function countWithPauses({ start }: LockWorld, size: Size): Promise<Counted> {
  return await onOneNode(start, LEASE, size, () => ({ pauses: pausesOf(size) }));
}

/** The same, and answers to commits are lost. */
export async function countWithLostAnswers(
  { start }: LockWorld,
  size: Size,
): Promise<Counted & { readonly cut: number }> {
  const server = await startRqlited();
  const proxy = await startProxy(server.url);
  let [commits, cut] = [0, 0];
  proxy.plan = ({ body }) => {
    if (!body.includes("UPDATE counter") || ++commits % CUT_EVERY !== 0) return "pass";
    cut++;
    return "cut after request";
  };
  const { plan, stop } = await start(LEASE);
  try {
    const crowd = { ...crowdOf(size, plan), pauses: pausesOf(size) };
    return { ...await count(server.url, crowd, [proxy.url]), cut };
  } finally {
    await stop();
    await proxy.close();
    await server.stop();
  }
}

/** The server of the lock forgets everything, again and again. */
export async function countWithWipes({ start }: RedisLockWorld, size: Size): Promise<Counted> {
  return await onOneNode(start, undefined, size, ({ server }) => ({
    think: 20,
    trouble: repeat(300, async () => void await server.send("FLUSHALL")),
  }));
}

/** The server of the lock is killed and starts empty, again and again. */
export async function countWithRestarts({ start }: RedisLockWorld, size: Size): Promise<Counted> {
  return await onOneNode(start, undefined, size, ({ server }) => ({
    think: 20,
    trouble: repeat(size.blow, () => server.restart()),
  }));
}

/** A replica that knows nothing of the lock takes over from the master that has it. */
export async function countWithFailover(kind: RedisKind, size: Size): Promise<Counted> {
  const server = await startRqlited();
  const cluster = await startRedisCluster(kind, { replicas: 1, nodeTimeout: 500 });
  try {
    const key = "rqlite:lock:counter";
    const master = await cluster.masterOf(key);
    const replica = cluster.replicas[cluster.masters.indexOf(master)]!;
    const seed = cluster.masters.find((node) => node !== master)!;
    const plan = { kind: "redis", port: seed.port, cluster: true } as const;
    const trouble = async (): Promise<void> => {
      await sleep(size.blow);
      replica.pause();
      await master.send("CLIENT", "KILL", "TYPE", "replica");
      await sleep(50);
      await master.kill();
      replica.resume();
    };
    // Somebody must be there when the replica has taken over.
    const think = 4 * size.blow / size.rounds + 60;
    const counted = await count(server.url, { ...crowdOf(size, plan), think, trouble });
    assert.match(String(await replica.send("ROLE")), /^master/);
    return counted;
  } finally {
    await cluster.stop();
    await server.stop();
  }
}

/** Each process knows one of three nodes; the leader is killed, and starts again. */
export async function countWithDeadLeaders(
  { start }: LockWorld,
  size: Size,
  deaths: number,
): Promise<Counted> {
  const cluster = await startCluster(3);
  const { plan, stop } = await start(1_000);
  let died = 0;
  const trouble = async (over: AbortSignal): Promise<void> => {
    while (died < deaths && !over.aborted) {
      await sleep(size.blow);
      const leader = await cluster.leader();
      await leader.kill();
      died++;
      await cluster.leader();
      await leader.restart();
      await cluster.settled();
    }
  };
  try {
    const leader = await cluster.leader();
    const crowd = { ...crowdOf(size, plan), think: 2 * size.blow / size.rounds, trouble };
    const counted = await count(leader.url, crowd, cluster.urls);
    assert.ok(died > 0, "nobody died");
    await equalReplicas(cluster);
    return counted;
  } finally {
    await stop();
    await cluster.stop();
  }
}

/** Lets them count on one node, under a lock that was just started. */
async function onOneNode<S extends StartedLock>(
  start: (lease?: number) => Promise<S>,
  lease: number | undefined,
  size: Size,
  more: (started: S) => Pick<Crowd, "pauses" | "think" | "trouble" | "guarded"> = () => ({}),
): Promise<Counted> {
  const node = await startRqlited();
  const started = await start(lease);
  try {
    return await count(node.url, { ...crowdOf(size, started.plan), ...more(started) });
  } finally {
    await started.stop();
    await node.stop();
  }
}

function crowdOf({ processes, rounds }: Size, lock: LockPlan): Omit<Crowd, "urls"> {
  return { processes, rounds, lock, ...GUARDED };
}

function pausesOf({ pauses }: Size): Crowd["pauses"] & object {
  return { share: pauses, milliseconds: 2 * LEASE };
}

function repeat(every: number, act: () => Promise<void>): (over: AbortSignal) => Promise<void> {
  return async (over) => {
    while (!over.aborted) {
      await sleep(every);
      await act();
    }
  };
}
