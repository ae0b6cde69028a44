import { type Answer, failure, toResponse } from "./answer.ts";
import { BadRequest } from "./body.ts";
import { leader, nodes, ready, remove, status } from "./cluster_endpoints.ts";
import { backup, boot, load, reap, snapshot } from "./file_endpoints.ts";
import { type EngineRequest, Flags } from "./request.ts";
import { SqliteError } from "./sqlite_error.ts";
import { execute, query, request } from "./statement_endpoints.ts";
import type { Store } from "./store.ts";
import { abortable, Turn } from "./turns.ts";

type Endpoint = (call: EngineRequest) => Answer | Promise<Answer>;

const EXACT: ReadonlyMap<string, Endpoint> = new Map<string, Endpoint>([
  ["/", root],
  ["", root],
  ["/boot", boot],
  ["/snapshot", snapshot],
  ["/reap", reap],
  ["/leader", leader],
]);

/** rqlite looks only at the beginning of these. */
const PREFIXES: readonly (readonly [string, Endpoint])[] = [
  ["/db/execute", execute],
  ["/db/query", query],
  ["/db/request", request],
  ["/db/backup", backup],
  ["/db/load", load],
  ["/remove", remove],
  ["/status", status],
  ["/nodes", nodes],
  ["/readyz", ready],
];

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

async function dispatch(request: Omit<EngineRequest, "flags">): Promise<Response> {
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

/** Lets the endpoint answer that a path belongs to. */
async function route(call: EngineRequest): Promise<Answer> {
  const path = decodePath(call.url.pathname);
  const endpoint = EXACT.get(path) ?? PREFIXES.find(([prefix]) => path.startsWith(prefix))?.[1];
  if (endpoint === undefined) return { status: 404 };
  try {
    return await endpoint(call);
  } catch (error) {
    if (error instanceof BadRequest) return failure(400, error.message);
    throw error;
  }
}

function root({ method }: EngineRequest): Answer {
  const location = "/console/";
  if (method !== "GET" && method !== "HEAD") return { status: 302, location };
  const body = `<a href="${location}">Found</a>.\n\n`;
  return { status: 302, location, body, type: "text/html; charset=utf-8" };
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}
