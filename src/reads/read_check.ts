import type { Facts } from "../schema/facts.ts";
import { TextCache } from "../sql/cache.ts";
import { numberPlaceholders } from "../sql/placeholders.ts";
import { maskKey } from "./mask.ts";
import { orderTerms } from "./order_terms.ts";
import { Findings } from "./read_findings.ts";
import { readQuery } from "./read_query.ts";
import { ReadWalk, type Walked } from "./read_walk.ts";
import { type ReadParts, withCtes } from "./read_rewrite.ts";
import { kindOfParam } from "./value_kind.ts";

/** How a read is checked at commit. */
export interface ReadCheck {
  /** The text to send for the read itself: the same, or with views that tell the time put in, their time frozen. */
  readonly read: string;
  /**
   * The read whose digest every node compares at commit; `undefined` if nothing of it may be compared there. It takes
   * the parameters of the read.
   */
  readonly guard: string | undefined;
  /** How many columns the read has, as far as the schema tells; a digest of another number fails and says so. */
  readonly columns: number | undefined;
  /** How many columns `guard` and an unordered `judged` have more than the read itself; they come last. */
  readonly extra: number;
  /**
   * The read for the leader to judge; `undefined` where the guard says everything. Where it is not `ordered`, it has
   * the columns of `guard`, which say in which place each local value stands.
   */
  readonly judged: string | undefined;
  /**
   * What may not have been written since the leader judged: tables in lower case, with "!" behind them where only a
   * change of rows that were there before matters, or "*" for any; empty where the guard says everything.
   */
  readonly scopes: readonly string[];
  /** The order of rows is part of what is judged. */
  readonly ordered: boolean;
  /** Why nobody can check it. */
  readonly refusal: string | undefined;
}

const caches: WeakMap<Facts, TextCache<ReadCheck>> = new WeakMap();

/**
 * How a read is checked at commit: what of it every node may compare, and what the leader has to judge. Nothing is
 * thrown, and what is not understood is judged.
 *
 * @param sql Without comments, the present time in it frozen.
 * @param facts The schema.
 * @param freezeText Freezes the present time in the text of a view; without it such views are judged.
 * @param params The values of the placeholders by number: without them each may be a REAL, of which versions make
 * different texts.
 */
export function checkOfRead(
  sql: string,
  facts: Facts,
  freezeText?: (sql: string) => string,
  params?: readonly unknown[],
): ReadCheck {
  let cache = caches.get(facts);
  if (cache === undefined) caches.set(facts, cache = new TextCache(1000, 1_000_000));
  const key = `${sql}\n${params?.map(kindOfParam).join() ?? ""}`;
  const known = cache.get(key);
  if (known !== undefined) return known;
  const { check, timed } = checkNow(sql, facts, freezeText, params);
  if (!timed) cache.set(key, check);
  return check;
}

function checkNow(
  sql: string,
  facts: Facts,
  freezeText: ((sql: string) => string) | undefined,
  params: readonly unknown[] | undefined,
): { readonly check: ReadCheck; readonly timed: boolean } {
  const text = readQuery(sql);
  if (text === undefined) return { check: judge(sql), timed: false };
  const placeholders = numberPlaceholders(sql, text.view.tokens).list;
  const indexes = new Map(placeholders.map(({ start, index }) => [start, index]));
  const kindOfPlaceholder = (start: number) => {
    const index = indexes.get(start);
    return params === undefined || index === undefined ? "any" : kindOfParam(params[index - 1]);
  };
  const walk = new ReadWalk(text.view, new Findings(facts), { kindOfPlaceholder, freezeText });
  try {
    const walked = walk.query(text.query, undefined, undefined, "rows");
    const order = orderTerms(text, walked, walk, placeholders);
    const check = new Decision({ text, findings: walk.findings, placeholders }, walked, order)
      .made();
    return { check, timed: walk.findings.timed };
  } catch (error) {
    // It is nested deeper than SQLite takes.
    if (error instanceof RangeError) return { check: judge(sql), timed: true };
    throw error;
  }
}

function judge(sql: string): ReadCheck {
  return {
    read: sql,
    columns: undefined,
    guard: undefined,
    extra: 0,
    judged: sql,
    scopes: ["*"],
    ordered: true,
    refusal: undefined,
  };
}

class Decision {
  readonly #parts: ReadParts;
  readonly #findings: Findings;
  readonly #order: readonly string[];
  readonly #columns: Walked["columns"];

  constructor(
    parts: ReadParts,
    { columns }: Walked,
    order: readonly string[] | undefined,
  ) {
    const { findings } = parts;
    this.#parts = parts;
    this.#findings = findings;
    this.#columns = columns;
    this.#order = order ?? [];
    if (order === undefined) findings.hard.add("an ORDER BY that cannot be a result column");
    if (findings.groups && findings.collates) findings.hard.add("groups by a collation");
  }

  made(): ReadCheck {
    const { refusal, local } = this.#findings;
    const volatile = [...this.#findings.views.values()].filter(({ timed }) => timed);
    const masks = new Set([...local, ...this.#columns.flatMap((column) => [...column.local])]);
    const sql = this.#parts.text.view.sql;
    const read = withCtes(this.#parts, new Set(), volatile, []) ?? sql;
    const columns = this.#columns.length === 0 ? undefined : this.#columns.length;
    if (refusal !== undefined) return this.#refused(sql, refusal);
    const guard = this.#guard(masks);
    const extra = guard === undefined ? 0 : this.#order.length;
    const placed = withCtes(this.#parts, new Set(), volatile, this.#order);
    if (guard === undefined || placed === undefined || local.size > 0) {
      const scopes = this.#scopes();
      return { read, columns, guard, extra, judged: read, scopes, ordered: true, refusal };
    }
    const judged = masks.size === 0 ? undefined : placed;
    const scopes = [...masks].map((name) => this.#rowScope(name)).sort();
    return { read, columns, guard, extra, judged, scopes, ordered: false, refusal };
  }

  #refused(sql: string, refusal: string): ReadCheck {
    return { ...judge(sql), judged: undefined, scopes: [], ordered: false, refusal };
  }

  /** Without a key in its place, a local column of another row would look the same. */
  #rowScope(name: string): string {
    const table = this.#findings.facts.table(name);
    return table !== undefined && maskKey(table) !== undefined ? `${name}!` : name;
  }

  #scopes(): string[] {
    return this.#findings.unbounded ? ["*"] : [...this.#findings.tables].sort();
  }

  #guard(masks: ReadonlySet<string>): string | undefined {
    const { hard, unmaskable, views } = this.#findings;
    if (hard.size > 0 || [...masks].some((name) => unmaskable.has(name))) return undefined;
    const inlined = [...views.values()].filter(({ facts, timed }) =>
      timed ||
      [...facts.reads].some((name) => name === "*" || masks.has(name.toLowerCase()))
    );
    return withCtes(this.#parts, masks, inlined, this.#order);
  }
}
