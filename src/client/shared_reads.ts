import { copyOf } from "../transport/error_copy.ts";
import { RqliteError, TimeoutError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { encode } from "../wire/encode.ts";
import { Burdens } from "./burdens.ts";
import type { Batch, Reply } from "./dispatch.ts";
import { commonDeadline, isOfOne, Lane, type Passenger } from "./lane.ts";

/** How many reads a request takes, and about how many characters. */
const MOST_STATEMENTS = 256;
const MOST_TEXT = 500_000;

/** More under way at once gain nothing, be the way short or long; fewer wait longer on a long one. */
const LIMITS = { inFlight: 2, patience: 100 };

/** Reads of single statements: those that wait together are one list, in which each stands for itself. */
export class SharedReads {
  readonly #read: (batch: Batch) => Promise<Reply>;
  readonly #burdens = new Burdens();
  readonly #lane: Lane<Batch, Reply>;
  #underWay = 0;
  #sent = 0;

  /** @param read Sends a batch. */
  constructor(read: (batch: Batch) => Promise<Reply>) {
    this.#read = read;
    this.#lane = new Lane(LIMITS, choose, (passengers) => this.#send(passengers));
  }

  /** Whether a batch may go with others. */
  takes(batch: Batch): boolean {
    const { statements: [statement, ...more], transaction, settings } = batch;
    return settings.coalesce && !transaction && more.length === 0 &&
      statement!.analysis.kind === "read" && Lane.takes(batch);
  }

  /** Sends one that {@linkcode takes} took; the reply is its part of the answer. */
  read(batch: Batch): Promise<Reply> {
    const heavy = this.#burdens.has(batch.statements[0]!.analysis);
    return heavy ? this.#timed(batch) : this.#lane.enter(batch);
  }

  async #send(passengers: readonly Passenger<Batch, Reply>[]): Promise<void> {
    if (passengers.length === 1) return await this.#apart(passengers[0]!);
    const { statements, slots } = slotsOf(passengers.map(({ call }) => call.statements[0]!));
    const deadline = commonDeadline(passengers);
    try {
      const [{ call }] = passengers as [Passenger<Batch, Reply>];
      const list = { ...call, statements, deadline, timed: statements.length > 1 };
      const { answer, first } = await this.#timed(list);
      const taken = new Set<number>();
      for (const [i, passenger] of passengers.entries()) {
        const at = first + slots[i]!;
        if (taken.has(at)) answer.keep(at);
        taken.add(at);
        passenger.resolve({ answer, first: at });
      }
    } catch (error) {
      await Promise.all(passengers.map((passenger) => this.#failed(passenger, error)));
    }
  }

  /** What one statement may have caused, the others learn nothing of. */
  async #failed(passenger: Passenger<Batch, Reply>, error: unknown): Promise<void> {
    if (passenger.gone) return;
    const again = isOfOne(error) ||
      (error instanceof TimeoutError && Lane.takes(passenger.call));
    if (again) return await this.#apart(passenger);
    this.#suspect(passenger.call, error);
    passenger.reject(error instanceof RqliteError ? copyOf(error) : error);
  }

  async #apart({ call, resolve, reject }: Passenger<Batch, Reply>): Promise<void> {
    await this.#timed(call).then(resolve, reject);
  }

  #suspect({ statements: [read] }: Batch, error: unknown): void {
    if (isOfOne(error) || error instanceof TimeoutError) this.#burdens.suspect(read!);
  }

  async #timed(batch: Batch): Promise<Reply> {
    const { statements } = batch;
    const since = performance.now();
    const quiet = this.#underWay++ === 0;
    const sent = ++this.#sent;
    try {
      const reply = await this.#read(batch);
      const solitary = quiet && sent === this.#sent;
      const duration = performance.now() - since;
      this.#burdens.learn({ statements, reply, duration, solitary });
      return reply;
    } catch (error) {
      if (statements.length === 1) this.#suspect(batch, error);
      throw error;
    } finally {
      this.#underWay--;
    }
  }
}

/** The oldest, and all that ask in the same way, as far as there is room. */
function choose(waiting: readonly Batch[]): ReadonlySet<Batch> {
  const { level, freshness, freshnessStrict } = waiting[0]!.settings;
  const chosen = new Set<Batch>();
  let text = 0;
  for (const batch of waiting) {
    const { settings } = batch;
    const same = settings.level === level && settings.freshness === freshness &&
      settings.freshnessStrict === freshnessStrict;
    if (!same) continue;
    text += batch.statements[0]!.sql.length;
    for (const param of batch.statements[0]!.params) text += String(param).length;
    if (chosen.size > 0 && (text > MOST_TEXT || chosen.size === MOST_STATEMENTS)) break;
    chosen.add(batch);
  }
  return chosen;
}

/** Each different read once, and which of them each is. */
function slotsOf(
  reads: readonly Prepared[],
): { readonly statements: readonly Prepared[]; readonly slots: readonly number[] } {
  const known = new Map<string, number>();
  const statements: Prepared[] = [];
  const slots = reads.map((read) => {
    const text = encode([read]);
    // Chance is another one for each.
    const slot = /random/i.test(read.sql) ? undefined : known.get(text);
    if (slot !== undefined) return slot;
    known.set(text, statements.length);
    return statements.push(read) - 1;
  });
  return { statements, slots };
}
