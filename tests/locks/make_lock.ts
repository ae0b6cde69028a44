import type { Client, Lock } from "../../mod.ts";
import { RqliteLock } from "../../src/locks/rqlite.ts";

/** Which lock a process uses, as it can be told to another process. */
export type LockPlan =
  | { readonly kind: "none" }
  | { readonly kind: "rqlite"; readonly leaseDuration?: number };

/** A lock, and what closes its client. */
export interface MadeLock {
  readonly lock: Lock | undefined;
  readonly close: () => Promise<void>;
}

/** Makes the lock that all processes of a test share. */
export function makeLock(plan: LockPlan, db: Client): Promise<MadeLock> {
  const name = "counter";
  const close = (): Promise<void> => Promise.resolve();
  switch (plan.kind) {
    case "none":
      return Promise.resolve({ lock: undefined, close });
    case "rqlite": {
      const { leaseDuration } = plan;
      const options = { name, client: db, ...(leaseDuration !== undefined && { leaseDuration }) };
      return Promise.resolve({ lock: new RqliteLock(options), close });
    }
  }
}
