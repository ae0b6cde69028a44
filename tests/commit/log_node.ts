import assert from "node:assert/strict";
import type { CommitId } from "../../src/commit/log_table.ts";
import { own } from "../../src/commit/own_statements.ts";
import { type Proof, proofOf } from "../../src/commit/proof.ts";
import { embedded } from "../../src/embedded/mod.ts";
import type { Prepared } from "../../src/sql/prepare.ts";
import { Answer } from "../../src/wire/decode.ts";
import { encode } from "../../src/wire/encode.ts";
import { skipWithoutRqlited, startRqlited } from "../support/rqlited.ts";

/** One node: what is sent to it is applied there as a whole, or not at all. */
export class LogNode {
  readonly #fetch: typeof fetch;
  readonly #url: string;

  constructor(fetch: typeof globalThis.fetch, url: string) {
    this.#fetch = fetch;
    this.#url = url;
  }

  /** Applies a batch as commits are sent. */
  async apply(statements: readonly Prepared[], ids: readonly CommitId[] = []): Promise<Proof> {
    const path = "/db/execute?transaction&norwtime&norwrandom";
    return proofOf(await this.#post(path, encode(statements)), ids);
  }

  /** Applies statements one by one, whatever becomes of them. */
  async each(statements: readonly Prepared[]): Promise<void> {
    await this.#post("/db/execute?norwtime&norwrandom", encode(statements));
  }

  /** The rows of a query. */
  async rows(sql: string): Promise<readonly (readonly unknown[])[]> {
    const answer = await this.#post("/db/query?level=strong", JSON.stringify([sql]));
    assert.equal(answer.errorAt(0), undefined);
    const spec = { analysis: own(sql).analysis, rows: "array", integers: "number" } as const;
    return answer.result(0, spec).rows as unknown as unknown[][];
  }

  async #post(path: string, body: string): Promise<Answer> {
    const headers = { "content-type": "application/json" };
    const response = await this.#fetch(this.#url + path, { method: "POST", headers, body });
    const answer = new Answer(await response.text());
    assert.equal(answer.error, undefined);
    return answer;
  }
}

/** Runs `body` on a node of SQLite in this process. */
export async function onEmbedded(body: (node: LogNode) => Promise<void>): Promise<void> {
  const engine = embedded();
  try {
    await body(new LogNode(engine.fetch, "http://embedded:4001"));
  } finally {
    engine.close();
  }
}

async function onServer(body: (node: LogNode) => Promise<void>): Promise<void> {
  const server = await startRqlited();
  try {
    await body(new LogNode(fetch, server.url));
  } finally {
    await server.stop();
  }
}

/** Where SQL can be run. */
export const NODES = [
  { name: "the embedded engine", skip: false as const, run: onEmbedded },
  { name: "rqlited", skip: skipWithoutRqlited(), run: onServer },
];
