/** How long a call of the harness itself may take. */
const LIMIT_MS = 5000;

/** `fetch` with a time limit that leaves no timer behind, and the body already read. */
export async function ask(
  url: string,
  init: RequestInit & { limit?: number } = {},
): Promise<{ status: number; text: string }> {
  const { limit = LIMIT_MS, ...rest } = init;
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new Error(`No answer in ${limit} ms`)), limit);
  try {
    const response = await fetch(url, { ...rest, signal: controller.signal });
    return { status: response.status, text: await response.text() };
  } finally {
    clearTimeout(timer);
  }
}

/** Resolves after `ms` milliseconds. */
export function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks every 25 ms until there is a value; gives up with the `details` after `limit` ms. */
export async function until<T>(
  what: string,
  probe: () => Promise<T | undefined>,
  options: { limit?: number; details?: () => string } = {},
): Promise<T> {
  const { limit = 30_000, details = () => "" } = options;
  const end = Date.now() + limit;
  for (;;) {
    const value = await probe();
    if (value !== undefined) return value;
    if (Date.now() > end) throw new Error(`No ${what} in ${limit} ms\n${details()}`);
    await sleep(25);
  }
}
