import type { Analysis } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Reply } from "./request.ts";

/** An answer that is longer than this for each of its statements is heavy, in characters. */
const LONG = 16_384;

/** What a statement may take beside the way to the node and back, in milliseconds. */
const SLOW = 100;

/** A request and its answer. */
export interface TimedReply {
  /** What was asked, each read once. */
  readonly statements: readonly Prepared[];
  /** Where there are several, each result says how long it took. */
  readonly reply: Reply;
  /** Milliseconds. */
  readonly duration: number;
  /** Nothing else was under way, so that nothing else made it slow. */
  readonly solitary: boolean;
}

/**
 * The reads that answered much, took long or failed when they were last seen: they go by themselves, where they hold up
 * nobody. An answer to many that is long says of none of them which it was, so each is seen by itself the next time.
 */
export class HeavyReads {
  readonly #long: WeakSet<Analysis> = new WeakSet();
  readonly #slow: WeakSet<Analysis> = new WeakSet();
  /** There is one at all. */
  #any = false;
  /** About what the way takes, in milliseconds. */
  #way = Infinity;

  /** Whether a read goes by itself. */
  has(analysis: Analysis): boolean {
    return this.#any && (this.#long.has(analysis) || this.#slow.has(analysis));
  }

  /** Takes what was seen. */
  learn({ statements, reply: { answer, first }, duration, solitary }: TimedReply): void {
    this.#way = Math.min(duration, this.#way * 1.01);
    const single = statements.length === 1;
    const long = answer.size > LONG * statements.length;
    const slow = duration > SLOW + 2 * this.#way;
    for (let i = 0; i < statements.length; i++) {
      const { analysis } = statements[i]!;
      if (long) this.#add(this.#long, analysis);
      else if (single && this.#any) this.#long.delete(analysis);
      // What was quick was so whatever else was under way.
      const quick = single && !slow;
      if (quick && this.#any) this.#slow.delete(analysis);
      if (quick) continue;
      if (single ? solitary : answer.timeAt(first + i) > SLOW) this.#add(this.#slow, analysis);
    }
  }

  /** Takes a read that its whole request may have failed by. */
  suspect({ analysis }: Prepared): void {
    this.#add(this.#slow, analysis);
  }

  #add(reads: WeakSet<Analysis>, analysis: Analysis): void {
    this.#any = true;
    reads.add(analysis);
  }
}
