import { OutcomeUnknownError } from "../errors.ts";
import { Interruption } from "./surroundings.ts";

/** What the program ends with. */
export const EXIT = {
  /** It was done. */
  done: 0,
  /** It was refused or failed. */
  failed: 1,
  /** The command line cannot be understood; nothing was done. */
  usage: 2,
  /** `doctor`: the nodes are not equal. */
  notEqual: 3,
  /** It cannot be told whether a write was applied. */
  unknown: 4,
  /** Nobody reads what is written any more. */
  pipe: 141,
} as const;

/** The command line cannot be understood; nothing was done. */
export class UsageError extends Error {
  /** "UsageError". */
  override name = "UsageError";
}

/** What is wrong with a URL, a file or an option is wrong with the command line. */
export function misused(error: unknown): unknown {
  const isMistake = error instanceof TypeError || error instanceof RangeError ||
    (error as { code?: unknown }).code === "ENOENT";
  return isMistake ? new UsageError((error as Error).message, { cause: error }) : error;
}

/** Whoever read the output has gone, as `head` does when it has enough. */
export class PipeClosed extends Error {
  /** "PipeClosed". */
  override name = "PipeClosed";
}

/** It was interrupted, and this is known of what was under way. */
export class Stopped extends Error {
  /** "Interrupted", which is what a person reads. */
  override name = "Interrupted";
  /** What the program ends with. */
  readonly exitCode: number;

  /**
   * Makes an error.
   *
   * @param known What is known, as a sentence.
   */
  constructor(reason: unknown, known: string) {
    super(known);
    this.exitCode = reason instanceof Interruption ? reason.exitCode : EXIT.failed;
  }
}

/** Whether an error is how a call ends that the signal has ended. */
export function isAbort(error: unknown, signal: AbortSignal): boolean {
  return signal.aborted && error === signal.reason;
}

/** What the program ends with where a command has thrown. */
export function exitCodeOf(error: unknown): number {
  if (error instanceof Stopped || error instanceof Interruption) return error.exitCode;
  if (error instanceof PipeClosed) return EXIT.pipe;
  if (error instanceof UsageError) return EXIT.usage;
  return error instanceof OutcomeUnknownError ? EXIT.unknown : EXIT.failed;
}
