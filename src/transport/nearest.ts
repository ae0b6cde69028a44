import { StaleReadError } from "../errors.ts";
import type { Attempt } from "./attempt.ts";

/** What is known of a node, in milliseconds and points in time. */
interface Estimate {
  /** How long an answer takes; `undefined` before the first. */
  trip: number | undefined;
  /** It is left out until then: it has failed, or was too stale. */
  avoided: number;
  /** It is asked again then, though others are nearer. */
  look: number;
  /** Since when it has answered nothing of what it was asked. */
  silent: number | undefined;
}

/** How much of an estimate a slower answer takes the place of: a long read is not yet a slow node. */
const SHARE = 0.1;

/** So much farther than the nearest is as near: the load is shared. */
const FACTOR = 2;
const SLACK = 10;

/** How long a node is left out for a failure, and one that is farther away between two looks at it, in milliseconds. */
const MEMORY = 5_000;

/** A node that answers nothing for so long, or for so many trips, gets no more reads until it does, in milliseconds. */
const PATIENCE = 250;
const PATIENT_TRIPS = 8;

/** How long a look at a node may take that has failed or is farther away, in milliseconds: others would have answered. */
const LOOK_LIMIT = 500;

/**
 * Where a read goes that any node may answer: in turns to those that answer about as fast as the fastest. One that fails,
 * answers slowly or not at all is left out, and looked at again every few seconds by one read, which does not wait long.
 */
export class Nearest {
  readonly #estimates = new Map<string, Estimate>();
  #turn = 0;

  /** The node to ask; `undefined` where none is better than another. */
  choose(nodes: readonly string[]): string | undefined {
    for (const node of this.#estimates.size > nodes.length ? this.#estimates.keys() : []) {
      if (!nodes.includes(node)) this.#estimates.delete(node);
    }
    const now = performance.now();
    const due = nodes.find((node) => this.#of(node).look <= now);
    if (due !== undefined) return due;
    const near = this.#near(nodes, now);
    return near[this.#turn++ % near.length];
  }

  /** Asks `node` and learns from what comes of it. @param first Nobody was asked before. @param limit In milliseconds. */
  async ask<T>(
    node: string,
    first: boolean,
    limit: number,
    send: (limit: number) => Promise<Attempt<T>>,
  ): Promise<Attempt<T>> {
    const estimate = this.#of(node);
    const started = performance.now();
    const others = this.#near([...this.#estimates.keys()], started);
    const look = first && others.length > 0 && !others.includes(node);
    estimate.silent ??= started;
    estimate.look = started + MEMORY;
    try {
      const came = await send(look ? Math.min(limit, LOOK_LIMIT) : limit);
      this.#learn(estimate, came, performance.now() - started);
      return came;
    } finally {
      // Nobody counts what is under way: on Workers a request that has ended takes it with it.
      estimate.silent = undefined;
    }
  }

  #learn(estimate: Estimate, { verdict }: Attempt<unknown>, took: number): void {
    const now = performance.now();
    if ("error" in verdict) {
      // What is wrong with the request itself says nothing about the node.
      if (verdict.next === "never" && !(verdict.error instanceof StaleReadError)) return;
      estimate.avoided = estimate.look = now + MEMORY;
      return;
    }
    const { trip } = estimate;
    estimate.trip = trip === undefined || took < trip ? took : trip + (took - trip) * SHARE;
    estimate.avoided = 0;
    // The first time a connection had to be opened, too: that says little.
    estimate.look = trip === undefined ? now : now + MEMORY;
  }

  #near(nodes: readonly string[], now: number): string[] {
    const well = nodes.filter((node) => isWell(this.#of(node), now));
    const least = Math.min(...well.map((node) => this.#tripTo(node)));
    return well.filter((node) => this.#tripTo(node) <= least * FACTOR + SLACK);
  }

  #tripTo(node: string): number {
    return this.#of(node).trip ?? Infinity;
  }

  #of(node: string): Estimate {
    const known = this.#estimates.get(node);
    if (known !== undefined) return known;
    const estimate = { trip: undefined, avoided: 0, look: 0, silent: undefined };
    this.#estimates.set(node, estimate);
    return estimate;
  }
}

function isWell({ trip, avoided, silent }: Estimate, now: number): boolean {
  if (trip === undefined || avoided > now) return false;
  return silent === undefined || now - silent <= Math.max(PATIENCE, trip * PATIENT_TRIPS);
}
