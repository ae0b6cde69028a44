import assert from "node:assert/strict";
import { embedded } from "../../src/embedded/mod.ts";
import type { Facts } from "../../src/schema/facts.ts";
import { FACTS_QUERY, SCHEMA_VERSION } from "../../src/schema/schema_objects.ts";
import { readFacts } from "../../src/schema/read_facts.ts";
import { prepare } from "../../src/sql/prepare_frozen.ts";
import { withReturning } from "../../src/sql/returning.ts";
import type { Statement } from "../../src/sql/statement.ts";
import { startRqlited } from "../support/rqlited.ts";

/** What a node answers to one statement, rows as lists. */
export interface NodeAnswer {
  readonly columns?: readonly string[];
  readonly values?: readonly (readonly unknown[])[];
  readonly error?: string;
}

/** A database without our client in front of it. */
export class World {
  readonly #fetch: typeof fetch;
  readonly #url: string;
  readonly stop: () => Promise<void>;

  constructor(fetcher: typeof fetch, url: string, stop: () => Promise<void>) {
    this.#fetch = fetcher;
    this.#url = url;
    this.stop = stop;
  }

  async #post(path: string, statements: readonly unknown[]): Promise<NodeAnswer[]> {
    const response = await this.#fetch(this.#url + path, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(statements),
    });
    const text = await response.text();
    assert.equal(response.status, 200, text);
    return (JSON.parse(text) as { results: NodeAnswer[] }).results;
  }

  /** Runs statements as they are; fails if one does. */
  async run(...statements: readonly string[]): Promise<void> {
    const answers = await this.#post("/db/execute?norwtime&norwrandom", statements);
    for (const [i, { error }] of answers.entries()) assert.equal(error, undefined, statements[i]!);
  }

  /** Runs one statement, only frozen. */
  async write(statement: Statement): Promise<NodeAnswer & { readonly sent: string }> {
    const { sql, params } = withReturning(prepare(statement, { now: new Date() }));
    const [answer] = await this.#post("/db/request?norwtime&norwrandom", [[sql, ...params]]);
    const { columns, values, error } = answer!;
    return {
      sent: sql,
      ...(columns && { columns }),
      ...(values && { values }),
      ...(error !== undefined && { error }),
    };
  }

  /** The rows of a read. */
  async rows(sql: string): Promise<(readonly unknown[])[]> {
    const [answer] = await this.#post("/db/query?level=strong", [sql]);
    assert.equal(answer?.error, undefined, sql);
    return [...answer?.values ?? []];
  }

  /** What the schema is known by. */
  async version(): Promise<unknown> {
    return (await this.rows(SCHEMA_VERSION))[0]?.[0];
  }

  /** The facts about the schema as it is. */
  async facts(): Promise<Facts> {
    return readFacts(await this.rows(FACTS_QUERY), String(await this.version()));
  }

  /** Removes every table and view. */
  async clear(): Promise<void> {
    const names = await this.rows(
      "SELECT type, format('\"%w\"', name) FROM sqlite_schema WHERE type = 'view' OR (type = 'table' AND name IN " +
        "(SELECT name FROM pragma_table_list WHERE type IN ('table', 'virtual'))) " +
        "AND name NOT GLOB 'sqlite_*' ORDER BY type DESC",
    );
    if (names.length === 0) return;
    await this.run(...names.map(([type, name]) => `DROP ${type} ${name}`));
  }
}

/** An embedded database. */
export function embeddedWorld(): Promise<World> {
  const engine = embedded();
  const stop = (): Promise<void> => {
    engine.close();
    return Promise.resolve();
  };
  return Promise.resolve(new World(engine.fetch, "http://localhost:4001", stop));
}

/** A real server. */
export async function rqlitedWorld(): Promise<World> {
  const server = await startRqlited();
  return new World(fetch, server.url, () => server.stop());
}
