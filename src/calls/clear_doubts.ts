import { DataError } from "../errors.ts";
import type { Prepared } from "../sql/prepare.ts";
import { hasOwnTypes, infinityOf, rowlessOf, tellingOf } from "../sql/storage_class.ts";
import { isDate } from "../wire/affinity.ts";
import type { Batch, Reply } from "./request.ts";
import { type Declared, type Doubts, doubtsIn } from "./doubts.ts";

/** Requests after the first: one tells of what is in doubt, others of what differs in its own answer. */
const MOST_LOOKS = 3;

/** How the requests are sent, and what is known. */
export interface Looks {
  /** Sends a batch. */
  readonly send: (batch: Batch) => Promise<Reply>;
  /** The batch holds nothing but reads, so that statements may be added and left out. */
  readonly reads: boolean;
  /** What is known of declared types, and is added to. */
  readonly declared: Declared;
}

/** The answer to a batch that is sent again, all of it, as its statements belong to one state: it tells of its doubts. */
export async function clearDoubts(
  batch: Batch,
  reply: Reply,
  doubts: Doubts,
  looks: Looks,
): Promise<Reply> {
  for (let look = 0; look < MOST_LOOKS && doubts.size > 0; look++) {
    const told = await tell(batch, reply, doubts, looks);
    const wider = widened(batch, reply, told, doubts, looks.declared);
    if (wider === doubts) return told;
    if (wider === undefined) return reply;
    doubts = wider;
  }
  return reply;
}

/** The same batch, whose statements also tell what is in some of their columns. */
async function tell(
  batch: Batch,
  { answer, first }: Reply,
  doubts: Doubts,
  { send, reads, declared }: Looks,
): Promise<Reply> {
  const telling = batch.statements.map((own, i) => {
    const columns = doubts.get(i);
    if (columns === undefined) return own;
    const { types } = answer.headAt(first + i);
    const dates = columns.filter((column) => isDate(types[column] ?? ""));
    return tellingOf(own, types.length, columns, dates);
  });
  const asked = reads ? batch.statements.filter((own, i) => doubts.has(i) && hasOwnTypes(own)) : [];
  const told = await send({ ...batch, statements: [...telling, ...asked.map(rowlessOf)] });
  for (const [i, { analysis }] of asked.entries()) {
    const at = told.first + telling.length + i;
    if (at < told.answer.length) declared.set(analysis, told.answer.headAt(at).types);
  }
  return told;
}

/** The doubts that an answer to them leaves: the same if none, `undefined` if there is no way to clear them. */
function widened(
  batch: Batch,
  reply: Reply,
  told: Reply,
  doubts: Doubts,
  declared: Declared,
): Doubts | undefined {
  // Rows that came meanwhile may hold what the first answer did not.
  const fresh = doubtsIn(batch, told, declared);
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

/**
 * The error for Infinity with the first column that holds it; the same one where none does any more.
 *
 * @throws {RqliteError} If it cannot be found out.
 */
export async function named(
  error: DataError,
  batch: Batch,
  send: (batch: Batch) => Promise<Reply>,
): Promise<DataError> {
  // By themselves: these are light where the read was not.
  const settings = { ...batch.settings, coalesce: false };
  const ask = async (form: (read: Prepared, i: number) => Prepared): Promise<Reply> => {
    const statements = batch.statements.map((own, i) =>
      own.analysis.kind === "read" ? form(own, i) : own
    );
    return await send({ ...batch, statements, settings });
  };
  const { answer, first } = await ask(rowlessOf);
  const heads = batch.statements.map((_, i) => answer.headAt(first + i).columns);
  const found = await ask((read, i) => infinityOf(read, heads[i]?.length ?? 0));
  for (const [i, { analysis }] of batch.statements.entries()) {
    if (analysis.kind !== "read") continue;
    const spec = { analysis, rows: "array", integers: "number" } as const;
    const { rows: [row] } = found.answer.result(found.first + i, spec);
    const column = heads[i]?.[(row as unknown as readonly unknown[]).indexOf(1)];
    if (column === undefined) continue;
    const message = `${error.message}; it stands in column ${JSON.stringify(column)}`;
    return new DataError(message, { column, sql: analysis.source });
  }
  return error;
}
