// How commits end, as tables that the compiler checks to be whole: what an answer proves, what that means for the commit,
// which ids it leaves open, and what is said of it. The reasons are in `docs/internals/commits.md`.

import type { Reply } from "../calls/request.ts";
import { infinityIn } from "../calls/refusals.ts";
import type { LoggedCommit } from "../calls/logged_commits.ts";
import {
  DataError,
  IntegrityError,
  OperationalError,
  OutcomeUnknownError,
  ProgrammingError,
  TimeoutError,
} from "../errors.ts";
import { type CommitId, nameOf } from "./log_table.ts";
import type { IdProof, Proof } from "./proof.ts";
import { missing, unusable } from "./repair.ts";

/** Whose an id of a commit is: made for it, chosen by the caller, or that of an earlier run of the same. */
export type Whose = "own" | "chosen" | "earlier";

/** A commit took effect by the copy that was answered. */
export interface Committed {
  /** Its name. */
  readonly is: "committed";
  /** The results begin at its `first`. */
  readonly reply: Reply;
  /** Its place in the log; `undefined` where the node does not tell that of the id. */
  readonly mark: LoggedCommit | undefined;
}

/** A statement refused it. */
export interface Refused {
  /** Its name. */
  readonly is: "refused";
  /** The position behind the ids; negative where not even they could be written. */
  readonly entry: number;
  /** The error of the statement. */
  readonly text: string;
  /** The results begin at its `first`. */
  readonly reply: Reply;
}

/**
 * An end that one of the ids met:
 *
 * - `done`: it took effect by a copy whose results are lost.
 * - `fenced`: somebody asked for its outcome before it took effect.
 * - `interfered`: somebody wrote what the commit was judged by; no copy took effect, nor will one.
 * - `repeated`: the chosen id took effect in another call, which was the same.
 * - `reused`: it did in another call, which was of something else.
 * - `spent`: it did not, and never will, as it failed before or somebody asked for its outcome.
 */
export type IdEnding = "done" | "fenced" | "interfered" | "repeated" | "reused" | "spent";

/** A commit that ended at one of its ids. */
export interface EndedAt<Is extends IdEnding> {
  /** Its name. */
  readonly is: Is;
  /** The id. */
  readonly id: string;
  /** Why the results of what is done are lost, where they hold Infinity. @default {undefined} */
  readonly infinity?: DataError | undefined;
}

/** How a commit ended; anything worse is thrown. */
export type Ending = Committed | Refused | { [Is in IdEnding]: EndedAt<Is> }[IdEnding];

/** An id that took effect after all. */
export type TookEffect = EndedAt<"done"> | EndedAt<"repeated"> | EndedAt<"reused">;

/**
 * Ends that nobody can go on from: the row may be pruned, somebody drops the table again and again, the table is not ours,
 * or the answer makes no sense.
 */
type Failure = "expired" | "missing" | "unusable" | "unexpected";

/** What became of a batch of fences: of all of them, or of the id that it failed at. */
type FenceEnding = "fenced" | "done" | "expired" | "resend";

type Meanings<Part extends string> =
  & Record<Part, Ending["is"] | Failure | "resend">
  & Record<"fence", FenceEnding | Failure>;

/** What a proof of a whole batch means where the batch is a commit, and where it is nothing but fences. */
const BATCH_ENDINGS = {
  committed: { commit: "committed", fence: "fenced" },
  interfered: { commit: "interfered", fence: "unexpected" },
  // The end of this copy: another one may still pass.
  refused: { commit: "refused", fence: "unexpected" },
  // It was made, and the same batch sent again: somebody takes it away.
  missing: { commit: "missing", fence: "missing" },
  outdated: { commit: "missing", fence: "missing" },
  unusable: { commit: "unusable", fence: "unusable" },
} as const satisfies Record<Exclude<Proof["is"], IdProof["is"]>, Meanings<"commit">>;

/** What a proof of one id means, by whose it is; "resend" is for what is left of the batch without that id. */
const ID_ENDINGS = {
  // It took effect before: by an earlier copy, in an earlier run, or in another call that was the same.
  done: { own: "done", chosen: "repeated", earlier: "done", fence: "done" },
  // Somebody asked for its outcome first; a chosen one may also have failed before.
  fenced: { own: "fenced", chosen: "spent", earlier: "fenced", fence: "fenced" },
  // Rows were deleted by hand up to its base, or it is an old one.
  expired: { own: "expired", chosen: "expired", earlier: "expired", fence: "expired" },
  // What it was judged by is gone, and so is whatever an earlier copy did. An earlier id keeps every copy from passing.
  replaced: { own: "interfered", chosen: "interfered", earlier: "resend", fence: "resend" },
  // Only ids that were chosen are entered for one call.
  reused: { own: "unexpected", chosen: "reused", earlier: "unexpected", fence: "unexpected" },
} as const satisfies Record<IdProof["is"], Meanings<Whose>>;

/** Which ids an ending leaves open: before it is reported they are fenced, as a copy that is under way may still pass. */
export const LEFT_OPEN = {
  committed: [],
  done: [],
  fenced: [],
  interfered: ["own"],
  repeated: ["own"],
  reused: ["own"],
  spent: ["own"],
  // An error spends the id that was chosen.
  refused: ["own", "chosen"],
} as const satisfies Record<Ending["is"], readonly Whose[]>;

