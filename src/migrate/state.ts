import { ProgrammingError } from "../errors.ts";
import { type Migration, numberOf } from "./files.ts";
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
  all.sort((a, b) => a.number < b.number ? -1 : a.number > b.number ? 1 : 0);
  return all.map(({ status }) => status);
}

function max(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
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
export function refuseStates(all: readonly MigrationStatus[]): void {
  for (const [state, [one, many, advice]] of WRONG) {
    const names = all.filter((status) => status.state === state).map(({ name }) => name);
    if (names.length === 0) continue;
    throw new ProgrammingError(
      `Cannot migrate as ${names.join(", ")} ${names.length === 1 ? one : many}: ${advice}`,
    );
  }
}
