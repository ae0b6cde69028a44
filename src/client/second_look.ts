import type { Analysis } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { rowlessOf, tellingOf } from "../sql/second_look.ts";
import type { Batch, Reply } from "./dispatch.ts";

/** The doubts about the result of one statement, and the statement that clears them. */
interface Doubt {
  readonly columns: readonly number[];
  readonly statement: Prepared;
}

/**
 * Reads a second time what an answer cannot tell: the bytes of a BLOB that arrived as text, and whether a number is an
 * INTEGER or a REAL (rqlite-api §5.5). Most reads need no second request.
 */
export class SecondLook {
  /** The declared types of a statement's columns, so that the same one is not asked about numbers again. */
  readonly #declared: WeakMap<Analysis, readonly string[]> = new WeakMap();

  /**
   * Sends a batch that changes nothing, and a second time if its answer leaves a doubt: all of it, as its statements
   * belong to one state.
   *
   * @param learns Statements may be added behind the others.
   */
  async take(
    batch: Batch,
    send: (batch: Batch) => Promise<Reply>,
    learns: boolean,
  ): Promise<Reply> {
    const reply = await send(batch);
    const doubts = this.#doubts(batch, reply);
    if (doubts.size === 0) return reply;
    const telling = batch.statements.map((own, i) => doubts.get(i)?.statement ?? own);
    const asked = learns ? [...doubts.keys()].map((i) => batch.statements[i]!) : [];
    const statements = [...telling, ...asked.map(rowlessOf)];
    const told = await send({ ...batch, statements });
    for (const [i, { analysis }] of asked.entries()) {
      const at = told.first + telling.length + i;
      if (at < told.answer.length) this.#declared.set(analysis, told.answer.headAt(at).types);
    }
    const looks = [...doubts].map(([i, { columns }]) => {
      const head = reply.answer.headAt(reply.first + i);
      return told.answer.look(told.first + i, { ...head, told: columns });
    });
    return looks.every((fine) => fine) ? told : reply;
  }

  #doubts({ statements, settings }: Batch, { answer, first }: Reply): Map<number, Doubt> {
    const doubts = new Map<number, Doubt>();
    for (const [i, own] of statements.entries()) {
      const at = first + i;
      const { kind } = own.analysis;
      if (kind !== "read" || at >= answer.length || answer.errorAt(at) !== undefined) continue;
      const columns = answer.doubts(at, settings.integers, this.#declared.get(own.analysis));
      if (columns.length === 0) continue;
      const statement = tellingOf(own, answer.headAt(at).columns.length, columns);
      if (statement !== undefined) doubts.set(i, { columns, statement });
    }
    return doubts;
  }
}
