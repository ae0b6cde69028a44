/** Chromium without a driver: it is started on a page of this process, which posts back what it found. */

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

/** Finds Chromium: in `CHROMIUM_BIN`, then by the names it has on `PATH`. */
export async function findChromium(): Promise<string | undefined> {
  const named = Deno.env.get("CHROMIUM_BIN");
  for (const path of named ? [named] : ["chromium", "chromium-browser", "google-chrome"]) {
    const command = new Deno.Command(path, { args: ["--version"], stderr: "null" });
    const found = await command.output().then(({ success }) => success, () => false);
    if (found) return path;
  }
  return undefined;
}

/**
 * Runs `suite.mjs` of a folder in a page.
 *
 * @param globals What the page finds as global variables.
 * @param limit Milliseconds.
 * @returns `undefined` where there is no Chromium.
 */
export async function runInBrowser(
  folder: string,
  globals: Readonly<Record<string, unknown>>,
  limit: number,
): Promise<BrowserRun | undefined> {
  const path = await findChromium();
  if (path === undefined) return undefined;
  const done = Promise.withResolvers<unknown>();
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    const { pathname } = new URL(request.url);
    if (pathname === "/done") {
      done.resolve(await request.json());
      return new Response("thanks");
    }
    if (pathname === "/suite.mjs") {
      const headers = { "content-type": "text/javascript" };
      return new Response(await Deno.readTextFile(`${folder}suite.mjs`), { headers });
    }
    return new Response(page(globals), { headers: { "content-type": "text/html" } });
  });
  const profile = await Deno.makeTempDir({ prefix: "chromium-" });
  const child = new Deno.Command(path, {
    args: [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${server.addr.port}/`],
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
  await server.shutdown();
  // Its children hold the folder for a moment.
  for (let i = 0; i < 10; i++) {
    const removed = await Deno.remove(profile, { recursive: true }).then(() => true, () => false);
    if (removed) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
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
