import { isOwnTable } from "../sql/own_tables.ts";
import type { Facts } from "./facts.ts";
import { readFacts } from "./read_facts.ts";

/** How many schemas are kept: nodes that take turns in leading may count their versions differently. */
const MOST = 4;

/** What a client knows of the schema, by what each node knows it by. Values only, never promises. */
export class SchemaCache {
  readonly #known = new Map<string, { readonly facts: Facts; readonly text: string }>();
  /** The newest, as far as answers tell. */
  latest: Facts | undefined;

  /** Nothing that is known holds any more: another database counts its versions by itself. */
  clear(): void {
    this.#known.clear();
    this.latest = undefined;
  }

  /** The schema that a node knows by that version. */
  of(version: string): Facts | undefined {
    return this.#known.get(version)?.facts;
  }

  /**
   * Takes what was read. A schema that is known by another version is the same value.
   *
   * @param rows The rows of `FACTS_QUERY` in array form.
   * @param version The text of `SCHEMA_VERSION` that was read with them.
   */
  learn(rows: readonly (readonly unknown[])[], version: string): Facts {
    const text = JSON.stringify(others(rows));
    const same = [...this.#known.values()].find((one) => one.text === text);
    const facts = same?.facts ?? factsFrom(rows, version);
    const [oldest] = this.#known.keys();
    if (oldest !== undefined && this.#known.size >= MOST && !this.#known.has(version)) {
      this.#known.delete(oldest);
    }
    this.#known.set(version, { facts, text });
    return facts;
  }
}

/** The facts in the rows of `FACTS_QUERY`, without the tables that clients keep for themselves. */
export function factsFrom(rows: readonly (readonly unknown[])[], version: string): Facts {
  return readFacts(others(rows), version);
}

/** What clients keep for themselves comes and goes with their use. */
function others(rows: readonly (readonly unknown[])[]): (readonly unknown[])[] {
  return rows.filter(([, name]) => !isOwnTable(String(name)));
}
