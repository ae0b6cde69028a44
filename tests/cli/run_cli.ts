import { main, type Sink, type Surroundings } from "../../src/cli/mod.ts";

/** How a command line ended. */
export interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** What stands around a command line, where it matters. */
export interface Around {
  /** Standard input, piece by piece. */
  readonly stdin?: string | readonly (string | Uint8Array)[] | AsyncIterable<string>;
  readonly env?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal;
  /** Somebody types the input and looks at the output. */
  readonly terminal?: boolean;
}

/** Runs a command line in this process. */
export async function cli(args: readonly string[], around: Around = {}): Promise<Ended> {
  const { stdin = [], env = {}, signal, terminal = false } = around;
  const [stdout, stderr] = [new Captured(terminal), new Captured(terminal)];
  const pieces = typeof stdin === "string" ? [stdin] : stdin;
  const surroundings: Surroundings = {
    stdin: Object.assign(ReadableStream.from<string | Uint8Array>(pieces), { isTTY: terminal }),
    ...{ stdout, stderr, env, signal },
  };
  const code = await main(args, surroundings);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

/** Keeps what is written. */
export class Captured implements Sink {
  readonly isTTY: boolean;
  readonly #decoder = new TextDecoder();
  text = "";

  constructor(isTTY: boolean) {
    this.isTTY = isTTY;
  }

  write(chunk: string | Uint8Array, done: () => void): void {
    this.text += typeof chunk === "string" ? chunk : this.#decoder.decode(chunk, { stream: true });
    done();
  }
}
