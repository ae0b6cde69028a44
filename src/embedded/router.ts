import { type Answer, failure } from "./answer.ts";
import { BadRequest } from "./body.ts";
import type { Call } from "./call.ts";
import { leader, nodes, ready, remove, status } from "./cluster.ts";
import { execute, query, request } from "./data.ts";
import { backup, boot, load, reap, snapshot } from "./files.ts";

type Endpoint = (call: Call) => Answer | Promise<Answer>;

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

/** Lets the endpoint answer that a path belongs to. */
export async function route(call: Call): Promise<Answer> {
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

function root({ method }: Call): Answer {
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
