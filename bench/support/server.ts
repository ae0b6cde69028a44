import { spawn } from "node:child_process";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** A server that does nothing, so that only the client is measured. */
export interface FixedServer {
  readonly url: string;
  stop(): void;
}

/** Starts it beside this process, on the same engine. */
export async function startFixedServer(): Promise<FixedServer> {
  const file = fileURLToPath(new URL("./fixed_server.ts", import.meta.url));
  const args = process.versions["deno"] === undefined ? [file] : ["run", "-A", file];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  const port = await new Promise<string>((resolve, reject) => {
    child.once("error", reject);
    child.once("exit", () => reject(new Error("The server of the bench ended early")));
    child.stdout.once("data", (line) => resolve(String(line).trim()));
  });
  child.unref();
  return { url: `http://127.0.0.1:${port}`, stop: () => void child.kill() };
}
