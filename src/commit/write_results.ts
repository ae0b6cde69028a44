import type { Reply } from "../calls/request.ts";
import { emptyResult, firstError, readResults } from "../calls/read_results.ts";
import { resultsOf } from "../calls/results.ts";
import { changes } from "../sql/analyse.ts";
import { tornBatch } from "../calls/batch.ts";
import { DataError, OutcomeUnknownError } from "../errors.ts";
import type { Result } from "../sql/value.ts";
import type { Minted } from "./commits.ts";
import { notEntered, type Refused, withId } from "./endings.ts";
import { withoutStaleId } from "./rowids.ts";
import type { CommitBody, Write } from "./write.ts";

/** The results of a write in a reply that begins with them. */
export function resultsIn(reply: Reply, write: Write, { id: { id }, facts }: Minted): Result[] {
  const { statements, positions, call } = write;
  // Only in a list with reads, where a statement that does not compile any more stops nothing.
  if (firstError(reply, statements) >= 0) throw tornBatch(reply, statements, positions, id);
  let results: Result[];
  try {
    results = readResults(reply, statements, call.settings, -1, { positions });
  } catch (error) {
    throw error instanceof OutcomeUnknownError ? withId(error, id) : error;
  }
  const by = write.facts;
  return results.map((result, i) => {
    const statement = statements[i];
    return statement === undefined ? result : withoutStaleId(result, statement, by[i] ?? facts);
  });
}

/** The results of a write that took effect before. */
export function withoutResults({ statements }: Write): Result[] {
  return statements.map(() => ({ ...emptyResult(), rowsAffected: -1 }));
}

/** The results of a write that took effect by a copy whose answer is lost. @param infinity Why, where it is by that. */
export function lost(write: Write, infinity?: DataError): Result[] {
  const rows = write.statements.find(({ analysis }) => analysis.returning || !changes(analysis));
  if (rows === undefined) return withoutResults(write);
  const reason = infinity === undefined
    ? "the answer with its rows was lost: do not repeat it"
    : `what it returned is lost: ${infinity.message}`;
  throw new DataError(`The write was applied, but ${reason}`, { sql: rows.analysis.source });
}

/** Why a statement refused the commit; the empty result of one that did nothing where servers cannot tell the two. */
export function refusal(
  { statements, positions, call }: Write,
  { before }: CommitBody,
  { entry, text, reply }: Refused,
): Error | Result {
  if (entry < 0) return notEntered(text);
  try {
    const own = { ...reply, first: reply.first + before };
    const [result] = resultsOf(own, statements, call.settings, { positions });
    return result?.rows.length === 0 ? result : notEntered(text);
  } catch (error) {
    return error as Error;
  }
}
