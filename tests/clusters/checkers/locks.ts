import type { Op } from "../history.ts";
import { checkInserts, type InsertCall } from "./inserts.ts";

/** Somebody had the lock, and noted that. */
export interface LockCall extends InsertCall {
  /** The fencing token that came with it; a call that failed may have none. */
  readonly token?: number;
}

/** What a holder wrote down: one more than the one before him, and his token. */
export interface Noted {
  readonly key: string;
  readonly n: number;
  readonly token: number;
}

/**
 * Does a lock keep holders apart? Notes, in the order in which they were written, count up by one and have growing tokens;
 * whoever got the lock after another had gone has a greater token; and each acknowledged turn is noted once.
 */
export function checkLocks(ops: readonly Op<LockCall>[], notes: readonly Noted[]): string[] {
  const found = Map.groupBy(notes, ({ key }) => key);
  const counts = new Map([...found].map(([key, same]) => [key, same.length]));
  return [...checkInserts(ops, counts), ...checkNotes(notes), ...checkTokens(ops)];
}

function checkNotes(notes: readonly Noted[]): string[] {
  return notes.slice(1).flatMap(({ key, n, token }, i) => {
    const before = notes[i]!;
    if (n !== before.n + 1) return [`${key} counted ${n} behind ${before.n} of ${before.key}`];
    return token > before.token
      ? []
      : [`${key} wrote with token ${token} behind token ${before.token} of ${before.key}`];
  });
}

function checkTokens(ops: readonly Op<LockCall>[]): string[] {
  const turns = ops.filter(({ did, ended }) => ended === "done" && did.token !== undefined);
  const byEnd = turns.toSorted((a, b) => a.end - b.end);
  let [next, greatest] = [0, -Infinity];
  return turns.toSorted((a, b) => a.start - b.start).flatMap(({ start, did: { key, token } }) => {
    for (; next < byEnd.length && byEnd[next]!.end < start; next++) {
      greatest = Math.max(greatest, byEnd[next]!.did.token!);
    }
    return token! > greatest ? [] : [`${key} got token ${token} after token ${greatest} was done`];
  });
}
