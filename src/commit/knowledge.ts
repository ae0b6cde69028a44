import { POISON } from "../calls/batch.ts";
import type { Dispatcher } from "../calls/dispatch.ts";
import type { Reply } from "../calls/request.ts";
import {
  AuthenticationError,
  NotSupportedError,
  OperationalError,
  OutcomeUnknownError,
} from "../errors.ts";
import type { Facts } from "../schema/facts.ts";
import { factsFrom, SchemaCache } from "../schema/schema_cache.ts";
import { FACTS_QUERY, SCHEMA_VERSION } from "../schema/schema_objects.ts";
import type { Prepared } from "../sql/prepare.ts";
import { align, creation, creationScript, isOfStructure, readBase, upgrade } from "./log_table.ts";
import type { Call } from "../calls/call.ts";
import { own, ownSettings } from "./own_statements.ts";
import { askForSeal, beginning, firstRow, isOfBefore, sealIn, unsealing } from "./repair.ts";

/** How old a base may be when an id is made under it, and facts when a write is made by them, in milliseconds. */
const FRESH = 10_000;

const BASE = readBase();
const VERSION = own(SCHEMA_VERSION);
const FACTS = own(FACTS_QUERY);
/** The schema and where the log is; it does not compile in a database that never had such a table. */
const BOTH = own(`SELECT (${SCHEMA_VERSION}), (${BASE.sql})`);

/** One state of the database: the sequence of the commit log, and what the schema was then. */
export interface Basis {
  readonly base: number;
  readonly facts: Facts;
}

/** The schema behind each of some lists, or the statement that fails in them. */
export type Behind = { readonly facts: readonly Facts[] } | { readonly failed: Prepared };

/** What a node said beside something else. */
export interface Sighting {
  /** `undefined` if there is no commit log yet. */
  readonly base: number | undefined;
  /** What the node knows its schema by. */
  readonly version: string;
}

/**
 * What a client knows of the commit log and the schema; one for each client. Every write is built on one ground, and its
 * commit is refused if the schema has changed since: so what was decided when a request was built stays true.
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

  /** Takes the place of a commit that was made on this ground. */
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

  /** The table of commits is not what it was. */
  lose(): void {
    this.#base = undefined;
    this.forget();
  }

  /** The ground for a write; asks where what is known is not fresh, and makes the table of commits where it is missing. */
  async ready(call: Call): Promise<Basis> {
    const { base, facts } = await this.look(call);
    return base === undefined ? await this.#make(call) : { base, facts };
  }

  /** What is known of the schema; asks where that is not fresh, and for nothing else. */
  async facts(call: Call): Promise<Facts> {
    const facts = this.#schema.latest;
    if (facts !== undefined && isFresh(this.#looked)) return facts;
    return (await this.#ask(call, "weak", { base: false })).facts;
  }

  /** The schema as it will be behind each of some lists of statements, in their order. Nothing is kept. */
  async behind(steps: readonly (readonly Prepared[])[], call: Call): Promise<Behind> {
    const statements = [...steps.flatMap((step) => [...step, FACTS]), POISON];
    const reply = await this.#dispatcher.speculate({
      statements,
      transaction: true,
      settings: ownSettings(call.settings),
      deadline: call.deadline,
    });
    const { answer, first } = reply;
    for (const [i, failed] of statements.slice(0, -1).entries()) {
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
    const cells = cellsIn(reply, i, BOTH);
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
  async identify(sighting: Sighting, call: Call): Promise<Facts | undefined> {
    await this.#ask(call, "weak", { all: true });
    return this.confirm(sighting);
  }

  /** One look at both, without making the table of commits. */
  async look(call: Call): Promise<{ readonly base: number | undefined; readonly facts: Facts }> {
    return this.#known() ?? await this.#ask(call, "weak");
  }

  /** Another database was loaded: nothing that is known holds for it. */
  replaced(): void {
    this.#schema.clear();
    this.lose();
  }

  /** The place in the log, as the leader says it now. */
  async seek(call: Call): Promise<number> {
    const { base } = await this.#ask(call, "weak");
    return Math.max(base ?? 0, this.#seen);
  }

  /** Makes the table of commits, or gives the one of an older client or of a loaded database what it lacks. */
  async repair(what: "missing" | "outdated", call: Call): Promise<void> {
    if (what === "outdated") {
      if (await this.unseal(call)) return;
      await this.#create(call);
      await this.#upgrade(call);
    } else {
      await this.#create(call);
    }
    this.lose();
  }

  /**
   * Makes the table of commits of a loaded database usable, unless somebody has already; answers whether it is.
   *
   * @param base The highest that is known to have been handed out.
   */
  async unseal(call: Call, base = this.#seen): Promise<boolean> {
    const sealed = sealIn(await this.#row(askForSeal(), call));
    if (sealed === undefined) return false;
    this.replaced();
    if (sealed !== "whole") await this.#change(unsealing(sealed, Date.now(), base), true, call);
    return true;
  }

  /** Makes the table of commits for a loaded database that has none. @param base As for {@linkcode Knowledge.unseal}. */
  async begin(call: Call, base: number): Promise<void> {
    await this.#change(beginning(Date.now(), base), true, call);
  }

  /** Whether an id of that base that is not in the log did not take effect, as another database was loaded since. */
  async isOfBefore(base: number, call: Call): Promise<boolean> {
    if (!isOfBefore(await this.#row(firstRow(), call), base)) return false;
    this.replaced();
    return true;
  }

  /** The first row that the leader has, by a read that sees all that was applied. */
  async #row(statement: Prepared, call: Call): Promise<readonly unknown[]> {
    const reply = await this.#dispatcher.read({
      statements: [statement],
      transaction: false,
      settings: { ...ownSettings(call.settings), level: "strong" },
      deadline: call.deadline,
    });
    return rowsIn(reply, 0, statement)[0] ?? [];
  }

  #known(): Basis | undefined {
    const facts = this.#schema.latest;
    const base = this.#base;
    if (facts === undefined || base === undefined) return undefined;
    return isFresh(base.at) && isFresh(this.#looked) ? { base: base.value, facts } : undefined;
  }

  async #make(call: Call): Promise<Basis> {
    await this.#create(call);
    this.forget();
    const { base, facts } = await this.#ask(call, "strong");
    if (base === undefined) throw missing();
    return { base, facts };
  }

  /** One snapshot of both; the facts only where the version is not known. */
  async #ask(
    call: Call,
    level: "weak" | "strong",
    { all = this.#changed, base: asksBase = true }: { all?: boolean; base?: boolean } = {},
  ): Promise<{ readonly base: number | undefined; readonly facts: Facts }> {
    for (let unknown = all;; unknown = true) {
      // In place of the base something that every account may read.
      const first = asksBase ? BASE : VERSION;
      const reply = await this.#dispatcher.read({
        statements: unknown ? [first, VERSION, FACTS] : [first, VERSION],
        transaction: true,
        settings: { ...ownSettings(call.settings), level },
        deadline: call.deadline,
      });
      const base = asksBase ? numberOf(cellsIn(reply, 0, BASE)?.[0]) : undefined;
      const sighting = { base, version: String(cellsIn(reply, 1, VERSION)?.[0]) };
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

  async #create(call: Call): Promise<void> {
    const text = await this.#change(creation(Date.now(), this.#seen), true, call);
    if (text === undefined) return;
    throw isOfStructure(text) ? unusable(text) : new NotSupportedError(advice(text));
  }

  async #upgrade(call: Call): Promise<void> {
    // Beyond the numbers that any node has, so that one that is ahead agrees, too.
    const base = Math.max(this.#base?.value ?? 1, this.#seen) + 2 ** 20;
    await this.#change([...upgrade(), align(base)], false, call);
  }

  /** Answers why the last statement failed, if it did. */
  async #change(
    statements: readonly Prepared[],
    transaction: boolean,
    { settings, deadline }: Call,
  ): Promise<string | undefined> {
    try {
      const reply = await this.#dispatcher.commit({
        statements,
        transaction,
        settings: ownSettings(settings),
        deadline,
      });
      return reply.answer.errorAt(reply.answer.length - 1);
    } catch (error) {
      if (error instanceof AuthenticationError || error instanceof NotSupportedError) {
        throw new AuthenticationError(advice(error.message), { cause: error });
      }
      if (!(error instanceof OutcomeUnknownError)) throw error;
      throw new OperationalError(
        "The write was not applied, as the table that commits need could not be made in time",
        { retryable: true, cause: error },
      );
    }
  }
}

