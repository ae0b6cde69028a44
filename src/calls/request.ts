import type { Prepared } from "../sql/prepare.ts";
import type { HttpAnswer } from "../transport/transport.ts";
import { Answer, MalformedAnswerError } from "../wire/decode.ts";
import type { LoggedCommit } from "./logged_commits.ts";
import type { CallContext } from "./call_context.ts";

/** Statements that travel together. */
export interface Batch extends CallContext {
  /** At least one; none of them empty. */
  readonly statements: readonly Prepared[];
  /** In one transaction. */
  readonly transaction: boolean;
  /** The only node that a read is sent to. */
  readonly node?: string | undefined;
  /** Values that the answer to a read leaves in doubt are asked for again. @default {false} */
  readonly exact?: boolean;
  /** The first statement of a read reads the schema, so that the connection notices a change of it. @default {false} */
  readonly aware?: boolean;
  /** The JSON of the statements, where it is made already. */
  readonly texts?: readonly string[];
  /** Each result of a read says how long it took. @default {false} */
  readonly timed?: boolean;
  /** The numbers of commits that a read looks for in the log, in the same state as the rest of it. */
  readonly commits?: readonly number[] | undefined;
}

/** The part of an answer that belongs to a batch. */
export interface Reply {
  /** All of it, which other batches may share. */
  readonly answer: Answer;
  /** The position of the first statement's result. */
  readonly first: number;
  /** Where commits were looked for: those that are there, between the first and the last of all. */
  readonly commits?: readonly LoggedCommit[] | undefined;
}

/** What a request asked for, as far as its answer has to match. */
export interface ExpectedAnswer {
  /** It changes data. */
  readonly write: boolean;
  /** It is a read at level "linearizable". */
  readonly linearizable: boolean;
  /** How many results it must have. */
  readonly results: number;
}

/** The node cannot serve a linearizable read now; the same read at level "strong" will do. */
export const READ_STRONG: unique symbol = Symbol("read at level strong");

/** What the answer to a data request holds, if it is one to it; what else it is, `refusals.ts` tells. */
export function accepted(
  { results }: ExpectedAnswer,
  { status, text }: HttpAnswer,
): Answer | undefined {
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
