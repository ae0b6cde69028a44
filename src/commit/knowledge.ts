import { dryRun } from "../calls/batch.ts";
import type { CallContext } from "../calls/call_context.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import { OperationalError } from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import { factsFrom, SchemaCache } from "../schema/schema_cache.ts";
import { FACTS_QUERY, SCHEMA_VERSION } from "../schema/schema_objects.ts";
import type { Prepared } from "../sql/prepare.ts";
import { readBase } from "./log_table.ts";
import { own, ownBatch, rowsAt } from "./own_statements.ts";
import {
  askForSeal,
  beginning,
  change,
  createTable,
  isOfBefore,
  missing,
  readFirstRow,
  sealIn,
  unsealing,
  upgradeTable,
} from "./repair.ts";

/** How old a base may be when an id is made under it, and facts when a write is made by them, in milliseconds. */
const FRESH = 10_000;

const BASE = readBase();
const VERSION = own(SCHEMA_VERSION);
const FACTS = own(FACTS_QUERY);
/** The schema and where the log is; it does not compile in a database that never had such a table. */
const BOTH = own(`SELECT (${SCHEMA_VERSION}), (${BASE.sql})`);

/** What a write is built on: one state of the database, as far as that matters to its commit. */
export interface Basis {
  /** Where the sequence of the log of commits was. */
  readonly base: number;
  /** What the schema was. */
  readonly facts: Facts;
}

/** The schema behind some lists of statements. */
export type SchemaBehind =
  | {
    /** Behind each of the lists. */
    readonly facts: readonly Facts[];
  }
  | {
    /** The statement that fails in them. */
    readonly failed: Prepared;
  };

/** What a node said beside something else. */
export interface Sighting {
  /** `undefined` if there is no log of commits yet. */
  readonly base: number | undefined;
  /** What the node knows its schema by. */
  readonly version: string;
}

/**
 * What a client knows of the log of commits and of the schema; one for each client. Every write is built on one state of
 * both, and its commit is refused if the schema has changed since: so what was decided when a request was built stays true.
 */
export class Knowledge {
  readonly #dispatcher: Dispatcher;
  readonly #schema = new SchemaCache();
  #base: { readonly value: number; readonly at: number } | undefined;
  #seen = 0;
  /** When a node last said its schema. */
  #looked = -Infinity;
  /** It is known to have changed. */
  #changed = true;

  /** Sends nothing. */
  constructor(dispatcher: Dispatcher) {
    this.#dispatcher = dispatcher;
  }

  /** The base that is known, however old; a stale one is safe. */
  get knownBase(): number | undefined {
    return this.#base?.value;
  }

  /** What is known of the schema, however old. */
  get knownFacts(): Facts | undefined {
    return this.#schema.latest;
  }

  /** When a node last said its schema. */
  get looked(): number {
    return this.#looked;
  }

  /** Takes a place in the log that says nothing of the schema. */
  see(base: number): void {
    this.#seen = Math.max(this.#seen, base);
  }

