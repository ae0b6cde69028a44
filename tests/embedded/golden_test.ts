import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { after, before, describe, it } from "node:test";
import { embedded, type EmbeddedEngine } from "../../src/embedded/mod.ts";
import {
  encodeBody,
  expand,
  headersOf,
  readTranscript,
  recordBody,
  type Scenario,
  type Step,
  type Transcript,
} from "../support/golden.ts";
import { type Difference, DIFFERENCES, OLD_SQLITE } from "./differences.ts";

const transcript = readTranscript("v10");
const runtime = "deno" in process.versions ? "deno" : "bun" in process.versions ? "bun" : "node";

describe("embedded() in a file", () => {
  let folder = "";
  before(() => {
    folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "golden-"));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  for (const [i, scenario] of transcript.scenarios.entries()) {
    replay(scenario, false, () => join(folder, `${i}.db`));
  }
});

describe("embedded() in memory", () => {
  for (const scenario of transcript.scenarios) replay(scenario, true, () => ":memory:");
});

describe("differences.ts", () => {
  it("names scenarios that exist", () => {
    const names = new Set(transcript.scenarios.map(({ name }) => name));
    assert.deepEqual(DIFFERENCES.filter(({ name }) => !names.has(name)), []);
  });
});

function replay(scenario: Scenario, memory: boolean, path: () => string): void {
  const known = DIFFERENCES.filter((difference) => applies(difference, scenario, memory));
  if (known.some(({ steps }) => steps === undefined)) return;
  it(`answers as recorded: ${scenario.name}`, async () => {
    const file = path();
    const foreignKeys = scenario.server?.args?.includes("-fk") ?? false;
    const engine = embedded(file, { foreignKeys });
    try {
      const expected = known.flatMap(({ steps }) => steps ?? []);
      await playAll(scenario, engine, { [file]: "/data/db.sqlite" }, new Set(expected));
    } finally {
      engine.close();
    }
  });
}

function applies(difference: Difference, { name }: Scenario, memory: boolean): boolean {
  return difference.name === name && (difference.runtime ?? runtime) === runtime &&
    (memory || !difference.memory) && (OLD_SQLITE || !difference.oldSqlite);
}

async function playAll(
  { steps }: Scenario,
  engine: EmbeddedEngine,
  names: Record<string, string>,
  different: ReadonlySet<number>,
): Promise<void> {
  const answers: Uint8Array[] = [];
  for (const [i, step] of steps.entries()) {
    const { bytes, ...answer } = await play(step, engine, answers);
    answers.push(bytes);
    const got = comparable({ ...answer, body: recordBody(step, answer.status, bytes, names) });
    const recorded = comparable(recordedAnswer(transcript, step));
    const title = `step ${i + 1}: ${step.method} ${step.path}`;
    if (different.has(i + 1)) assert.notDeepEqual(got, recorded, `${title} is listed in vain`);
    else assert.deepEqual(got, recorded, title);
  }
}

async function play(
  step: Step,
  engine: EmbeddedEngine,
  answers: readonly Uint8Array[],
): Promise<{ status: number; headers: Record<string, string>; bytes: Uint8Array }> {
  const body = encodeBody(step.body, answers);
  const headers = new Headers(body && { "content-type": "application/json" });
  for (const [name, value] of Object.entries(step.headers ?? {})) {
    if (value === null) headers.delete(name);
    else headers.set(name, value);
  }
  // `fetch` lets no GET have a body; rqlite does not look at it.
  const sent = step.method === "GET" || step.method === "HEAD" ? undefined : body;
  const url = `http://127.0.0.1:4001${expand(step.path)}`;
  const init = { method: step.method, headers, ...(sent && { body: sent }) };
  const response = await engine.fetch(url, init);
  return {
    status: response.status,
    headers: Object.fromEntries(response.headers),
    bytes: new Uint8Array(await response.arrayBuffer()),
  };
}

function recordedAnswer(from: Transcript, { response }: Step): unknown {
  return {
    status: response.status,
    headers: headersOf(from, response),
    body: response.body,
  };
}

/** Go escapes what stands for a byte that is not UTF-8; as JSON that is the same text. */
function comparable(answer: unknown): unknown {
  return JSON.parse(JSON.stringify(answer).replaceAll("\\\\ufffd", "\ufffd"));
}
