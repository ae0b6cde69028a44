import { resolve } from "node:path";
import { ROOT } from "./paths.ts";

/** How a command ended. */
export interface Ran {
  readonly code: number;
  /** What it wrote, both streams as they came; empty when it wrote straight to the terminal. */
  readonly output: string;
}

/** What a command may take and where its output goes. */
export interface RunOptions {
  /** Milliseconds until it is ended. */
  readonly limit: number;
  /** Its output goes straight to the terminal. */
  readonly verbose: boolean;
  /** Relative to the root. */
  readonly folder?: string;
  /** Variables besides those of this process. */
  readonly env?: Readonly<Record<string, string>>;
}

async function drain(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  parts: string[],
): Promise<void> {
  for await (const part of stream.pipeThrough(new TextDecoderStream())) parts.push(part);
}

/** Runs a command in the root folder to its end, or ends it after the limit. */
export async function run(
  path: string,
  args: readonly string[],
  options: RunOptions,
): Promise<Ran> {
  const { limit, verbose, folder = ".", env = {} } = options;
  const stdio = verbose ? "inherit" : "piped";
  const child = new Deno.Command(path, {
    args: [...args],
    cwd: resolve(ROOT, folder),
    stdin: "null",
    stdout: stdio,
    stderr: stdio,
    env: { ...env, ...(!verbose && { NO_COLOR: "1" }) },
  }).spawn();
  const parts: string[] = [];
  const drained = verbose ? [] : [drain(child.stdout, parts), drain(child.stderr, parts)];
  const timers = [
    setTimeout(() => {
      parts.push(`\nEnded after ${limit / 1000} s\n`);
      child.kill("SIGTERM");
    }, limit),
    setTimeout(() => child.kill("SIGKILL"), limit + 10_000),
  ];
  const { code } = await child.status;
  timers.forEach(clearTimeout);
  // What the command left running in turn may hold its pipes open for ever.
  const patience = Promise.withResolvers<void>();
  const timer = setTimeout(patience.resolve, 3000);
  await Promise.race([Promise.all(drained), patience.promise]);
  clearTimeout(timer);
  return { code, output: parts.join("") };
}
