/** Chromium without a driver: it is started on a page of this process, which posts back what it found. */

import { run } from "./run.ts";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-sync"],
  "--disable-dev-shm-usage",
];

/** What the page posted, and what the browser printed. */
export interface BrowserRun {
  /** `undefined` if the page never posted. */
  readonly results: unknown;
  readonly output: string;
}

/** How long its installation may take, in milliseconds. */
const INSTALL_LIMIT = 5 * 60_000;

/** Finds Chromium: in `CHROMIUM_BIN`, then on `PATH`; a machine with Debian's packages may get it. */
export async function findChromium(): Promise<string | undefined> {
  const named = Deno.env.get("CHROMIUM_BIN");
  const names = named ? [named] : ["chromium", "chromium-browser", "google-chrome"];
  for (const path of names) if (await answers(path, "--version")) return path;
  const packaged = "chromium";
  if (Deno.uid() !== 0 || named || !await answers("apt-get", "--version")) return undefined;
  const limits = { limit: INSTALL_LIMIT, verbose: false };
  await run("apt-get", ["update"], limits);
  await run("apt-get", ["install", "-y", "--no-install-recommends", packaged], limits);
  return await answers(packaged, "--version") ? packaged : undefined;
}

async function answers(path: string, ...args: readonly string[]): Promise<boolean> {
  try {
    const command = new Deno.Command(path, { args: [...args], stdout: "null", stderr: "null" });
    return (await command.output()).success;
  } catch {
    return false; // there is no such program
  }
}

/** What a page looks like as HTML, once its script has had some seconds. */
export async function dumpPage(chromium: string, url: string): Promise<string> {
  return await withProfile(async (profile) => {
    const args = [...FLAGS, profile, "--virtual-time-budget=5000", "--dump-dom", url];
    const { stdout } = await new Deno.Command(chromium, { args, stderr: "null" }).output();
    return new TextDecoder().decode(stdout);
  });
}

/** Gives a folder for what the browser remembers, as a flag, and removes it. */
async function withProfile<T>(body: (flag: string) => Promise<T>): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "chromium-" });
  try {
    return await body(`--user-data-dir=${folder}`);
  } finally {
    // Its children hold the folder for a moment.
    for (let i = 0; i < 10; i++) {
      const removed = await Deno.remove(folder, { recursive: true }).then(() => true, () => false);
      if (removed) break;
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }
}

/**
 * Runs a module that exports `runAll` in a page.
 *
 * @param globals What the page finds as global variables.
 * @param limit Milliseconds.
 */
export async function runInBrowser(
  chromium: string,
  module: string,
  globals: Readonly<Record<string, unknown>>,
  limit: number,
): Promise<BrowserRun> {
  const done = Promise.withResolvers<unknown>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/done") {
      done.resolve(await request.json());
      return new Response("thanks");
    }
    if (pathname === "/suite.mjs") {
      const headers = { "content-type": "text/javascript" };
      return new Response(await Deno.readTextFile(module), { headers });
    }
    return new Response(page(globals), { headers: { "content-type": "text/html" } });
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  try {
    return await withProfile((profile) => visit(chromium, [profile, url], done, limit));
  } finally {
    await server.shutdown();
  }
}

/** Lets the browser run until the page has posted, or time is up. */
async function visit(
  chromium: string,
  args: readonly string[],
  done: PromiseWithResolvers<unknown>,
  limit: number,
): Promise<BrowserRun> {
  const child = new Deno.Command(chromium, {
    args: [...FLAGS, ...args],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  const output = new Response(child.stderr).text();
  const timer = setTimeout(() => done.resolve(undefined), limit);
  void child.status.then(() => done.resolve(undefined));
  const results = await done.promise;
  clearTimeout(timer);
  try {
    child.kill("SIGTERM");
  } catch {
    // It has ended already.
  }
  await child.status;
  return { results, output: await output };
}

function page(globals: Readonly<Record<string, unknown>>): string {
  return `<!doctype html><meta charset="utf-8"><title>Tests</title><script type="module">
Object.assign(globalThis, ${JSON.stringify(globals)});
const post = (body) => fetch("/done", { method: "POST", body: JSON.stringify(body) });
try {
  const { runAll } = await import("/suite.mjs");
  await post(await runAll());
} catch (error) {
  await post([{ name: "the page", state: "failed", error: String(error?.stack ?? error) }]);
}
</script>`;
}
