/** What can be measured, by name. */

import type { Rqlited } from "../tests/support/rqlited.ts";
import type { Plan } from "./measure.ts";
import type { EngineName, Figure } from "./results.ts";

/** What a scenario is given. */
export interface Bench {
  readonly engine: EngineName;
  /** Few rounds and small ones. */
  readonly quick: boolean;
  /** A fresh rqlited. @param disk It keeps its data on a disk instead of in memory. */
  server(disk?: boolean): Promise<Rqlited>;
  /** Measures, and tells the results. */
  contest(plan: Plan): Promise<void>;
  /** Tells a figure. */
  figure(figure: Omit<Figure, "scenario" | "engine">): void;
}

/** Measures one subject on the engine that runs it. */
export type Scenario = (bench: Bench) => Promise<void>;

/** A scenario as the command knows it. */
export interface ScenarioEntry {
  /** For people. */
  readonly about: string;
  readonly engines: readonly EngineName[];
  readonly load: () => Promise<{ readonly default: Scenario }>;
}

const ALL = ["deno", "bun", "node"] as const;

/** Every scenario, in the order in which they run. */
export const SCENARIOS: Readonly<Record<string, ScenarioEntry>> = {
  reads: {
    about: "Reads of one row",
    engines: ALL,
    load: () => import("./scenarios/reads.ts"),
  },
  writes: {
    about: "Writes of one row",
    engines: ALL,
    load: () => import("./scenarios/writes.ts"),
  },
  transactions: {
    about: "Read, change, write",
    engines: ALL,
    load: () => import("./scenarios/transactions.ts"),
  },
  readback: {
    about: "Transactions that read back each of their writes",
    engines: ALL,
    load: () => import("./scenarios/readback.ts"),
  },
  bulk: {
    about: "Many rows",
    engines: ALL,
    load: () => import("./scenarios/bulk.ts"),
  },
  decode: {
    about: "Reads of many rows of 6 columns, without a network",
    engines: ALL,
    load: () => import("./scenarios/decode.ts"),
  },
  drivers: {
    about: "Drizzle, Kysely and Hono on top of the client",
    engines: ALL,
    load: () => import("./scenarios/drivers.ts"),
  },
  locks: {
    about: "Locks in Redis",
    engines: ["deno"],
    load: () => import("./scenarios/locks.ts"),
  },
  start: {
    about:
      "Loading the client: as it is here, which Node had to turn into JavaScript first; its size",
    engines: ["deno", "bun"],
    load: () => import("./scenarios/start.ts"),
  },
};
