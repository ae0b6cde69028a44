import { NotSupportedError } from "../errors.ts";
import { analyse, type Analysis, tokensOf } from "../sql/analyse.ts";
import { applyEdits } from "../sql/edit.ts";
import { freeze } from "../sql/freeze.ts";
import type { Range } from "../sql/group_items.ts";
import type { TokenView } from "../sql/token_view.ts";
import { volatileValuesOf } from "../sql/volatile_values.ts";
import type { ColumnFacts, TableFacts } from "./facts.ts";
import { usesNode, viewOf } from "./node_state.ts";
import { definitionOf } from "./schema_objects.ts";

/** A column's default as an expression that the freezer turns into literals. */
export interface FrozenDefault {
  /** The expression, in parentheses unless it is a single token. */
  readonly text: string;
  /** It is another value for each row. */
  readonly random: boolean;
}

/** `null` for a default that no literal can stand in for. */
const known: WeakMap<ColumnFacts, FrozenDefault | null> = new WeakMap();

/** Nothing is drawn in vain for a check whose result is thrown away. */
const NOTHING = (bytes: Uint8Array<ArrayBuffer>) => bytes;

/**
 * The default of a column as it can be written into a statement.
 *
 * @param sql The statement that leaves it out, for the error.
 * @throws {NotSupportedError} If no literal can stand in for it.
 */
export function frozenDefault(
  table: TableFacts,
  column: ColumnFacts,
  sql: string,
): FrozenDefault {
  let frozen = known.get(column);
  if (frozen === undefined) known.set(column, frozen = frozenNow(column) ?? null);
  if (frozen === null) throw refusal(table, column, sql);
  return frozen;
}

function frozenNow(column: ColumnFacts): FrozenDefault | undefined {
  // A comment at the end would take the parenthesis behind it along.
  const expression = analyse(column.default ?? "NULL");
  const alone = tokensOf(expression).tokens.length === 1;
  const text = alone ? expression.text : `(${expression.text})`;
  const analysis = analyse(`${PREFIX}${text}`);
  if (expression.problem !== undefined || !isFreezable(analysis)) return undefined;
  const random = volatileValuesOf(analysis).some(({ kind }) =>
    kind === "random" || kind === "randomblob"
  );
  return { text, random };
}

const PREFIX = "UPDATE t SET a = ";
const PREFIX_TOKENS = 5;

/** Whether nothing is left to a node once the freezer has been there. */
function isFreezable(analysis: Analysis): boolean {
  if (analysis.statements !== 1 || analysis.problem !== undefined) return false;
  try {
    const edits = freeze(analysis, { now: new Date(0), random: NOTHING, oneRow: () => true });
    const view = viewOf(applyEdits(analysis.text, edits, analysis.placeholders));
    return view !== undefined && !usesNode(view.slice(PREFIX_TOKENS));
  } catch (error) {
    if (error instanceof NotSupportedError) return false;
    throw error;
  }
}

function refusal(table: TableFacts, column: ColumnFacts, sql: string): NotSupportedError {
  return new NotSupportedError(
    `Cannot leave the column ${JSON.stringify(column.name)} of ${JSON.stringify(table.name)} to ` +
      `its default ${column.default} as each node would evaluate it to something else: give the ` +
      "value yourself",
    { sql },
  );
}

/**
 * Whether a NULL that is given for the column becomes its default, which a node would evaluate.
 *
 * @param conflict What the statement says of conflicts, in upper case; `undefined` if nothing.
 */
export function replacesNull(
  table: TableFacts,
  column: ColumnFacts,
  conflict: string | undefined,
): boolean {
  if (!column.volatileDefault || !column.notNull) return false;
  return conflict === undefined ? declaresIt(table, column) : conflict === "REPLACE";
}

/** NOT NULL ON CONFLICT REPLACE. */
function declaresIt({ sql }: TableFacts, { name }: ColumnFacts): boolean {
  const whole = viewOf(sql);
  const view = whole && definitionOf(whole, name);
  if (view === undefined) return false;
  return view.tokens.some((_, i) =>
    view.isWord(i, "NOT") && view.isWord(i + 1, "NULL") && view.isWord(i + 2, "ON") &&
    view.isWord(i + 3, "CONFLICT") && view.isWord(i + 4, "REPLACE")
  );
}

/** Whether the tokens are a value that is seen not to be NULL. */
export function isFilled(view: TokenView, [from, to]: Range): boolean {
  const kind = view.tokens[from]?.kind;
  return to === from + 1 && (kind === "string" || kind === "number" || kind === "blob");
}
