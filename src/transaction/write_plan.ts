import { enclosed } from "../calls/batch.ts";
import { NotSupportedError } from "../errors.ts";
import { withoutStaleId } from "../commit/rowids.ts";
import { tableOf } from "../commit/written_tables.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Result } from "../sql/value.ts";
import { Check, DigestError, type Digests } from "./check.ts";
import type { AnswerReader } from "./answer_reader.ts";
import { insertedBetween, lastRowIn, OBSERVE, type Observed } from "./guard.ts";
import { InsertedId } from "./inserted_id.ts";
import type { Op, ReadOp } from "./journal.ts";
import { areTooLong, checkOf, learns, type PlanContext, type StepPlan } from "./plan.ts";
import { hasSharedEffect } from "./shared_effect.ts";
import type { Step } from "./step.ts";
import { type ReturningCheck, returningCheckOf } from "./returning_check.ts";
import { scopesNamedIn } from "./statement_reads.ts";
import {
  distinct,
  keyed,
  type Keys,
  MOST_ROWS,
  rowsOf,
  sameKeys,
  withoutKeys,
} from "./returned_keys.ts";

/** What a write told, and what is compared for that. */
interface Checked {
  readonly told: ReturningCheck;
  /** What has to hold before it; a read whose number of columns is not known yet is sent as it is. */
  readonly before: readonly (Check | Prepared)[];
  /** What has to hold behind it: the rows that were told when it was tried first. */
  readonly behind: Check | undefined;
}

/** A write: what it depends on before, itself, what it did, and what it told behind it. */
export class WritePlan implements StepPlan {
  /** What is sent, in order. */
  readonly statements: readonly Prepared[];
  readonly #step: Step;
  readonly #prepared: Prepared;
  readonly #context: PlanContext;
  readonly #checked: Checked;
  readonly #fragile: boolean;
  readonly #observes: boolean;
  /** Every node changes the same rows. */
  readonly #shared: boolean;

  /** Makes the statements. */
  constructor(step: Step, prepared: Prepared, context: PlanContext) {
    const { facts, checked, mayGoOn } = context;
    const { analysis } = prepared;
    this.#step = step;
    this.#prepared = prepared;
    this.#context = context;
    this.#fragile = analysis.returning && mayGoOn;
    this.#observes = analysis.kind === "write" && (checked || this.#fragile);
    this.#shared = analysis.kind === "write" && hasSharedEffect(prepared, facts);
    this.#checked = checkedOf(step, prepared, context, this.#shared);
    this.statements = this.#sent();
  }

