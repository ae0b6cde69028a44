import { DataError } from "../errors.ts";
import type { Batch, Reply } from "./request.ts";
import { type Declared, doubtsIn } from "./doubts.ts";
import { Late } from "../late.ts";

const LOOKS = new Late("values that answers leave in doubt", () => import("./clear_doubts.ts"));

/**
 * Reads a second time what an answer cannot tell: the bytes of a BLOB that arrived as text, and whether a number is an
 * INTEGER or a REAL. Most reads need no second request; see
 * `docs/internals/server.md`.
 */
export class SecondLook {
  readonly #declared: Declared = new WeakMap();

  /**
   * Sends a batch that changes nothing, and a second time if its answer leaves a doubt.
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
    const declared = this.#declared;
    const doubts = doubtsIn(batch, reply, declared);
    if (doubts.size === 0) return reply;
    return await LOOKS.use(
      batch.deadline,
      ({ clearDoubts }) => clearDoubts(batch, reply, doubts, { send, reads, declared }),
      "Cannot tell what some of the values are",
    );
  }
}

/** The error for Infinity with the first column that holds it, as far as that can be found out. */
async function named(
  error: DataError,
  batch: Batch,
  send: (batch: Batch) => Promise<Reply>,
): Promise<DataError> {
  try {
    return await LOOKS.use(batch.deadline, ({ named }) => named(error, batch, send));
  } catch {
    // Then it has no name.
    return error;
  }
}
