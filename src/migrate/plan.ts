import { ProgrammingError } from "../errors.ts";
import { bareName, byNumber, type Migration, numberOf } from "./files.ts";
import type { Applied } from "./journal.ts";

/**
 * How a migration stands: it was applied, or will be; it is another one than was applied (`edited`), is no longer there
 * (`missing`), or came when others behind it had been applied (`late`). In the last three cases nothing is applied.
 */
export type MigrationState = "applied" | "pending" | "edited" | "missing" | "late";

/** What `status` tells of a migration. */
export interface MigrationStatus {
  /** Its name, without `.sql`. */
  readonly name: string;
  /** How it stands. */
  readonly state: MigrationState;
  /** When it was applied, by the clock of the client that did it; `undefined` if it was not. */
  readonly appliedAt: Date | undefined;
  /** Whether there is what takes it back. */
  readonly down: boolean;
}

/** How each of the migrations stands that are there or were applied, in the order of their numbers. */
export function statusOf(
  migrations: readonly Migration[],
  applied: readonly Applied[],
): MigrationStatus[] {
  const rows = new Map(applied.map((row) => [row.name, row]));
  const last = applied.reduce((most, { name }) => max(most, numberOf(name) ?? 0n), -1n);
  const all = migrations.map(({ name, number, checksum, down }) => {
    const row = rows.get(name);
    rows.delete(name);
    const state = row === undefined
      ? number > last ? "pending" : "late"
      : row.checksum === checksum
      ? "applied"
      : "edited";
    const status: MigrationStatus = {
      name,
      state,
      appliedAt: row?.appliedAt,
      down: down !== undefined,
    };
    return { status, number };
  });
  for (const { name, appliedAt } of rows.values()) {
    const status: MigrationStatus = { name, state: "missing", appliedAt, down: false };
    all.push({ status, number: numberOf(name) ?? 0n });
  }
  // Of two with one number, one is missing.
  all.sort(byNumber);
  return all.map(({ status }) => status);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}

/** A migration that can be taken back. */
export interface RevertibleMigration extends Migration {
  /** What takes it back. */
  readonly down: string;
}

/** What is to be done, in this order; one of the two is empty. */
export interface Plan {
  /** To be applied. */
  readonly up: readonly Migration[];
  /** To be taken back. */
  readonly down: readonly RevertibleMigration[];
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
  const kept = down.filter((migration) => !isRevertible(migration));
  const [first] = kept;
  if (first === undefined) return { up, down: down.filter(isRevertible) };
  throw new ProgrammingError(
    `Cannot go back to ${to} as nothing says how to take back ${
      kept.map(({ name }) => name).join(", ")
    }: write ${first.name}.down.sql, or \`down\` in the list`,
  );
}

function isRevertible(migration: Migration): migration is RevertibleMigration {
  return migration.down !== undefined;
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

/** What is wrong in each state that is, and what to do. */
const WRONG: ReadonlyMap<MigrationState, readonly [one: string, many: string, advice: string]> =
  new Map([
    ["edited", [
      "was edited since it was applied",
      "were edited since they were applied",
      "put back what it was, and write what is to change into a new migration",
    ]],
    ["missing", [
      "was applied and is missing",
      "were applied and are missing",
      "put it back; or is this an older version of the program, or another database?",
    ]],
    ["late", [
      "has a number below that of one that was applied before",
      "have numbers below that of one that was applied before",
      "give it a higher number",
    ]],
  ]);

/**
 * Refuses what leaves no doubt that files and database do not belong together.
 *
 * @throws {ProgrammingError} If a migration is edited, missing or late; it names all of them.
 */
function refuseStates(all: readonly MigrationStatus[]): void {
  for (const [state, [one, many, advice]] of WRONG) {
    const names = all.filter((status) => status.state === state).map(({ name }) => name);
    if (names.length === 0) continue;
    throw new ProgrammingError(
      `Cannot migrate as ${names.join(", ")} ${names.length === 1 ? one : many}: ${advice}`,
    );
  }
}