  #sent(): Prepared[] {
    const key = this.#key;
    const write = key === undefined ? this.#prepared : keyed(this.#prepared, key);
    const place = this.#upserted === undefined ? [] : [lastRowIn(this.#upserted)];
    const own = [...place, write, ...(this.#asks ? [OBSERVE] : []), ...place];
    const { before, behind } = this.#checked;
    return [
      ...before.flatMap((one) => one instanceof Check ? one.statements : [one]),
      ...(this.#fragile ? enclosed(own) : own),
      ...behind?.statements ?? [],
    ];
  }

  /** Whether its own answer does not tell all that it did. */
  get #asks(): boolean {
    const { returning, upsert } = this.#prepared.analysis;
    return this.#observes && (returning || upsert);
  }

  /** The table of an upsert of which nothing else tells whether it inserted. */
  get #upserted(): string | undefined {
    const { upsert, returning, table } = this.#prepared.analysis;
    if (!this.#observes || !upsert || returning || table === undefined) return undefined;
    const facts = tableOf(table, this.#context.facts);
    return facts?.kind === "table" && !facts.withoutRowid ? table : undefined;
  }

  /** The columns that tell which rows were told. */
  get #key(): readonly string[] | undefined {
    const { told } = this.#checked;
    return told.is === "rows" ? told.key : undefined;
  }

  /** Whether what it answers depends on the schema as it is then. */
  get asks(): boolean {
    return this.#checked.before.length > 0 || this.#key !== undefined || this.#scopes().length > 0;
  }

  /** Reads the answer, and settles the step unless it has to be sent again. */
  settle(answer: AnswerReader, since: number | undefined): readonly Op[] | undefined {
    const before = this.#readBefore(answer, since);
    if (this.#fragile) answer.take();
    const told = this.#key === undefined ? undefined : answer.keys(this.#prepared, this.#key);
    if (before === "again") {
      this.#knows(told);
      return undefined;
    }
    const [result, observed] = this.#tried(answer);
    if (this.#fragile) answer.take();
    if (result === undefined) return [];
    if (this.#key !== undefined && !this.#knows(told)) return undefined;
    const behind = this.#readBehind(answer, since);
    if (behind === "again") return undefined;
    return [...before, this.#keep(result, observed, since), ...behind];
  }

  #tried(answer: AnswerReader): [result: Result | undefined, observed: Observed | undefined] {
    const place = this.#upserted === undefined ? undefined : lastRowIn(this.#upserted);
    const before = place && answer.lastRow(place);
    const result = answer.result(this.#step, this.#step.settings, this.#prepared);
    const observed = this.#asks
      ? answer.observed(this.#prepared)
      : this.#observes && result !== undefined
      ? { changes: result.rowsAffected, rowid: result.lastInsertId }
      : undefined;
    const updated = this.#prepared.analysis.upsert &&
      !insertedBetween(before, place && answer.lastRow(place));
    return [result, updated && observed ? { ...observed, rowid: undefined } : observed];
  }

  /** Takes from the answer only how the step has to be sent. */
  learn(answer: AnswerReader): void {
    this.#readBefore(answer, undefined);
    if (this.#fragile) answer.take();
    if (this.#key !== undefined) this.#knows(answer.keys(this.#prepared, this.#key));
  }

  #keep(result: Result, observed: Observed | undefined, since: number | undefined): Op {
    const key = this.#key;
    const step = this.#step;
    const { told } = this.#checked;
    const { facts } = this.#context;
    const own = withoutStaleId(
      key === undefined ? result : withoutKeys(result, key),
      this.#prepared,
      facts,
    );
    const rowless = tableOf(this.#prepared.analysis.table, facts)?.withoutRowid;
    const rowid = rowless ? undefined : observed?.rowid ?? result.lastInsertId;
    const inserted = rowid === undefined || observed === undefined ? undefined : new InsertedId(
      step.settings.integers === "bigint" ? BigInt(rowid) : rowid,
      told.is === "inserted" && told.rowid,
    );
    const tells = own.lastInsertId !== undefined || this.#upserted !== undefined;
    step.succeed(inserted !== undefined && tells ? inserted.watch(own) : own);
    return {
      kind: "write",
      prepared: this.#prepared,
      observed: this.#shared ? this.#comparable(observed) : undefined,
      rowid,
      inserted,
      scopes: this.#scopes(),
      since,
      lazy: undefined,
      fragile: this.#fragile,
      index: step.index,
    };
  }

  /** What guards do not say, the leader judges. */
  #scopes(): readonly string[] {
    const { told } = this.#checked;
    const scopes = "scopes" in told ? told.scopes : [];
    if (this.#shared || !this.#context.checked || this.#prepared.analysis.kind !== "write") {
      return scopes;
    }
    return [...new Set([...scopes, ...scopesNamedIn(this.#prepared, this.#context.facts)])];
  }

  /** The rowid counts only where all nodes give the same. */
  #comparable(observed: Observed | undefined): Observed | undefined {
    const table = tableOf(this.#prepared.analysis.table, this.#context.facts);
    const given = table?.rowid !== undefined && !table.local.has(table.rowid.toLowerCase());
    return observed === undefined || given ? observed : { ...observed, rowid: undefined };
  }

  /** What is kept of the rows before; "again" when only now it is known how to ask for them. */
  #readBefore(answer: AnswerReader, since: number | undefined): readonly ReadOp[] | "again" {
    const ops: ReadOp[] = [];
    let again = false;
    for (const one of this.#checked.before) {
      const read = one instanceof Check
        ? this.#readCheck(one, answer, since)
        : this.#learn(one, answer);
      if (read === "again") again = true;
      else ops.push(...read);
    }
    return again ? "again" : ops;
  }

  #learn(read: Prepared, answer: AnswerReader): "again" {
    const { shapes } = this.#context;
    const columns = answer.columns(read);
    if (columns !== undefined) shapes.learn(read, columns);
    // What no guard can take is judged by the leader alone.
    if (columns === undefined || shapes.isUncheckable(read)) this.#step.judged = true;
    return "again";
  }

  #readBehind(answer: AnswerReader, since: number | undefined): readonly ReadOp[] | "again" {
    const check = this.#checked.behind;
    const read = check === undefined ? [] : this.#readCheck(check, answer, since);
    if (check === undefined || read === "again") return read;
    // A server may answer a key in a form that finds no row.
    const [behind] = read;
    const { keys = [] } = this.#step;
    if (behind !== undefined && rowsIn(behind.digests) === distinct(keys)) return read;
    this.#step.judged = true;
    return "again";
  }

  #readCheck(
    check: Check,
    answer: AnswerReader,
    since: number | undefined,
  ): readonly ReadOp[] | "again" {
    const digests = check.digests(answer);
    if (digests instanceof Error || areTooLong(digests)) {
      const learned = digests instanceof DigestError &&
        learns(this.#context.shapes, check.read, digests);
      if (!learned) this.#step.judged = true;
      return "again";
    }
    return [{ kind: "read", check, digests, since }];
  }

  /** Whether the rows that it told are those around which the checks were made. */
  #knows(keys: Keys | undefined): boolean {
    const step = this.#step;
    if (keys === undefined || keys.length > MOST_ROWS) {
      step.judged = true;
      return false;
    }
    // None told: that nothing was changed is what `changes()` says.
    if (keys.length === 0) return true;
    if (this.#checked.behind !== undefined && sameKeys(step.keys, keys)) return true;
    step.keys = keys;
    return false;
  }
}

/** What is checked of a write; what no guard can take is judged by the leader alone, from here on. */
function checkedOf(
  step: Step,
  prepared: Prepared,
  context: PlanContext,
  shared: boolean,
): Checked {
  const { facts, checked } = context;
  if (!checked || !prepared.analysis.returning) {
    return { told: { is: "count" }, before: [], behind: undefined };
  }
  // No node but the leader has changed those rows.
  if (shared && !step.judged) {
    const found = guardedBy(returningCheckOf(prepared, facts), step.keys, context);
    if (found !== undefined) return found;
    step.judged = true;
  }
  const told: ReturningCheck = { is: "judged", scopes: scopesNamedIn(prepared, facts) };
  return { told, before: [], behind: undefined };
}

/** How guards say what a write told; `undefined` if they cannot. */
function guardedBy(
  told: ReturningCheck,
  keys: Keys | undefined,
  context: PlanContext,
): Checked | undefined {
  if (told.is !== "preimage" && told.is !== "rows") return { told, before: [], behind: undefined };
  try {
    const { read } = told;
    const before = read === undefined ? [] : [checkOf(read, context) ?? read];
    if (told.is === "preimage" || keys === undefined) return { told, before, behind: undefined };
    const behind = checkOf(rowsOf(told.table, keys), context);
    return behind === undefined ? undefined : { told, before: [...before, behind], behind };
  } catch (error) {
    // What cannot be confirmed as a read may still be judged as a write.
    if (!(error instanceof NotSupportedError)) throw error;
    return undefined;
  }
}

/** How many rows a digest is about. */
function rowsIn({ guard, judged }: Digests): number {
  const digest = guard ?? judged ?? "";
  return digest === "" ? 0 : digest.split(";").length;
}
