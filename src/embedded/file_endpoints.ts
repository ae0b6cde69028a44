import { type Answer, failure, JSON_TYPE, TEXT_TYPE, wrongMethod } from "./answer.ts";
import { dump } from "./dump.ts";
import type { EngineRequest } from "./request.ts";
import { SqliteError } from "./sqlite_error.ts";
import { loadText } from "./statement_endpoints.ts";

/** The size of a database file's header that is looked at. */
const HEADER_SIZE = 32;

const SNAPSHOT_FAILED = "failed to start snapshot: failed to set synchronous mode to FULL " +
  "for snapshot: failed to set synchronous mode to FULL";

/** GET /db/backup: the database as a file or as SQL text. */
export async function backup(call: EngineRequest): Promise<Answer> {
  const { method, flags, store, turn } = call;
  if (method !== "GET") return wrongMethod();
  const format = flags.get("fmt").toLowerCase();
  const known = format === "sql" || format === "delete";
  if (known && flags.has("vacuum")) return failure(500, "invalid backup format");
  const bytes = format === "sql"
    ? await turn.whenFree(store.reader, () => dump(store.reader, tables(flags.get("tables"))))
    : flags.has("vacuum")
    ? await store.compactCopy(turn)
    : await store.copy(known ? "delete" : "wal", turn);
  return {
    status: 200,
    body: flags.has("compress") ? await gzip(bytes) : bytes,
    type: format === "sql" ? "application/sql" : "application/octet-stream",
  };
}

/** POST /db/load: a database file replaces everything, SQL text is run. */
export async function load(call: EngineRequest): Promise<Answer> {
  if (call.method !== "POST") return wrongMethod();
  if (!isDatabase(call.body)) return loadText(call);
  const problem = await replace(call);
  return problem ?? { status: 200, body: '{"results":[]}', type: TEXT_TYPE, served: true };
}

/** POST /boot: a database file replaces everything. */
export async function boot(call: EngineRequest): Promise<Answer> {
  if (call.method !== "POST") return wrongMethod();
  if (call.body.length < HEADER_SIZE) return failure(503, "EOF");
  if (!isDatabase(call.body)) return failure(400, "invalid SQLite data");
  return await replace(call) ?? { status: 200 };
}

/** POST /snapshot: there is no log to shorten; the status tells whether anything was written. */
export async function snapshot({ method, store, turn }: EngineRequest): Promise<Answer> {
  if (method !== "POST") return wrongMethod();
  try {
    // What rqlite does first, and what fails while somebody's BEGIN is open.
    await turn.whenFree(store.writer, () => store.writer.run("PRAGMA synchronous=NORMAL"));
  } catch (error) {
    if (!(error instanceof SqliteError)) throw error;
    return failure(500, `${SNAPSHOT_FAILED}: ${error.message}`);
  }
  return { status: store.snapshot() ? 200 : 204 };
}

/** POST /reap: forgets the snapshots that never were. */
export function reap({ method, store }: EngineRequest): Answer {
  if (method !== "POST") return wrongMethod();
  const reaped = store.reap();
  const body = `{"snapshots_reaped":${reaped},"wals_checkpointed":${reaped}}\n`;
  return { status: 200, body, type: JSON_TYPE };
}

async function replace({ store, body, turn }: EngineRequest): Promise<Answer | undefined> {
  await store.quiet(turn);
  try {
    await store.replace(body, turn);
    store.index++;
    return undefined;
  } catch (error) {
    turn.throwIfAborted();
    if (store.closed) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    return failure(500, `error swapping databases: open SQLite file failed: ${reason}`);
  }
}

function isDatabase(bytes: Uint8Array): boolean {
  return new TextDecoder("latin1").decode(bytes.subarray(0, 13)) === "SQLite format";
}

function tables(list: string): string[] {
  return list.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

async function gzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([Uint8Array.from(bytes)]).stream()
    .pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
