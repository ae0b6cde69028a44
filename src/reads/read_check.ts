import { CachePerSchema, type Facts } from "../schema/facts.ts";
import { numberPlaceholders } from "../sql/placeholders.ts";
import { orderTerms } from "./order_terms.ts";
import { parseQuery } from "./parse_query.ts";
import { type AnalysedRead, maskKey, type Rewrite, rewritten } from "./rewrite.ts";
import { kindOfParam } from "./value_kind.ts";
import { Findings, type WalkedQuery } from "./walk.ts";
import { QueryWalk } from "./walk_query.ts";

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

const NONE: ReadonlySet<string> = new Set();

const caches: CachePerSchema<ReadCheck> = new CachePerSchema();

/**
 * How a read is checked at commit: what of it every node may compare, and what the leader has to judge, as
 * `docs/internals/reads.md` says. Nothing is thrown, and what is not understood is judged.
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
  const cache = caches.of(facts);
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
  const query = parseQuery(sql);
  if (query === undefined) return { check: judgedOnly(sql), timed: false };
  const placeholders = numberPlaceholders(query.view).list;
  const indexes = new Map(placeholders.map(({ start, index }) => [start, index]));
  const kindOfPlaceholder = (start: number) => {
    const index = indexes.get(start);
    return params === undefined || index === undefined ? "any" : kindOfParam(params[index - 1]);
  };
  const findings = new Findings(facts);
  const walk = new QueryWalk(query.view, findings, { kindOfPlaceholder, freezeText });
  try {
    const walked = walk.query(query.tree, undefined, undefined, "rows");
    const order = orderTerms(query.tree, walked, walk, placeholders);
    const check = new Decision({ ...query, findings, placeholders }, walked, order).check();
    return { check, timed: findings.timed };
  } catch (error) {
    // The read is nested deeper than SQLite takes.
    if (error instanceof RangeError) return { check: judgedOnly(sql), timed: true };
    throw error;
  }
}

/** A read of which nothing is compared on every node. */
function judgedOnly(sql: string): ReadCheck {
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

/** What of a read is compared on every node, and what only the leader judges. */
class Decision {
  readonly #read: AnalysedRead;
  readonly #findings: Findings;
  readonly #columns: WalkedQuery["columns"];
  readonly #order: readonly string[];

  constructor(
    read: AnalysedRead,
    { columns }: WalkedQuery,
    order: readonly string[] | undefined,
  ) {
    const { findings } = read;
    this.#read = read;
    this.#findings = findings;
    this.#columns = columns;
    this.#order = order ?? [];
    if (order === undefined) {
      findings.incomparable.add("an ORDER BY that cannot be a result column");
    }
    if (findings.groups && findings.collates) findings.incomparable.add("groups by a collation");
  }

  check(): ReadCheck {
    const { refusal, local } = this.#findings;
    const { sql } = this.#read.view;
    if (refusal !== undefined) {
      return { ...judgedOnly(sql), judged: undefined, scopes: [], ordered: false, refusal };
    }
    const views = [...this.#findings.views.values()].filter(({ timed }) => timed);
    const masks = new Set([...local, ...this.#columns.flatMap((column) => [...column.local])]);
    const read = this.#text({ masks: NONE, views, order: [] }) ?? sql;
    const columns = this.#columns.length === 0 ? undefined : this.#columns.length;
    const guard = this.#guard(masks);
    const extra = guard === undefined ? 0 : this.#order.length;
    const withOrder = this.#text({ masks: NONE, views, order: this.#order });
    if (guard === undefined || withOrder === undefined || local.size > 0) {
      const scopes = this.#scopes();
      return { read, columns, guard, extra, judged: read, scopes, ordered: true, refusal };
    }
    const judged = masks.size === 0 ? undefined : withOrder;
    const scopes = [...masks].map((name) => this.#rowScope(name)).sort();
    return { read, columns, guard, extra, judged, scopes, ordered: false, refusal };
  }

  #text(rewrite: Rewrite): string | undefined {
    return rewritten(this.#read, rewrite);
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
    const { incomparable, unmaskable, views } = this.#findings;
    if (incomparable.size > 0 || [...masks].some((name) => unmaskable.has(name))) return undefined;
    const inlined = [...views.values()].filter(({ facts, timed }) =>
      timed ||
      [...facts.reads].some((name) => name === "*" || masks.has(name.toLowerCase()))
    );
    return this.#text({ masks, views: inlined, order: this.#order });
  }
}
