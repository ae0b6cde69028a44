import type { RowPlan } from "../client/request_rows.ts";
import { ProgrammingError } from "../errors.ts";
import { analyse, type Analysis } from "../sql/analyse.ts";
import { refuse } from "../sql/refuse.ts";
import { resolveParams } from "../sql/resolve.ts";
import type { Params } from "../sql/value.ts";
import type { Bindable } from "../sql/value_check.ts";
import { packOf, type TextPack } from "./pack.ts";

/** What is known of the statement of an `executeMany`. */
export class ManyPlan implements RowPlan {
  /** See {@linkcode RowPlan.sql}. */
  readonly sql: string;
  /** See {@linkcode RowPlan.pack}. */
  readonly pack: TextPack | undefined;
  readonly #analysis: Analysis;

  /** @throws {ProgrammingError|NotSupportedError} If the statement is not one that writes rows. */
  constructor(sql: string) {
    this.sql = sql;
    this.#analysis = analyse(sql);
    const refusal = notMany(this.#analysis) ?? refuse(this.#analysis);
    if (refusal !== undefined) throw refusal;
    this.pack = packOf(sql);
  }

  /** See {@linkcode RowPlan.add}. */
  add(row: Params, index: number, to: Bindable[]): void {
    const values = resolveParams(this.#analysis, row, index);
    if (this.pack === undefined) to.push(...values);
    else this.pack.add(values, to);
  }
}

function notMany({ kind, verb, source, problem }: Analysis): ProgrammingError | undefined {
  if (kind === "write" || problem !== undefined) return undefined;
  const what = kind === "empty" ? "an empty statement" : verb;
  return new ProgrammingError(
    `Cannot run ${
      what || "the statement"
    } for many rows, only INSERT, REPLACE, UPDATE and DELETE: call execute()`,
    { sql: source },
  );
}
