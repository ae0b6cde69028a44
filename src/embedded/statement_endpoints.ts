import { type Answer, failure, JSON_TYPE, TEXT_TYPE, wrongMethod } from "./answer.ts";
import { BadRequest, parseStatements, type Statement } from "./body.ts";
import type { Connection } from "./connection.ts";
import { goIndent, UnsupportedValue } from "./go_json.ts";
import {
  executeList,
  isReadOnlyList,
  type ListContext,
  type ListFlags,
  queryList,
  requestList,
} from "./lists.ts";
import { bodyText, type EngineRequest, isText } from "./request.ts";
import { encodeEnvelope, type Envelope, type Outcome, RequestFailed } from "./results.ts";

const NOT_UTF8 = "string field contains invalid UTF-8";

/** POST /db/execute: writes. */
export async function execute(call: EngineRequest): Promise<Answer> {
  if (call.method !== "POST") return wrongMethod(JSON_TYPE);
  if (call.flags.has("queue")) return await enqueue(call);
  const statements = readStatements(call);
  return await respond(call, async () => {
    if (isPlain(call) && !isText(call)) throw new RequestFailed(NOT_UTF8);
    return await apply(call, statements, listFlags(call));
  });
}

/** GET and POST /db/query: reads. */
export async function query(call: EngineRequest): Promise<Answer> {
  const { method, flags, store } = call;
  if (method !== "GET" && method !== "POST") return wrongMethod(JSON_TYPE);
  const statements = method === "GET" ? [{ sql: flags.get("q"), args: [] }] : readStatements(call);
  return await respond(call, async () => {
    refuseBreakingPragma(statements);
    store.reader.refresh();
    const strong = isStrong(call);
    if (strong && method === "POST" && isPlain(call) && !isText(call)) {
      throw new RequestFailed(NOT_UTF8);
    }
    return {
      results: await queryList(contextOf(call, store.reader), statements),
      raftIndex: strong ? ++store.index : undefined,
    };
  });
}

/** POST /db/request: reads and writes in one list. */
export async function request(call: EngineRequest): Promise<Answer> {
  if (call.method !== "POST") return wrongMethod(JSON_TYPE);
  const { store } = call;
  const statements = parseStatements(bodyText(call));
  return await respond(call, async () => {
    refuseBreakingPragma(statements);
    store.reader.refresh();
    const reading = contextOf(call, store.reader);
    if (!isStrong(call) && await isReadOnlyList(reading, statements)) {
      return { results: await queryList(reading, statements) };
    }
    await call.turn.write();
    store.index++;
    const results = await requestList(contextOf(call, store.writer), statements);
    return { results, raftIndex: store.index };
  });
}

/** POST /db/load with SQL text. */
export async function loadText(call: EngineRequest): Promise<Answer> {
  const statement = { sql: bodyText(call), args: [] };
  const flags = { ...listFlags(call), transaction: false, noParse: true, rollbackOnError: true };
  return await respond(call, async () => {
    if (!isText(call)) throw new RequestFailed(NOT_UTF8);
    const { results } = await apply(call, [statement], flags);
    return { results };
  }, true);
}

/** A queued write is applied at once, and as in rqlite nobody learns what became of it. */
async function enqueue(call: EngineRequest): Promise<Answer> {
  const statements = queuedStatements(call);
  try {
    await apply(call, statements, { ...listFlags(call), transaction: false });
  } catch (error) {
    if (!(error instanceof RequestFailed)) throw error;
  }
  const answer = await respond(call, () => ({
    results: [],
    sequenceNumber: call.store.nextSequenceNumber(),
  }));
  return { ...answer, served: false };
}

function queuedStatements(call: EngineRequest): Statement[] {
  try {
    return parseStatements(bodyText(call));
  } catch (error) {
    if (!(error instanceof BadRequest)) throw error;
    if (error.message === "no statements" && !call.flags.has("wait")) throw error;
    return [];
  }
}

async function apply(
  { store, turn }: EngineRequest,
  statements: readonly Statement[],
  flags: ListFlags,
): Promise<{ results: Outcome[]; raftIndex: number }> {
  refuseBreakingPragma(statements);
  await turn.write();
  store.index++;
  const results = await executeList({ connection: store.writer, flags, turn }, statements);
  return { results, raftIndex: store.index };
}

async function respond(
  call: EngineRequest,
  work: () => Partial<Envelope> | Promise<Partial<Envelope>>,
  load = false,
): Promise<Answer> {
  const { flags } = call;
  const started = performance.now();
  const { error, raftIndex, ...rest } = await failing(work);
  const seconds = Math.max(performance.now() - started, 0.001) / 1000;
  const index = flags.has("raft_index") ? raftIndex : undefined;
  const envelope = { results: [], seconds, error, raftIndex: index, ...rest };
  try {
    const json = encodeEnvelope(envelope, {
      associative: !load && flags.has("associative"),
      blobArray: flags.has("blob_array"),
      timings: flags.has("timings"),
    });
    const body = flags.has("pretty") ? goIndent(json) : json;
    const type = load ? TEXT_TYPE : JSON_TYPE;
    return { status: 200, body, type, served: error === undefined };
  } catch (problem) {
    if (!(problem instanceof UnsupportedValue)) throw problem;
    return { ...failure(500, problem.message), served: true };
  }
}

async function failing(
  work: () => Partial<Envelope> | Promise<Partial<Envelope>>,
): Promise<Partial<Envelope>> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof RequestFailed) return { error: error.message };
    throw error;
  }
}

function readStatements(call: EngineRequest): Statement[] {
  const text = bodyText(call);
  return isPlain(call) ? [{ sql: text, args: [] }] : parseStatements(text);
}

function isPlain({ type }: EngineRequest): boolean {
  return type.startsWith("text/plain");
}

function isStrong({ flags }: EngineRequest): boolean {
  return flags.get("level").toLowerCase() === "strong";
}

function contextOf(call: EngineRequest, connection: Connection): ListContext {
  return { connection, flags: listFlags(call), turn: call.turn };
}

function listFlags({ flags }: EngineRequest): ListFlags {
  return {
    transaction: flags.has("transaction"),
    noParse: flags.has("noparse"),
    qualifyColumns: flags.has("qualify_columns"),
    strictCount: flags.duration("db_timeout") > 0,
  };
}

const BREAKING_PRAGMA = new RegExp(
  "^\\s*PRAGMA\\s+(?:(?:\\w+\\.)?(?:journal_mode|synchronous|query_only)\\s*=" +
    "|wal_autocheckpoint\\s*=|(?:\\w+\\.)?wal_checkpoint)",
  "i",
);

function refuseBreakingPragma(statements: readonly Statement[]): void {
  if (!statements.some(({ sql }) => BREAKING_PRAGMA.test(sql))) return;
  throw new RequestFailed("disallowed pragma");
}
