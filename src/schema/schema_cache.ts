import type { Facts } from "./facts.ts";
import { isOwnTable } from "../sql/own_tables.ts";
import { readFacts } from "./read_facts.ts";

/** How many schemas are kept: nodes that take turns in leading may count their versions differently. */
const MOST = 4;

/** What a client knows of the schema, by what each node knows it by. Values only, never promises. */
export class SchemaCache {
  readonly #known = new Map<string, { readonly facts: Facts; readonly text: string }>();
  #latest: Facts | undefined;

  /** What was learned last, however long ago. */
  get latest(): Facts | undefined {
    return this.#latest;
  }

  /** The schema that a node knows by that version. */
  of(version: string): Facts | undefined {
    const facts = this.#known.get(version)?.facts;
    if (facts !== undefined) this.#latest = facts;
    return facts;
  }

  /**
   * Takes what was read. A schema that is known by another version is the same value.
   *
   * @param rows The rows of `FACTS_QUERY` in array form.
   * @param version The text of `SCHEMA_VERSION` that was read with them.
   */
  learn(rows: readonly (readonly unknown[])[], version: string): Facts {
    // What clients keep for themselves comes and goes with their use.
    const others = rows.filter(([, name]) => !isOwnTable(String(name)));
    const text = JSON.stringify(others);
    const same = [...this.#known.values()].find((one) => one.text === text);
    const facts = same?.facts ?? readFacts(others, version);
    const [oldest] = this.#known.keys();
    if (this.#known.size >= MOST && !this.#known.has(version)) this.#known.delete(oldest!);
    this.#known.set(version, { facts, text });
    this.#latest = facts;
    return facts;
  }
}