/** What is said of an id that the caller chose and that is used already; nothing where it is the same call. */
export const CHOSEN: Record<"repeated" | "reused" | "spent", (id: string) => Error | undefined> = {
  repeated: () => undefined,
  reused: (id) =>
    new ProgrammingError(
      `Cannot apply the write as its id ${
        JSON.stringify(id)
      } was used for another statement or other values, or by an old client that did not keep which: use a new id`,
    ),
  spent: (id) =>
    new OperationalError(
      `Cannot apply the write as its id ${
        JSON.stringify(id)
      } is spent: it failed before, or outcome() was asked for it. ` +
        "It was not applied; use a new id",
    ),
};

/** What the proof in an answer to a commit means. @param whose The id is that it names. */
export function endingBy(
  proof: Exclude<Proof, { is: "refused" }>,
  whose: (id: string) => Whose,
): Exclude<Ending["is"], "refused"> | Failure | "resend" {
  return "id" in proof ? ID_ENDINGS[proof.is][whose(proof.id)] : BATCH_ENDINGS[proof.is].commit;
}

/**
 * What the proof in an answer to fences means.
 *
 * @throws {OperationalError} If there are none now.
 */
export function fenceEndingBy(proof: Proof): FenceEnding {
  const ending = "id" in proof ? ID_ENDINGS[proof.is].fence : BATCH_ENDINGS[proof.is].fence;
  if (ending === "missing" || ending === "unusable" || ending === "unexpected") {
    throw failureOf(ending, proof, "Cannot fence the commit");
  }
  return ending;
}

/** The error of an answer that is no end of a commit. @param attempt What could not be done. */
export function failureOf(
  failure: Exclude<Failure, "expired">,
  proof: Proof,
  attempt: string,
): OperationalError {
  const text = "text" in proof ? proof.text : `it was ${proof.is}`;
  if (failure === "missing") return missing();
  return failure === "unusable" ? unusable(text) : new OperationalError(`${attempt}: ${text}`);
}

/**
 * Whether an error of a request leaves ids open; any other is certain, and so were the attempts before it.
 *
 * @param earlier Those of earlier runs: a time-out is certain of the commit itself.
 */
export function leavesOpen(error: unknown, earlier: readonly CommitId[]): boolean {
  return isOfCommit(error) || error instanceof OutcomeUnknownError ||
    (error instanceof TimeoutError && earlier.length > 0);
}

/** What a request that failed is reported by, once no copy of its commit can take effect any more. */
export function certainError(error: unknown): unknown {
  if (isOfCommit(error)) return error;
  const infinity = infinityIn(error);
  return infinity === undefined
    ? new OperationalError(
      "The write was not applied: its answer was lost, and no copy of it can take effect any more",
      { retryable: true, cause: error },
    )
    : new DataError(
      `The write was not applied, as a statement failed behind one whose rows are lost: ${infinity.message}`,
      { cause: error },
    );
}

/** A COMMIT that fails, as by a deferred constraint, speaks about one copy: another may meet other rows. */
function isOfCommit(error: unknown): boolean {
  return error instanceof IntegrityError || error instanceof ProgrammingError;
}

/** The error where a node could not write the ids, whatever the reason. */
export function notEntered(text: string): OperationalError {
  return new OperationalError(`The write was not applied, as its id could not be written: ${text}`);
}

/** The error of a write of which the server could not tell what became of it, and that is fenced off now. */
export function notApplied(cause: OutcomeUnknownError): OperationalError {
  return new OperationalError(
    "The write was not applied, and no copy of it can take effect any more: the server failed at its rows",
    { cause },
  );
}

/** The error of a commit whose id was fenced off by somebody else. */
export function fencedOff(what: "write" | "transaction"): OperationalError {
  return new OperationalError(
    `The ${what} was not applied, as somebody asked for the outcome of its id before it was committed`,
    { retryable: true },
  );
}

/** The error where the schema never stands still. */
export function restless(): OperationalError {
  return new OperationalError("The schema changed again and again while the write was sent", {
    retryable: true,
  });
}

/** The error of ids about which nothing is known. */
export function unknownOutcome(ids: readonly CommitId[], cause: unknown): OutcomeUnknownError {
  const id = nameOf(ids);
  return new OutcomeUnknownError(
    `Cannot tell whether the write was applied: ask outcome(${JSON.stringify(id)}) later`,
    { id, cause },
  );
}

/** The error of an id about which nothing will ever be known. */
export function expired(id: string): OutcomeUnknownError {
  return new OutcomeUnknownError(
    "Cannot tell whether the write was applied, and never will, as the row of its id may have been pruned: " +
      "look at the data before repeating it",
    { id },
  );
}

/** The same error, with the id to ask for. */
export function withId(error: OutcomeUnknownError, id: string): OutcomeUnknownError {
  const { message, sql, statementIndex, cause } = error;
  return new OutcomeUnknownError(message, {
    id,
    cause,
    ...(sql !== undefined && { sql }),
    ...(statementIndex !== undefined && { statementIndex }),
  });
}
