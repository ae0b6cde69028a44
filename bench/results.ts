/** What the bench finds out, as it is written to out/bench.json. */

import type { Spread } from "./ratios.ts";

/** The engines that are measured. */
export type EngineName = "deno" | "bun" | "node";

/** What is aimed at. */
export interface Goal {
  /** At least so many times as fast. */
  readonly speed?: number;
  /** At most this part of the other's longest waits, as a divisor: 8 is an eighth. */
  readonly p99?: number;
}

/** What is aimed at without a comparison. */
export interface Limit {
  /** Milliseconds for one operation. */
  readonly time?: number;
  /** Requests for one operation. */
  readonly requests?: number;
}

/** What one operation costs, which does not depend on the machine. */
export interface Counts {
  readonly requests: number;
  readonly statements: number;
  /** What is sent, with the heads of the requests. */
  readonly bytes: number;
  /** Entries of Raft's log. */
  readonly entries: number;
}

/** One case beside another of the same contest. */
export interface Comparison {
  readonly baseline: string;
  /** How many times as fast it is. */
  readonly speed: Spread;
  /** How many times as long the other's 99th percentile is. */
  readonly p99?: Spread;
  readonly goal: Goal;
}

/** One of the ways to do the same thing. */
export interface Measured {
  readonly name: string;
  /** Milliseconds for one operation: of one after the other, or of many at once what it adds to the whole. */
  readonly time: Spread;
  readonly counts?: Counts;
  readonly limit: Limit;
  readonly comparisons: readonly Comparison[];
}

/** Several ways to do the same thing, on one engine, in turns. */
export interface Contest {
  readonly scenario: string;
  readonly engine: EngineName;
  readonly title: string;
  readonly rounds: number;
  readonly measured: readonly Measured[];
}

/** Something that is not compared. */
export interface Figure {
  readonly scenario: string;
  readonly engine: EngineName;
  readonly title: string;
  readonly value: number;
  readonly unit: "bytes";
  /** What it should not exceed. */
  readonly most?: number;
}

/** Where the rest was measured. */
export interface Conditions {
  readonly cores: number;
  /** Of the machine before it began, as an average of a minute: what others did meanwhile. */
  readonly load: number;
  /** As in `linux x86_64`. */
  readonly system: string;
  /** As rqlited itself says. */
  readonly server: string;
  /** Versions, by engine. */
  readonly engines: Readonly<Partial<Record<EngineName, string>>>;
  /** With fewer rounds, whose figures are rough. */
  readonly quick: boolean;
}

/** Everything that a run found out. */
export interface Results {
  readonly conditions: Conditions;
  readonly contests: readonly Contest[];
  readonly figures: readonly Figure[];
}
