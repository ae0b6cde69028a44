import type { Cell, Ops, Row } from "../replicas/doors.ts";
import type { Shop } from "../replicas/shop.ts";
import type { Ended } from "./history.ts";

/** Which client a process uses. */
export type StoreKind = "ours" | "naive";

/** What a store is made for. */
export interface StoreOptions {
  readonly urls: readonly string[];
  /** Milliseconds that a call has. */
  readonly timeout: number;
  /** Milliseconds of a lock's lease. */
  readonly lease: number;
  /** @default the platform's */
  readonly fetch?: typeof fetch;
}

/** What an error of a store says. */
export interface Verdict {
  readonly ended: Ended;
  /** What `outcome()` may be asked for. */
  readonly id?: string;
  /** It is no error that a user should ever meet. */
  readonly strange?: string;
}

/** What workloads work with, whatever the client behind it is. */
export interface Store {
  /** A read that tells what is there now. */
  read(sql: string, ...params: Cell[]): Promise<Row[]>;
  /** @param id An id of the caller's own for the write. */
  write(sql: string, params: readonly Cell[], id?: string): Promise<void>;
  /** A write that may not be repeated: without an id. */
  writePlainly(sql: string, params: readonly Cell[]): Promise<void>;
  transaction<T>(work: (ops: Ops) => Promise<T>): Promise<T>;
  /** Runs the work as the only one that has the lock; its token, once it has read, is greater than those before. */
  locked<T>(work: (ops: Ops, token: () => number) => Promise<T>): Promise<T>;
  outcome(id: string): Promise<"committed" | "not committed" | "unknown">;
  judge(error: unknown): Verdict;
  /** The shop by each way in, by its name. */
  readonly shops: Readonly<Record<string, Shop>>;
  close(): Promise<void>;
}
