import type { EmbeddedEngine } from "../../src/embedded/mod.ts";

/** Posts statements and returns the text of the answer. */
export async function post(
  { fetch }: EmbeddedEngine,
  path: string,
  statements: readonly unknown[],
): Promise<string> {
  const response = await fetch(`http://localhost:4001${path}`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(statements),
  });
  return await response.text();
}

/** Queries and returns the rows as arrays. */
export async function rows(engine: EmbeddedEngine, sql: string): Promise<unknown[][]> {
  const answer = JSON.parse(await post(engine, "/db/query", [sql]));
  return answer.results[0].values ?? [];
}
