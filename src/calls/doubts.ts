import type { Analysis } from "../sql/analyse.ts";
import type { Batch, Reply } from "./request.ts";

/** For the positions of statements, the columns of which only another request can tell what they hold. */
export type Doubts = ReadonlyMap<number, readonly number[]>;

/** The declared types of statements' columns, as far as they were asked for: the same ones are not asked about again. */
export type Declared = WeakMap<Analysis, readonly string[]>;

/** SQLite's limit on the columns of a result. */
const MOST_COLUMNS = 2000;

const NONE: Doubts = new Map();

/** What an answer leaves in doubt. */
export function doubtsIn(
  { statements, settings }: Batch,
  { answer, first }: Reply,
  declared: Declared,
): Doubts {
  let doubts: Map<number, readonly number[]> | undefined;
  for (let i = 0; i < statements.length; i++) {
    const { analysis } = statements[i]!;
    const at = first + i;
    if (analysis.kind !== "read" || at >= answer.length || answer.errorAt(at) !== undefined) {
      continue;
    }
    const columns = answer.doubts(at, settings.integers, declared.get(analysis));
    if (columns.length === 0) continue;
    const room = answer.headAt(at).types.length + columns.length <= MOST_COLUMNS;
    if (room) (doubts ??= new Map()).set(i, columns);
  }
  return doubts ?? NONE;
}
