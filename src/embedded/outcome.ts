import type { WireValue } from "./values.ts";

/** A statement that was run for its effect. */
export interface WriteOutcome {
  readonly kind: "write";
  readonly lastInsertId: bigint;
  readonly rowsAffected: bigint;
  readonly seconds: number;
}

/** A statement that was run for its rows. */
export interface RowsOutcome {
  readonly kind: "rows";
  readonly columns: readonly string[];
  readonly types: readonly string[];
  readonly rows: readonly (readonly WireValue[])[];
  readonly seconds: number;
}

/** A statement that failed. */
export interface ErrorOutcome {
  readonly kind: "error";
  readonly message: string;
  /** It failed on the way to rows, which shows in the associative form. */
  readonly asRows: boolean;
}

/** What became of one statement. */
export type Outcome = WriteOutcome | RowsOutcome | ErrorOutcome;

/** The whole request failed; the results of its statements are lost. */
export class RequestFailed extends Error {
  override readonly name = "RequestFailed";
}
