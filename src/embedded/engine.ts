import { failure, toResponse } from "./answer.ts";
import { BadRequest } from "./body.ts";
import type { Call } from "./call.ts";
import { Flags } from "./flags.ts";
import { route } from "./router.ts";
import { SqliteError } from "./sqlite_error.ts";
import type { Store } from "./store.ts";
import { Turn } from "./turn.ts";
import { abortable } from "./turns.ts";

/** Answers one request as `fetch` would. */
export async function answer(
  store: Store,
  input: string | URL | Request,
  init: RequestInit | undefined,
): Promise<Response> {
  const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined) ?? undefined;
  signal?.throwIfAborted();
  const request = new Request(input, init);
  const url = new URL(request.url);
  // Bun adds the type of a text only when it sends it.
  const type = request.headers.get("content-type") ??
    (typeof init?.body === "string" ? "text/plain;charset=UTF-8" : "");
  const turn = new Turn(store.turns, store.writers, signal);
  try {
    const body = new Uint8Array(await abortable(request.arrayBuffer(), signal));
    await turn.begin();
    await turn.rest();
    if (store.closed) throw closedError();
    return await dispatch({ store, method: request.method, url, type, body, turn });
  } finally {
    turn.end();
  }
}

async function dispatch(request: Omit<Call, "flags">): Promise<Response> {
  const { store, method, url } = request;
  if (method === "OPTIONS") return toResponse({ status: 200 }, url.host, method);
  try {
    const flags = new Flags(url.search.slice(1));
    await store.ready(request.turn);
    const found = await route({ ...request, flags });
    return toResponse(found, url.host, method);
  } catch (error) {
    if (store.closed) throw closedError(request.turn.wrote);
    if (error instanceof SqliteError) {
      return toResponse(failure(500, error.message), url.host, method);
    }
    if (!(error instanceof BadRequest)) throw error;
    return toResponse(failure(400, error.message), url.host, method);
  }
}

/**
 * What `fetch` says when nothing listens.
 *
 * @param begun The request may have written something: then there is no code, by which the client knows that it has not.
 */
export function closedError(begun = false): TypeError {
  const cause = new Error("The embedded engine is closed: embedded() opens another one");
  const error = new TypeError("fetch failed", {
    cause: Object.assign(cause, { code: "ERR_CLOSED" }),
  });
  return begun ? error : Object.assign(error, { code: "ERR_NOT_SENT" });
}