  /** Takes the place of a commit that was built on what is known. */
  learn(base: number): void {
    this.see(base);
    if (base < (this.#base?.value ?? 0)) return;
    this.#base = { value: base, at: performance.now() };
  }

  /** The schema was changed, or is not what it was taken for. */
  forget(): void {
    this.#looked = -Infinity;
    this.#changed = true;
  }

  /** The log of commits is not what it was. */
  lose(): void {
    this.#base = undefined;
    this.forget();
  }

  /** What a write is built on; asks where what is known is not fresh, and makes the log of commits where it is missing. */
  async ready(call: CallContext): Promise<Basis> {
    const { base, facts } = await this.look(call);
    return base === undefined ? await this.#make(call) : { base, facts };
  }

  /** What is known of the schema; asks where that is not fresh, and for nothing else. */
  async facts(call: CallContext): Promise<Facts> {
    const facts = this.#schema.latest;
    if (facts !== undefined && isFresh(this.#looked)) return facts;
    return (await this.#ask(call, "weak", { base: false })).facts;
  }

  /** The schema as it will be behind each of some lists of statements, in their order. Nothing is kept. */
  async behind(steps: readonly (readonly Prepared[])[], call: CallContext): Promise<SchemaBehind> {
    const statements = steps.flatMap((step) => [...step, FACTS]);
    const reply = await dryRun(this.#dispatcher, ownBatch(statements, call, true));
    const { answer, first } = reply;
    for (const [i, failed] of statements.entries()) {
      const at = first + i;
      if (at >= answer.length || answer.errorAt(at) !== undefined) return { failed };
    }
    let at = -1;
    return { facts: steps.map((step) => factsFrom(rowsIn(reply, at += step.length + 1), "")) };
  }

  /** What asks for a {@linkcode Sighting} beside something else. */
  get question(): Prepared {
    return this.#base === undefined ? VERSION : BOTH;
  }

  /** Reads the answer to the {@linkcode question}. */
  sighting(reply: Reply, i: number): Sighting {
    const cells = rowsAt(reply, i, BOTH)?.[0];
    if (cells === undefined) this.lose();
    const [version, base] = cells ?? [];
    return { base: numberOf(base), version: String(version) };
  }

  /** The schema that a node said it has, if it is known; then it is known to have been so at that base. */
  confirm({ base, version }: Sighting): Facts | undefined {
    const facts = this.#schema.of(version);
    if (facts !== undefined) this.#hold(facts, base);
    return facts;
  }

  /** The schema that a node said it has and that was not known so; `undefined` if it has changed again. */
  async identify(sighting: Sighting, call: CallContext): Promise<Facts | undefined> {
    await this.#ask(call, "weak", { all: true });
    return this.confirm(sighting);
  }

  /** One look at both, without making the log of commits. */
  async look(
    call: CallContext,
  ): Promise<{ readonly base: number | undefined; readonly facts: Facts }> {
    return this.#known() ?? await this.#ask(call, "weak");
  }

  /** Another database was loaded: nothing that is known holds for it. */
  replaced(): void {
    this.#schema.clear();
    this.lose();
  }

  /** The place in the log, as the leader says it now. */
  async seek(call: CallContext): Promise<number> {
    const { base } = await this.#ask(call, "weak");
    return Math.max(base ?? 0, this.#seen);
  }

  /** Makes the log of commits, or gives the one of an older client or of a loaded database what it lacks. */
  async repair(what: "missing" | "outdated", call: CallContext): Promise<void> {
    if (what === "outdated") {
      if (await this.unseal(call)) return;
      await this.#create(call);
      const base = Math.max(this.#base?.value ?? 1, this.#seen);
      await upgradeTable(this.#dispatcher, call, base);
    } else {
      await this.#create(call);
    }
    this.lose();
  }

  /**
   * Makes the log of commits of a loaded database usable, unless somebody has already; answers whether it is.
   *
   * @param base The highest that is known to have been handed out.
   */
  async unseal(call: CallContext, base = this.#seen): Promise<boolean> {
    const sealed = sealIn(await this.#row(askForSeal(), call));
    if (sealed === undefined) return false;
    this.replaced();
    if (sealed !== "whole") {
      await change(this.#dispatcher, call, unsealing(sealed, Date.now(), base));
    }
    return true;
  }

  /** Makes the log of commits for a loaded database that has none. @param base As for {@linkcode Knowledge.unseal}. */
  async begin(call: CallContext, base: number): Promise<void> {
    await change(this.#dispatcher, call, beginning(Date.now(), base));
  }

  /** Whether an id of that base that is not in the log did not take effect, as another database was loaded since. */
  async isOfBefore(base: number, call: CallContext): Promise<boolean> {
    if (!isOfBefore(await this.#row(readFirstRow(), call), base)) return false;
    this.replaced();
    return true;
  }

  /** The first row that the leader has, by a read that sees all that was applied. */
  async #row(statement: Prepared, call: CallContext): Promise<readonly unknown[]> {
    const reply = await this.#dispatcher.read(ownBatch([statement], call, false, "strong"));
    return rowsIn(reply, 0, statement)[0] ?? [];
  }

  #known(): Basis | undefined {
    const facts = this.#schema.latest;
    const base = this.#base;
    if (facts === undefined || base === undefined) return undefined;
    return isFresh(base.at) && isFresh(this.#looked) ? { base: base.value, facts } : undefined;
  }

  async #make(call: CallContext): Promise<Basis> {
    await this.#create(call);
    this.forget();
    const { base, facts } = await this.#ask(call, "strong");
    if (base === undefined) throw missing();
    return { base, facts };
  }

  /** One snapshot of both; the facts only where the version is not known. */
  async #ask(
    call: CallContext,
    level: "weak" | "strong",
    { all = this.#changed, base: asksBase = true }: { all?: boolean; base?: boolean } = {},
  ): Promise<{ readonly base: number | undefined; readonly facts: Facts }> {
    for (let unknown = all;; unknown = true) {
      // In place of the base something that every account may read.
      const first = asksBase ? BASE : VERSION;
      const statements = unknown ? [first, VERSION, FACTS] : [first, VERSION];
      const reply = await this.#dispatcher.read(ownBatch(statements, call, true, level));
      const base = asksBase ? numberOf(rowsAt(reply, 0, BASE)?.[0]?.[0]) : undefined;
      const sighting = { base, version: String(rowsAt(reply, 1, VERSION)?.[0]?.[0]) };
      const known = this.confirm(sighting);
      if (known !== undefined && !all) return { base, facts: known };
      if (unknown) return { base, facts: this.#learnFacts(reply, sighting) };
    }
  }

  /** The schema was that at that base; an answer that was overtaken does not count. */
  #hold(facts: Facts, base: number | undefined): void {
    if (base !== undefined && base < (this.#base?.value ?? 0)) return;
    this.#schema.latest = facts;
    this.#looked = performance.now();
    this.#changed = false;
    if (base !== undefined) this.learn(base);
  }

  #learnFacts(reply: Reply, { base, version }: Sighting): Facts {
    const facts = this.#schema.learn(rowsIn(reply, 2), version);
    this.#hold(facts, base);
    return facts;
  }

  async #create(call: CallContext): Promise<void> {
    await createTable(this.#dispatcher, call, this.#seen);
  }
}

/** The rows of a statement of ours. */
function rowsIn(reply: Reply, i: number, prepared = FACTS): readonly (readonly unknown[])[] {
  const rows = rowsAt(reply, i, prepared);
  if (rows !== undefined) return rows;
  const error = reply.answer.errorAt(reply.first + i);
  throw new OperationalError(`Cannot read the schema: ${error}`);
}

/** The value of the sequence in a cell; `undefined` if there is no table yet. */
function numberOf(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}

/**
 * Whether what was known at a time may still be relied on, as the commit tells where it does not hold.
 *
 * @param part Of the time for which it may: who can ask beside something else does so before anybody has to ask for it alone.
 */
export function isFresh(at: number, part = 1): boolean {
  return performance.now() - at < FRESH * part;
}
