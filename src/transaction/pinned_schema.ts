import { InternalError } from "../errors.ts";
import type { Commits } from "../commit/commits.ts";
import { isFresh, type Sighting } from "../commit/knowledge.ts";
import type { CallContext } from "../calls/call_context.ts";
import { type Facts, sameTables } from "../schema/facts.ts";
import type { Journal, Op } from "./journal.ts";

/**
 * What one transaction takes the schema for. It is pinned at the first statement; later answers have to agree, as far as
 * the statements so far have to do with it.
 */
export class PinnedSchema {
  readonly #commits: Commits;
  readonly #journal: Journal;
  readonly #call: CallContext;
  #facts: Facts | undefined;
  /** The schema behind the DDL of this transaction, and the last statement of it. */
  #behind: { readonly facts: Facts; readonly ddl: Op } | undefined;
  #since: number | undefined;
  /** When a node last said it, in this transaction and to anybody. */
  #said = -Infinity;
  #seen = -Infinity;

  /** Sends nothing. */
  constructor(commits: Commits, journal: Journal, call: CallContext) {
    this.#commits = commits;
    this.#journal = journal;
    this.#call = call;
  }

  /** What the statements so far were made by, but for those behind DDL of this transaction. */
  get facts(): Facts | undefined {
    return this.#facts;
  }

  /** The value of the sequence where {@linkcode facts} are known to have held. */
  get since(): number | undefined {
    return this.#since;
  }

  /**
   * Whether a node has said it lately, and nothing of this transaction changes it: then statements go by it as a write
   * outside of transactions does, as the commit is refused where it was changed since.
   *
   * @param writes One of the statements writes: not to be refused for what was changed before the transaction began, it
   * has to be said in the transaction itself.
   */
  isFresh(writes: boolean): boolean {
    if (this.#since === undefined || this.#journal.lastDdl !== undefined) return false;
    return writes ? isFresh(this.#said) : isFresh(this.#seen, 0.5);
  }

  /** What statements are made by from here on. */
  get current(): Facts {
    const ddl = this.#journal.lastDdl;
    if (ddl !== undefined && ddl === this.#behind?.ddl) return this.#behind.facts;
    if (this.#facts === undefined) throw new InternalError("The schema was not asked for yet");
    return this.#facts;
  }

  /** What the schema is taken for, until a node says otherwise. */
  async pin(): Promise<void> {
    if (this.#facts === undefined) await this.#look();
  }

  /** Makes the log of commits where it is missing, as that changes the schema: later this would look like another's DDL. */
  async ready(): Promise<void> {
    if (this.#since !== undefined || !this.#journal.untold) return;
    await this.#commits.knowledge.ready(this.#call);
    await this.remake();
  }

  /** Asks for the schema and makes everything anew by it; only where nothing was answered yet. */
  async remake(): Promise<void> {
    this.#commits.knowledge.forget();
    this.#journal.remake(await this.#look(), this.#since);
  }

  /**
   * Asks for the schema as it will be behind the DDL of this transaction.
   *
   * @returns Whether it is known; not where a statement fails.
   */
  async lookBehind(): Promise<boolean> {
    const ddl = this.#journal.lastDdl;
    if (ddl === undefined || ddl === this.#behind?.ddl) return true;
    const writes = this.#journal.writes.map(({ prepared }) => prepared);
    const behind = await this.#commits.knowledge.behind([writes], this.#call);
    const facts = "facts" in behind ? behind.facts[0] : undefined;
    this.#behind = facts === undefined ? undefined : { facts, ddl };
    return facts !== undefined;
  }

  /**
   * Makes what was kept back behind DDL by the schema that it leaves, where that could not be known before: something in
   * front of it failed then. If it still does, the commit says so.
   */
  async complete(): Promise<void> {
    const ddl = this.#journal.lastDdl;
    if (ddl === undefined || ddl === this.#behind?.ddl) return;
    if (!this.#journal.isFollowed(ddl)) return;
    if (await this.lookBehind()) this.#journal.remake(this.current, this.#since);
  }

  /**
   * Takes what a node said beside an answer.
   *
   * @returns Whether the answer may be read; "again" if what was sent has to be made anew, as nothing was told yet, and
   * `false` if the schema is another one.
   */
  async take(sighting: Sighting, readOnly: boolean): Promise<boolean | "again"> {
    const { knowledge } = this.#commits;
    const empty = this.#journal.ops.length === 0;
    if (this.#journal.untold && knowledge.confirm(sighting) !== this.#facts) {
      await this.remake();
      return "again";
    }
    const known = this.#facts;
    if (!await this.agrees(sighting)) return false;
    // What was sent was made by the other.
    if (this.#facts !== known) return "again";
    if (sighting.base === undefined && empty && !readOnly) {
      await knowledge.ready(this.#call);
      await this.#look();
      return "again";
    }
    this.#since = sighting.base;
    this.#seen = this.#said = performance.now();
    return true;
  }

  /** Whether a node has the schema that the statements were made by, as far as they have to do with it. */
  async agrees(sighting: Sighting): Promise<boolean> {
    const { knowledge } = this.#commits;
    const facts = knowledge.confirm(sighting) ?? await knowledge.identify(sighting, this.#call);
    return facts !== undefined && this.#adopt(facts);
  }

  /**
   * Looks at the schema once more.
   *
   * @returns The value of the sequence in that state; `undefined` if something that matters has changed.
   */
  async review(): Promise<number | undefined> {
    const { knowledge } = this.#commits;
    knowledge.forget();
    const { base, facts } = await knowledge.look(this.#call);
    return this.#adopt(facts) ? base : undefined;
  }

  /** Where this fails, what was pinned stays. */
  async #look(): Promise<Facts> {
    const { knowledge } = this.#commits;
    const { base, facts } = await knowledge.look(this.#call);
    this.#facts = facts;
    this.#since = base;
    this.#seen = knowledge.looked;
    return facts;
  }

  #adopt(facts: Facts): boolean {
    const known = this.#facts;
    const same = facts === known ||
      this.#journal.lastDdl === undefined && this.#journal.ops.every((op) => {
          const { analysis } = op.kind === "read" ? op.check.read : op.prepared;
          return known !== undefined && sameTables(analysis.text, known, facts);
        });
    if (same) this.#facts = facts;
    return same;
  }
}
