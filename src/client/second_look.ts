import { DataError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { infinityOf, rowlessOf, tellingOf } from "../sql/second_look.ts";
import { isDate } from "../wire/affinity.ts";
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
   * @param reads It holds nothing but reads, so that statements may be added and left out.
   */
  async take(
    batch: Batch,
    send: (batch: Batch) => Promise<Reply>,
    reads: boolean,
  ): Promise<Reply> {
    const reply = await send(batch).catch(async (error: unknown) => {
      // Nothing but Infinity makes a request fail that way. Its end must stay what it is where that undoes writes.
      throw reads && error instanceof DataError ? await named(error, batch, send) : error;
    });
    const doubts = this.#doubts(batch, reply);
    if (doubts.size === 0) return reply;
    const telling = batch.statements.map((own, i) => doubts.get(i)?.statement ?? own);
    const asked = reads ? [...doubts.keys()].map((i) => batch.statements[i]!) : [];
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
      const { types } = answer.headAt(at);
      const dates = columns.filter((i) => isDate(types[i]!));
      const statement = tellingOf(own, types.length, columns, dates);
      if (statement !== undefined) doubts.set(i, { columns, statement });
    }
    return doubts;
  }
}

/** The error for Infinity with the first column that holds it, as far as that can be found out. */
async function named(
  error: DataError,
  batch: Batch,
  send: (batch: Batch) => Promise<Reply>,
): Promise<DataError> {
  const ask = async (form: (read: Prepared, i: number) => Prepared): Promise<Reply> => {
    const statements = batch.statements.map((own, i) =>
      own.analysis.kind === "read" ? form(own, i) : own
    );
    return await send({ ...batch, statements });
  };
  try {
    const { answer, first } = await ask(rowlessOf);
    const heads = batch.statements.map((_, i) => answer.headAt(first + i).columns);
    const found = await ask((read, i) => infinityOf(read, heads[i]!.length));
    for (const [i, { analysis }] of batch.statements.entries()) {
      if (analysis.kind !== "read") continue;
      const spec = { analysis, rows: "array", integers: "number" } as const;
      const { rows: [row] } = found.answer.result(found.first + i, spec);
      const at = (row as unknown as readonly unknown[]).indexOf(1);
      if (at < 0) continue;
      const column = heads[i]![at]!;
      const message = `${error.message}; it stands in column ${JSON.stringify(column)}`;
      return new DataError(message, { column, sql: analysis.source });
    }
  } catch {
    // Then it has no name.
  }
  return error;
}
