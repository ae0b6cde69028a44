import { ProgrammingError } from "../errors.ts";
import { bareName, type Migration } from "./files.ts";
import type { Applied } from "./journal.ts";
import { refuseStates, statusOf } from "./state.ts";

/** What is to be done, in this order; one of the two is empty. */
export interface Plan {
  /** To be applied. */
  readonly up: readonly Migration[];
  /** To be taken back. */
  readonly down: readonly Migration[];
}

/** The name of no migration. */
const NONE = "none";

/**
 * What leads from what was applied to what shall be.
 *
 * @param to The name of the last one that shall be applied.
 * @throws {ProgrammingError} If files and database do not belong together, there is no migration of that name, or one
 * cannot be taken back.
 */
export function planOf(
  migrations: readonly Migration[],
  applied: readonly Applied[],
  to: string | undefined,
): Plan {
  refuseStates(statusOf(migrations, applied));
  const end = endOf(migrations, to);
  const up = migrations.slice(applied.length, end);
  const down = migrations.slice(end, applied.length).reverse();
  const kept = down.filter((migration) => migration.down === undefined);
  if (kept.length === 0) return { up, down };
  throw new ProgrammingError(
    `Cannot go back to ${to} as nothing says how to take back ${
      kept.map(({ name }) => name).join(", ")
    }: write ${kept[0]!.name}.down.sql, or \`down\` in the list`,
  );
}

/** How many migrations shall be applied. */
function endOf(migrations: readonly Migration[], to: string | undefined): number {
  if (to === undefined) return migrations.length;
  if (to === NONE) return 0;
  const at = migrations.findIndex(({ name }) => name === bareName(to));
  if (at >= 0) return at + 1;
  throw new ProgrammingError(
    `Cannot migrate to ${to} as there is no such migration: give the whole name of one, or "${NONE}"`,
  );
}
