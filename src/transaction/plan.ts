import type { Facts } from "../schema/facts.ts";
import type { Prepared } from "../sql/prepare.ts";
import type { Cursor } from "./cursor.ts";
import type { Op } from "./journal.ts";
import type { Shapes } from "./shapes.ts";

/** What a statement becomes in one request, and how the answer to just that request is read. */
export interface StepPlan {
  readonly statements: readonly Prepared[];
  /** What it answers depends on the schema as it is then: by another one nodes may compare what differs between them. */
  readonly asks: boolean;
  /**
   * Settles the step.
   *
   * @param since The value of the sequence in the state of the answer.
   * @returns What the transaction keeps of it; `undefined` if it has to be sent again, as only now it is known how.
   */
  settle(cursor: Cursor, since: number | undefined): readonly Op[] | undefined;
  /** Takes from the answer only how the step has to be sent, as one in front of it has to be sent again. */
  learn(cursor: Cursor): void;
}

/** What plans are made by. */
export interface PlanContext {
  readonly facts: Facts;
  readonly shapes: Shapes;
  /** Results are checked at commit. */
  readonly checked: boolean;
  /** The server may go on behind a RETURNING that failed. */
  readonly mayGoOn: boolean;
}
