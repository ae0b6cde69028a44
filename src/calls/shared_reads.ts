import { copyOf } from "../transport/failures.ts";
import { RqliteError, TimeoutError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { encodeStatement } from "../wire/encode.ts";
import { HeavyReads } from "./heavy_reads.ts";
import type { Batch, Reply } from "./request.ts";
import { commonDeadline, isOfOne, Lane, lengthOf, MOST_TEXT, type Passenger } from "./lane.ts";

/** How many reads a request takes. */
const MOST_STATEMENTS = 256;

/** Among how many that wait those are looked for which ask in the same way. */
const MOST_LOOKED_AT = 1024;

/** More under way at once gain nothing, be the way short or long; fewer wait longer on a long one. */
const LIMITS = { inFlight: 2, patience: 100 };

/** Reads of single statements: those that wait together are one list, in which each stands for itself. */
export class SharedReads {
  readonly #read: (batch: Batch) => Promise<Reply>;
  readonly #heavy = new HeavyReads();
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
      statement?.analysis.kind === "read" && Lane.takes(batch);
  }

  /** Sends one that {@linkcode takes} took; the reply is its part of the answer. */
  read(batch: Batch): Promise<Reply> {
    const { statements: [read] } = batch;
    const heavy = read !== undefined && this.#heavy.has(read.analysis);
    return heavy ? this.#timed(batch) : this.#lane.enter(batch);
  }

  #send(passengers: readonly Passenger<Batch, Reply>[]): Promise<void> {
    return passengers.length === 1 ? this.#apart(passengers[0]!) : this.#together(passengers);
  }

  async #together(passengers: readonly Passenger<Batch, Reply>[]): Promise<void> {
    const { statements, texts, slots } = slotsOf(passengers);
    const deadline = commonDeadline(passengers);
    try {
      const { call } = passengers[0]!;
      const list = { ...call, statements, texts, deadline, timed: statements.length > 1 };
      const asked = call.commits &&
        [...new Set(passengers.flatMap(({ call }) => call.commits ?? []))];
      const { answer, first, commits } = await this.#timed({ ...list, commits: asked });
      let fresh = 0;
      for (let i = 0; i < passengers.length; i++) {
        const at = first + slots[i]!;
        if (slots[i] === fresh) fresh++;
        else answer.keep(at);
        passengers[i]!.resolve({ answer, first: at, commits });
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

  #apart({ call, resolve, reject }: Passenger<Batch, Reply>): Promise<void> {
    return this.#timed(call).then(resolve, reject);
  }

  #suspect({ statements: [read] }: Batch, error: unknown): void {
    const isSuspect = isOfOne(error) || error instanceof TimeoutError;
    if (isSuspect && read !== undefined) this.#heavy.suspect(read);
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
      this.#heavy.learn({ statements, reply, duration, solitary });
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
function choose(waiting: Iterable<Batch>): readonly Batch[] {
  const chosen: Batch[] = [];
  let text = 0;
  let looked = 0;
  for (const batch of waiting) {
    if (++looked > MOST_LOOKED_AT) break;
    const [first] = chosen;
    if (first !== undefined && !isSame(batch, first)) continue;
    text += lengthOf(batch.statements);
    if (chosen.length > 0 && (text > MOST_TEXT || chosen.length === MOST_STATEMENTS)) break;
    chosen.push(batch);
  }
  return chosen;
}

function isSame(
  { commits, settings: one }: Batch,
  { commits: others, settings: other }: Batch,
): boolean {
  return (commits === undefined) === (others === undefined) && one.level === other.level &&
    one.freshness === other.freshness &&
    one.freshnessStrict === other.freshnessStrict;
}

/** Each different read once, its JSON, and which of them each is; in the order in which they come first. */
interface Slots {
  readonly statements: readonly Prepared[];
  readonly texts: readonly string[];
  readonly slots: readonly number[];
}

function slotsOf(passengers: readonly Passenger<Batch, Reply>[]): Slots {
  const known = new Map<string, number>();
  const statements: Prepared[] = [];
  const texts: string[] = [];
  const slots = passengers.map(({ call }) => {
    const read = call.statements[0]!;
    const text = encodeStatement(read);
    const slot = known.get(text);
    // Chance is another one for each.
    if (slot !== undefined && !/random/i.test(read.sql)) return slot;
    known.set(text, statements.length);
    texts.push(text);
    return statements.push(read) - 1;
  });
  return { statements, texts, slots };
}
