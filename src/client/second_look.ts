import { DataError } from "../errors.ts";
import type { Analysis } from "../sql/analyse.ts";
import type { Prepared } from "../sql/prepare.ts";
import { hasOwnTypes, infinityOf, MOST_COLUMNS, rowlessOf, tellingOf } from "../sql/second_look.ts";
import { isDate } from "../wire/affinity.ts";
import type { Batch, Reply } from "./dispatch.ts";

/** For the positions of statements, the columns of which only another request can tell what they hold. */
type Doubts = ReadonlyMap<number, readonly number[]>;

const NO_DOUBTS: Doubts = new Map();

/** Requests after the first: one tells of what is in doubt, others of what differs in its own answer. */
const MOST_LOOKS = 3;

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
    let reply: Reply;
    try {
      reply = await send(batch);
    } catch (error) {
      // Nothing but Infinity makes a request fail that way. Its end must stay what it is where that undoes writes.
      throw reads && error instanceof DataError ? await named(error, batch, send) : error;
    }
    let doubts = this.#doubts(batch, reply);
    for (let look = 0; look < MOST_LOOKS && doubts.size > 0; look++) {
      const told = await this.#tell(batch, reply, doubts, send, reads);
      const wider = this.#widened(batch, reply, told, doubts);
      if (wider === doubts) return told;
      if (wider === undefined) return reply;
      doubts = wider;
    }
    return reply;
  }

  /** The same batch, whose statements also tell what is in some of their columns. */
  async #tell(
    batch: Batch,
    { answer, first }: Reply,
    doubts: Doubts,
    send: (batch: Batch) => Promise<Reply>,
    reads: boolean,
  ): Promise<Reply> {
    const telling = batch.statements.map((own, i) => {
      const columns = doubts.get(i);
      if (columns === undefined) return own;
      const { types } = answer.headAt(first + i);
      return tellingOf(own, types.length, columns, columns.filter((i) => isDate(types[i]!)));
    });
    const asked = reads
      ? [...doubts.keys()].map((i) => batch.statements[i]!).filter(hasOwnTypes)
      : [];
    const told = await send({ ...batch, statements: [...telling, ...asked.map(rowlessOf)] });
    for (const [i, { analysis }] of asked.entries()) {
      const at = told.first + telling.length + i;
      if (at < told.answer.length) this.#declared.set(analysis, told.answer.headAt(at).types);
    }
    return told;
  }

  #doubts({ statements, settings }: Batch, { answer, first }: Reply): Doubts {
    let doubts: Map<number, readonly number[]> | undefined;
    for (let i = 0; i < statements.length; i++) {
      const { analysis } = statements[i]!;
      const at = first + i;
      if (analysis.kind !== "read" || at >= answer.length || answer.errorAt(at) !== undefined) {
        continue;
      }
      const columns = answer.doubts(at, settings.integers, this.#declared.get(analysis));
      if (columns.length === 0) continue;
      const room = answer.headAt(at).types.length + columns.length <= MOST_COLUMNS;
      if (room) (doubts ??= new Map()).set(i, columns);
    }
    return doubts ?? NO_DOUBTS;
  }

  /** The doubts that an answer to them leaves: the same if none, `undefined` if there is no way to clear them. */
  #widened(batch: Batch, reply: Reply, told: Reply, doubts: Doubts): Doubts | undefined {
    // Rows that came meanwhile may hold what the first answer did not.
    const fresh = this.#doubts(batch, told);
    let wider = doubts;
    for (const i of new Set([...doubts.keys(), ...fresh.keys()])) {
      const { answer, first } = reply;
      if (first + i >= answer.length) continue;
      const [head, columns] = [answer.headAt(first + i), doubts.get(i)];
      const others = columns && told.answer.look(told.first + i, { ...head, told: columns });
      if (columns !== undefined && others === undefined) return undefined;
      const all = new Set([...columns ?? [], ...others ?? [], ...fresh.get(i) ?? []]);
      const own = [...all].filter((column) => column < head.types.length);
      if (own.length > (columns?.length ?? 0)) wider = new Map(wider).set(i, own);
    }
    return wider;
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
