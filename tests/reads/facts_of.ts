import { DatabaseSync } from "node:sqlite";
import type { Facts } from "../../src/schema/facts.ts";
import { FACTS_QUERY } from "../../src/schema/schema_objects.ts";
import { readFacts } from "../../src/schema/read_facts.ts";

/** The facts about a schema that these statements make. */
export function factsOf(schema: readonly string[]): Facts {
  const db = new DatabaseSync(":memory:");
  for (const sql of schema) db.exec(sql);
  const rows = db.prepare(FACTS_QUERY).all().map((row) => Object.values(row));
  db.close();
  return readFacts(rows, "1");
}
