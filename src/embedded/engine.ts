import { failure, toResponse } from "./answer.ts";
import { BadRequest } from "./body.ts";
import { Flags } from "./flags.ts";
import { route } from "./router.ts";
import type { Store } from "./store.ts";

/** Answers one request as `fetch` would. */
export async function answer(
  store: Store,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
  signal?.throwIfAborted();
  const request = new Request(input, init);
  const url = new URL(request.url);
  // Bun adds the type of a text only when it sends it.
  const type = request.headers.get("content-type") ??
    (typeof init?.body === "string" ? "text/plain;charset=UTF-8" : "");
  const body = new Uint8Array(await abortable(request.arrayBuffer(), signal));
  await abortable(store.idle(), signal);
  if (store.closed) throw closedError();
  return await dispatch(store, request.method, url, type, body);
}

async function dispatch(
  store: Store,
  method: string,
  url: URL,
  type: string,
  body: Uint8Array,
): Promise<Response> {
  if (method === "OPTIONS") return toResponse({ status: 200 }, url.host, method);
  try {
    const flags = new Flags(url.search.slice(1));
    const found = await route({ store, method, url, flags, type, body });
    return toResponse(found, url.host, method);
  } catch (error) {
    if (store.closed) throw closedError(true);
    if (!(error instanceof BadRequest)) throw error;
    return toResponse(failure(400, error.message), url.host, method);
  }
}

/**
 * What `fetch` says when nothing listens.
 *
 * @param begun The request was under way: then there is no code, by which the client knows that nothing was done.
 */
export function closedError(begun = false): TypeError {
  const cause = new Error("The embedded engine is closed: embedded() opens another one");
  const error = new TypeError("fetch failed", {
    cause: Object.assign(cause, { code: "ERR_CLOSED" }),
  });
  return begun ? error : Object.assign(error, { code: "ERR_NOT_SENT" });
}

/** The promise, or the signal's reason when that comes first. */
function abortable<T>(promise: Promise<T>, signal: AbortSignal | undefined | null): Promise<T> {
  if (!signal) return promise;
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
