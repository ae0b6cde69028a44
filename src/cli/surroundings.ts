/** Where a program's bytes go, such as `process.stdout`. */
export interface Sink {
  /** Whether a person reads it. */
  readonly isTTY?: boolean | undefined;
  /** Writes, and calls back when it has. */
  write(chunk: string | Uint8Array, done: (error?: Error | null) => void): unknown;
  /** Told of what goes wrong behind a write. */
  on?(event: "error", listener: (error: Error) => void): unknown;
}

/** Where a program's bytes come from, such as `process.stdin`. */
export interface Source extends AsyncIterable<string | Uint8Array> {
  /** Whether a person types. */
  readonly isTTY?: boolean | undefined;
  /** Makes a terminal hand over each key at once, and not show it. */
  setRawMode?(raw: boolean): unknown;
}

/** What stands around a command: streams, the environment, and who ends it. */
export interface Surroundings {
  /** For SQL and data where a file is `-`, and for answers of a person. */
  readonly stdin: Source;
  /** For results. */
  readonly stdout: Sink;
  /** For errors, questions and progress. */
  readonly stderr: Sink;
  /** Variables: `RQLITE_URL`, `RQLITE_PASSWORD` and `NO_COLOR` are read. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Ends the command: what is under way is settled first. Its reason may be an {@linkcode Interruption}. */
  readonly signal?: AbortSignal | undefined;
}

/** How a program ends that a signal of the system has ended: 128 and the number of that signal. */
const CODES = { SIGINT: 130, SIGTERM: 143 } as const;

/**
 * The reason of a command that was interrupted.
 *
 * @example
 * ```ts
 * import { Interruption } from "@tangled/rqlite/cli";
 *
 * const reason = new Interruption("SIGTERM"); // for the controller whose signal `main` has
 * console.log(reason.exitCode); // 143
 * ```
 */
export class Interruption extends Error {
  /** "Interruption". */
  override name = "Interruption";
  /** What the program ends with. */
  readonly exitCode: number;

  /**
   * Makes a reason.
   *
   * @param signal What the system has sent.
   */
  constructor(signal: keyof typeof CODES = "SIGINT") {
    super("Interrupted");
    this.exitCode = CODES[signal];
  }
}
