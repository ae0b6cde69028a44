import { type ChildProcess, spawn } from "node:child_process";

/**
 * Reads pids, one a line, until its input ends: when we say so, or when this process died in
 * whatever way, SIGKILL included. Then it kills the last pid named and removes the folder.
 */
const SCRIPT = `
trap '' INT TERM HUP
while read -r line; do pid=$line; done
[ -n "$pid" ] && kill -9 "$pid" 2>/dev/null
rm -rf "$0"
`;

/** Outlives the test process just long enough to clean up after it. */
export class Guard {
  readonly #child: ChildProcess;
  readonly #gone: Promise<void>;

  constructor(directory: string) {
    this.#child = spawn("sh", ["-c", SCRIPT, directory], {
      stdio: ["pipe", "ignore", "ignore"],
      // Out of our process group, so a Ctrl-C or a group kill does not take it along.
      detached: true,
    });
    this.#gone = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#child.unref();
  }

  /** Names the process to kill; `undefined` when there is none at the moment. */
  watch(pid: number | undefined): void {
    this.#child.stdin?.write(`${pid ?? ""}\n`);
  }

  /** Removes the folder and ends. */
  async release(): Promise<void> {
    this.#child.ref();
    this.#child.stdin?.end();
    await this.#gone;
  }
}