/** The error where somebody else keeps dropping the table. */
export function missing(): OperationalError {
  return new OperationalError(
    "The table _rqlite_commit is missing although it was just made: did somebody drop it?",
  );
}

/** The error where the table of commits does not take ids. */
export function unusable(text: string): OperationalError {
  return new OperationalError(
    `Cannot enter the write in the table _rqlite_commit, so it was not applied: ${text}. ` +
      "This client keeps that table for itself: a table or trigger of yours must not have its name",
  );
}

/** The rows of a statement of ours in a result. */
function rowsIn(
  { answer, first }: Reply,
  i: number,
  { analysis } = FACTS,
): readonly (readonly unknown[])[] {
  const error = answer.errorAt(first + i);
  if (error !== undefined) throw new OperationalError(`Cannot read the schema: ${error}`);
  const spec = { analysis, rows: "array", integers: "number" } as const;
  return answer.result(first + i, spec).rows as unknown as readonly (readonly unknown[])[];
}

/** The value of the sequence in a cell; `undefined` if there is no table yet. */
function numberOf(value: unknown): number | undefined {
  return value === undefined || value === null ? undefined : Number(value);
}

/** The first row of a result; `undefined` if there is none. */
function cellsIn(
  { answer, first }: Reply,
  i: number,
  { analysis }: Prepared,
): readonly unknown[] | undefined {
  if (answer.errorAt(first + i) !== undefined) return undefined;
  const { rows } = answer.result(first + i, { analysis, rows: "array", integers: "number" });
  return rows[0] as unknown as readonly unknown[] | undefined;
}

/**
 * Whether what was known at a time may still be relied on, as the commit tells where it does not hold.
 *
 * @param part Of the time for which it may: who can ask beside something else does so before anybody has to ask for it alone.
 */
export function isFresh(at: number, part = 1): boolean {
  return performance.now() - at < FRESH * part;
}

function advice(reason: string): string {
  return `Cannot create the table that commits need (${reason}). ` +
    `Let an account that may do so run:\n${creationScript(Date.now())}`;
}
