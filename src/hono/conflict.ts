import { TransactionConflictError } from "../errors.ts";
import { answerOf } from "./answer.ts";

/**
 * The transaction of a request conflicted with another client's: nothing was kept, and the same request may succeed when
 * it is sent again. It answers 409 by itself, as Hono's `HTTPException` does.
 */
export class RequestConflictError extends TransactionConflictError {
  /** "RequestConflictError". */
  override name = "RequestConflictError";
  /** 409. */
  override readonly status = 409;

  /**
   * Makes an error.
   *
   * @param conflict What the transaction met.
   */
  constructor(conflict: TransactionConflictError) {
    const { message, attempts, node, sql } = conflict;
    super(message, {
      cause: conflict,
      attempts,
      status: 409,
      ...(node !== undefined && { node }),
      ...(sql !== undefined && { sql }),
    });
  }

  /** The answer; Hono's own error handler asks for it, from 4.5 on. */
  getResponse(): Response {
    return answerOf(this);
  }
}

// As errors.ts does with its classes: so it is one of this class to every copy of the package.
Object.defineProperty(RequestConflictError.prototype, Symbol.for("@tangled/rqlite.error"), {
  value: "RequestConflictError",
});

/** Runs a part of a request; a conflict becomes one that answers 409. */
export async function answering<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (!(error instanceof TransactionConflictError)) throw error;
    throw error instanceof RequestConflictError ? error : new RequestConflictError(error);
  }
}
