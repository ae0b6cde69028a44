import type { HttpAnswer } from "../transport/transport.ts";
import { Answer, MalformedAnswerError } from "../wire/decode.ts";

/** What a request asked for, as far as its answer has to match. */
export interface Asked {
  /** It changes data. */
  readonly write: boolean;
  /** It is a read at level "linearizable". */
  readonly linearizable: boolean;
  /** How many results it must have. */
  readonly results: number;
}

/** The node cannot serve a linearizable read now; the same read at level "strong" will do. */
export const READ_STRONG: unique symbol = Symbol("read at level strong");

/** What the answer to a data request holds, if it is one to it; what else it is, `judge` tells. */
export function accepted({ results }: Asked, { status, text }: HttpAnswer): Answer | undefined {
  const body = status === 200 ? parse(text) : undefined;
  if (body === undefined || body.error !== undefined || body.length > results) return undefined;
  return body.length === results || endsInError(body) ? body : undefined;
}

/** `undefined` if that is not what rqlite sends. */
export function parse(text: string): Answer | undefined {
  try {
    return new Answer(text);
  } catch (error) {
    if (error instanceof MalformedAnswerError) return undefined;
    throw error;
  }
}

/** A transaction stops at its first error: the statements after it have no result. */
function endsInError(body: Answer): boolean {
  return body.length > 0 && body.errorAt(body.length - 1) !== undefined;
}
