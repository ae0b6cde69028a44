import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createInterface } from "node:readline";
import process from "node:process";
import { fileURLToPath } from "node:url";

const ENVIRONMENT = fileURLToPath(new URL("../../out/python/", import.meta.url));
/** Where the environment has its interpreter. */
export const PYTHON: string = `${ENVIRONMENT}bin/python`;

/** For `{ skip }`: why tests that talk to Python cannot run here. Under CI they fail instead. */
export function skipWithoutPython(): string | false {
  if (existsSync(`${ENVIRONMENT}requirements.txt`) || process.env.CI) return false;
  return "needs python3 with venv, and PyPI: `deno task test` makes an environment in out/python then";
}

/** A script that answers a line to each line. */
export class PythonChild {
  readonly #child: ChildProcess;
  readonly #answers: AsyncIterator<string>;
  readonly #gone: Promise<void>;

  constructor(file: string, args: readonly string[]) {
    this.#child = spawn(PYTHON, [file, ...args], { stdio: ["pipe", "pipe", "inherit"] });
    this.#gone = new Promise((resolve) => this.#child.once("close", () => resolve()));
    this.#answers = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  async ask(line: string): Promise<string> {
    this.#child.stdin!.write(`${line}\n`);
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`Python ended at ${JSON.stringify(line)}`);
    return value;
  }

  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#gone;
  }
}
