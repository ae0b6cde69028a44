// The client against what real servers answered: a fetch that gives the recorded answer to whatever is asked.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { connect, type DatabaseError, RqliteError, type Statement } from "../../mod.ts";
import { SCHEMA_VERSION } from "../../src/schema/schema_objects.ts";
import { expand, readTranscript, type Step, type Transcript } from "../support/golden.ts";

interface Entry {
  readonly error?: string;
  readonly columns?: string[];
  readonly types?: string[];
  readonly values?: unknown[][];
  readonly rows_affected?: number;
}
interface Body {
  readonly results?: Entry[];
  readonly error?: string;
}

const DATA = /^\/db\/(query|execute|request)(?:\?|$)/;
const PREFIX_RESULT = '{"columns":["1"],"types":["integer"],"values":[[1]]}';

/** Statements whose recorded answer the client could get: JSON lists, in the form that it asks for. */
function usable({ method, path, body, response, headers, record }: Step): boolean {
  return method === "POST" && DATA.test(path) && !/[?&](queue|associative)/.test(path) &&
    Array.isArray(body) && body.length > 0 && record === undefined && headers === undefined &&
    body.every((item) =>
      typeof item === "string" || (Array.isArray(item) && typeof item[0] === "string")
    ) &&
    (response.body === undefined || typeof response.body === "string") && "status" in response;
}

/** What the answer means, read by other code than the client's. */
function exact(text: string): Body {
  const revive = (_key: string, value: unknown, context?: { source?: string }): unknown => {
    const source = context?.source ?? "";
    if (typeof value !== "number" || Number.isSafeInteger(value) || !/^-?\d+$/.test(source)) {
      return value;
    }
    return BigInt.asIntN(64, BigInt(source)) === BigInt(source) ? BigInt(source) : value;
  };
  return JSON.parse(text, revive as (key: string, value: unknown) => unknown);
}

function cell(value: unknown, type: string | undefined): unknown {
  if (Array.isArray(value)) return Uint8Array.from(value as number[]);
  return typeof value === "bigint" && /real|floa|doub/.test(type ?? "") ? Number(value) : value;
}

/** Plays one step; tells whether the client sent what was recorded. */
async function play(transcript: Transcript, step: Step): Promise<"compared" | "refused" | "other"> {
  const statements = JSON.parse(expand(JSON.stringify(step.body))) as Statement[];
  const recorded = (step.response.body ?? "") as string;
  let sent: unknown[] | undefined;
  const fetch = async (_url: unknown, init?: RequestInit): Promise<Response> => {
    const body = JSON.parse(await new Response(init!.body).text()) as unknown[];
    // That of an account that may not read the schema: it sends every statement as it is written.
    if (body.includes(SCHEMA_VERSION)) return new Response("permissions", { status: 401 });
    const prefixed = body[0] === "SELECT 1 FROM sqlite_schema LIMIT 1";
    sent = prefixed ? body.slice(1) : body;
    const text = prefixed
      ? recorded.replace('"results":[{', `"results":[${PREFIX_RESULT},{`)
      : recorded;
    const headers = { "x-rqlite-version": String(transcript.server.major) };
    return new Response(text === "" ? null : text, { status: step.response.status, headers });
  };
  const db = connect({
    fetch: fetch as typeof globalThis.fetch,
    retries: 0,
    exactlyOnce: false,
    level: "weak",
    integers: "auto",
    rows: "array",
  });
  const outcome = await db.batch(statements, { atomic: false }).catch((error: unknown) =>
    error as Error
  );
  if (sent === undefined) {
    if (outcome instanceof Error) assertTyped(outcome);
    return "refused";
  }
  if (sent.length !== statements.length) return "other"; // blank statements are answered here
  const json = step.response.status === 200 ? exact(recorded) : { error: "status" };
  const results = json.results ?? [];
  const failed = results.findIndex(({ error }) => error !== undefined);
  if (json.error !== undefined || results.length === 0) {
    assert.ok(outcome instanceof RqliteError, `not an RqliteError: ${outcome}`);
    return "compared";
  }
  if (outcome instanceof Error) {
    assertTyped(outcome);
    const lost = (outcome as RqliteError).code === "ERR_OUTCOME_UNKNOWN";
    if (!lost) assert.equal((outcome as DatabaseError).statementIndex, failed, outcome.message);
    return "compared";
  }
  assert.equal(failed, -1, "a statement failed, and nobody was told");
  for (const [i, { columns = [], types = [], values = [] }] of results.entries()) {
    assert.deepEqual(outcome[i]!.columns, columns);
    assert.deepEqual(outcome[i]!.types, types);
    assert.deepEqual(
      outcome[i]!.rows,
      values.map((row) => row.map((value, at) => cell(value, types[at]))),
    );
  }
  return "compared";
}

function assertTyped(error: Error): void {
  const typed = error instanceof RqliteError || error instanceof TypeError ||
    error instanceof RangeError;
  assert.ok(typed, `not a typed error: ${error}`);
}

for (const name of ["v10", "v8.26"] as const) {
  describe(`the client on the answers of ${name}`, () => {
    const transcript = readTranscript(name);
    const counts = { compared: 0, refused: 0, other: 0 };
    for (const scenario of transcript.scenarios) {
      const steps = scenario.steps.filter(usable);
      if (steps.length === 0) continue;
      it(scenario.name, async () => {
        for (const step of steps) counts[await play(transcript, step)]++;
      });
    }
    it("compares most of what was recorded", () => {
      assert.ok(counts.compared > 2 * (counts.refused + counts.other), JSON.stringify(counts));
    });
  });
}
