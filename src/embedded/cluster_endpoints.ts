import { type Answer, failure, JSON_TYPE, TEXT_TYPE, wrongMethod } from "./answer.ts";
import { goIndent } from "./go_json.ts";
import { bodyText, type EngineRequest } from "./request.ts";

/** The only node there is. */
const NODE_ID = "1";

/** GET /nodes: this engine as a cluster of one. */
export function nodes({ method, flags, url }: EngineRequest): Answer {
  if (method !== "GET") return wrongMethod(JSON_TYPE);
  const node = describeNode(url);
  const list = flags.get("ver") === "2" ? { nodes: [node] } : { [NODE_ID]: node };
  return json(list, flags.has("pretty"));
}

/** GET /leader tells who leads, POST asks it to step down, which it can not. */
export function leader(call: EngineRequest): Answer {
  const { method, flags, url } = call;
  if (method === "GET") return json(describeNode(url), flags.has("pretty"));
  if (method !== "POST") return wrongMethod(JSON_TYPE);
  const target = readTarget(call);
  if (target === undefined) {
    return failure(400, "invalid JSON: the body is not an object with an id");
  }
  if (target === NODE_ID) return failure(500, "stepdown: cannot step down to the current Leader");
  if (target !== "") return failure(500, "stepdown: node not found in cluster");
  if (flags.has("wait")) return failure(500, "stepdown: cannot find peer");
  return { status: 200, type: JSON_TYPE, served: true };
}

/** GET /readyz: always ready. */
export function ready({ method, flags }: EngineRequest): Answer {
  if (method !== "GET") return wrongMethod();
  const lines = ["node", "leader", "store", ...(flags.has("sync") ? ["sync"] : []), "db"];
  const shown = flags.has("noleader") ? ["node"] : lines;
  return { status: 200, body: shown.map((line) => `[+]${line} ok`).join("\n"), type: TEXT_TYPE };
}

/** DELETE /remove: accepts any node, because there is none to remove. */
export function remove(call: EngineRequest): Answer {
  if (call.method !== "DELETE") return wrongMethod();
  const members = readMembers(bodyText(call));
  const valid = members?.length === 1 && members[0]?.[0] === "id" &&
    typeof members[0][1] === "string";
  return valid ? { status: 200, served: true } : { status: 400 };
}

/** GET /status: what clients look at, and nothing about a server that is not there. */
export function status({ method, flags, url, store }: EngineRequest): Answer {
  if (method !== "GET") return wrongMethod(JSON_TYPE);
  const { api_addr, addr } = describeNode(url);
  const all = {
    build: { version: "10" },
    cluster: { addr, api_addr, https: "false" },
    http: { auth: "disabled", bind_addr: url.host, tls: { enabled: "false" } },
    store: {
      db_applied_index: store.index,
      fsm_index: store.index,
      leader: { addr, node_id: NODE_ID },
      node_id: NODE_ID,
      nodes: [{ addr, id: NODE_ID, suffrage: "voter" }],
      raft: { state: "Leader", voter: true },
      ready: true,
    },
  };
  const key = flags.get("key");
  return json(key === "" ? all : pick(all, key.split(".")), flags.has("pretty") && key === "");
}

function describeNode(url: URL): Record<string, unknown> & { api_addr: string; addr: string } {
  return {
    id: NODE_ID,
    api_addr: url.origin,
    addr: `${url.hostname}:4002`,
    version: "10",
    voter: true,
    reachable: true,
    leader: true,
    time: 1e-6,
    time_s: "1µs",
  };
}

function readTarget(call: EngineRequest): string | undefined {
  if (call.type !== "application/json" || call.body.length === 0) return "";
  const members = readMembers(bodyText(call));
  return members && String(members.find(([name]) => name === "id")?.[1] ?? "");
}

function readMembers(text: string): [string, unknown][] | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === "object" && value !== null ? Object.entries(value) : undefined;
  } catch {
    return undefined;
  }
}

function pick(value: unknown, keys: readonly string[]): unknown {
  const [key, ...rest] = keys;
  if (key === undefined || typeof value !== "object" || value === null) return value;
  const found = Object.entries(value).find(([name]) => name === key);
  return found === undefined ? {} : pick(found[1], rest);
}

function json(value: unknown, pretty: boolean): Answer {
  const text = JSON.stringify(value);
  return { status: 200, body: pretty ? goIndent(text) : text, type: JSON_TYPE };
}
