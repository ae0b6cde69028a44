import type { Client } from "../client/client.ts";
import { AuthenticationError, NotSupportedError } from "../errors.ts";
import { isAbort, Stopped } from "./exit.ts";

/** How long the cluster is asked what became of a write, in milliseconds. */
const LIMIT = 5000;

/** What a write is run with. */
export interface WriteOptions {
  /** Ends it. */
  readonly signal: AbortSignal;
  /** By which its outcome is asked for; absent where it can have none. */
  readonly id?: string;
}

/**
 * Runs a write under an id, so that it is known what became of it when it is interrupted.
 *
 * @throws {Stopped} If it was interrupted; the message tells what became of it.
 */
export async function withKnownOutcome<T>(
  db: Client,
  signal: AbortSignal,
  write: (options: WriteOptions) => Promise<T>,
): Promise<T> {
  const id = `cli-${crypto.randomUUID()}`;
  try {
    return await write({ signal, id });
  } catch (error) {
    if (isAbort(error, signal)) throw new Stopped(error, await outcomeOf(db, id));
    // Nothing was applied: an account that may not keep ids may still write without, and so may a script that only reads.
    if (takesNoId(error)) return await withoutId(signal, write);
    throw error;
  }
}

function takesNoId(error: unknown): boolean {
  return error instanceof AuthenticationError || error instanceof NotSupportedError ||
    error instanceof TypeError;
}

async function withoutId<T>(
  signal: AbortSignal,
  write: (options: WriteOptions) => Promise<T>,
): Promise<T> {
  try {
    return await write({ signal });
  } catch (error) {
    if (!isAbort(error, signal)) throw error;
    throw new Stopped(error, "it cannot be told whether the write was applied");
  }
}

async function outcomeOf(db: Client, id: string): Promise<string> {
  const outcome = await db.outcome(id, { timeout: LIMIT }).catch(() => "unknown" as const);
  switch (outcome) {
    case "committed":
      return "the write was applied";
    case "not committed":
      return "the write was not applied, and will not be";
    case "unknown":
      return `it cannot be told whether the write was applied; its id is ${id}`;
  }
}
