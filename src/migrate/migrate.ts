import { called } from "../calls/error_stacks.ts";
import type { Client } from "../client/client.ts";
import { runScript } from "../client/script.ts";
import { DatabaseError, DataError, OutcomeUnknownError, ProgrammingError } from "../errors.ts";
import { checkClient } from "../locks/acquire_options.ts";
import { withLock } from "../locks/with_lock.ts";
import { readOptions } from "../options.ts";
import { prepare } from "../sql/prepare_frozen.ts";
import type { Statement } from "../sql/statement.ts";
import type { Result } from "../sql/value.ts";
import { type Migration, readMigrations } from "./files.ts";
import { type Applied, isOvertaken, Journal } from "./journal.ts";
import { type Limits, limitsOf, migrationLock, TIMEOUT } from "./limits.ts";
import { MIGRATE, type MigrateOptions, STATUS, type StatusOptions } from "./options.ts";
import {
  type MigrationStatus,
  type Plan,
  planOf,
  type RevertibleMigration,
  statusOf,
} from "./plan.ts";

/** What {@linkcode migrate} did, or would do. */
export interface MigrateResult {
  /** The names of the migrations that this call applied, in their order; those that others applied are not among them. */
  readonly applied: string[];
  /** The names of those that it took back, the last one first. */
  readonly reverted: string[];
}

const TABLE = "rqlite_migrations";

/**
 * Applies the migrations that were not applied yet, in the order of their numbers, each once, however many processes do so
 * at the same time and wherever one of them dies.
 *
 * Each migration is one atomic batch by the rules of `script`, and the row that notes it is in the same commit: both are
 * there, or neither. It is applied only if nobody has applied another one meanwhile, so the lock that is held saves work
 * and is not what this relies on. Where one fails, those before it stay, and none behind it is applied.
 *
 * All is checked before anything is written: the names, whether what was applied is what is there, and whether each
 * statement is one that can be sent. Where nothing is to do, nothing is written.
 *
 * @param client What `connect` answers.
 * @throws {ProgrammingError} If one was edited, is missing or has a number below that of an applied one, if two have the same
 * number, a file is no migration, or one has to be taken back without saying how: the message names it, and nothing was sent.
 * @throws {NotSupportedError} If a statement cannot be part of a batch, or there is no file system for `folder`.
 * @throws {DatabaseError} If a statement fails: the message names the migration and the line. Nothing of it was kept.
 * @throws {LockTimeoutError} If another one was at work all the time.
 * @throws {OutcomeUnknownError} If it cannot be known whether the last one was applied: the next call finds out.
 * @throws {TypeError|RangeError} If an argument has the wrong form.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { migrate } from "@tangled/rqlite/migrate";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * const migrations = [
 *   { name: "0001_users", sql: "CREATE TABLE users(id INTEGER PRIMARY KEY, name TEXT)" },
 *   { name: "0002_ada", sql: "INSERT INTO users(name) VALUES('Ada')", down: "DELETE FROM users" },
 * ];
 * console.log((await migrate(db, { migrations })).applied); // [ "0001_users", "0002_ada" ]
 * console.log((await migrate(db, { migrations })).applied); // []
 * console.log((await migrate(db, { migrations, to: "0001_users" })).reverted); // [ "0002_ada" ]
 * await db.close();
 * ```
 *
 * @example Files of a folder
 * ```ts ignore
 * await migrate(db, { folder: new URL("./migrations/", import.meta.url) });
 * ```
 */
export function migrate(client: Client, options: MigrateOptions): Promise<MigrateResult> {
  return called(() => migrateAgreed(client, options));
}

/**
 * The same, for somebody who has been shown what it will do.
 *
 * @param agreed The names of those that may be applied or taken back, as others may be at work since; without it all.
 * @throws {ProgrammingError} Before any other one is.
 */
export async function migrateAgreed(
  client: Client,
  options: MigrateOptions,
  agreed?: MigrateResult,
): Promise<MigrateResult> {
  check(client);
  const { lock, dryRun = false, to, ...where } = readOptions(options, MIGRATE);
  const { table = TABLE, timeout = TIMEOUT } = where;
  const limits = limitsOf(where);
  const migrations = await readMigrations(where);
  const journal = new Journal(client, table);
  const plan = planOf(migrations, await journal.read(limits) ?? [], to);
  for (const migration of plan.up) await checkScript(migration.name, migration.sql);
  for (const migration of plan.down) await checkScript(downOf(migration), migration.down);
  if (dryRun || isDone(plan)) return resultOf(plan);
  const migrator = new Migrator(client, journal, limits, agreed);
  const held = lock ?? migrationLock(client, `migrate:${table}`, timeout);
  return await withLock(held, () => migrator.run(migrations, to), limits());
}

/**
 * How each migration stands, in the order of their numbers: of those that are there, and of those that were applied and are
 * not there any more. It writes nothing.
 *
 * @param client What `connect` answers.
 * @throws {ProgrammingError} If two migrations have the same number, or a file is none.
 * @throws {NotSupportedError} If there is no file system for `folder`.
 * @throws {TypeError|RangeError} If an argument has the wrong form.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { embedded } from "@tangled/rqlite/embedded";
 * import { migrate, status } from "@tangled/rqlite/migrate";
 *
 * const db = connect(embedded());
 * const first = { name: "0001_users", sql: "CREATE TABLE users(id INTEGER PRIMARY KEY)" };
 * await migrate(db, { migrations: [first] });
 * const second = { name: "0002_names", sql: "ALTER TABLE users ADD name TEXT" };
 * const all = await status(db, { migrations: [first, second] });
 * console.log(all.map(({ name, state }) => `${name} ${state}`)); // [ "0001_users applied", "0002_names pending" ]
 * await db.close();
 * ```
 */
export function status(client: Client, options: StatusOptions): Promise<MigrationStatus[]> {
  return called(async () => {
    check(client);
    const where = readOptions(options, STATUS);
    const migrations = await readMigrations(where);
    const journal = new Journal(client, where.table ?? TABLE);
    return statusOf(migrations, await journal.read(limitsOf(where)) ?? []);
  });
}

/** Applies migrations one by one, and takes them back. */
class Migrator {
  readonly #client: Client;
  readonly #journal: Journal;
  readonly #limits: Limits;
  readonly #agreed: MigrateResult | undefined;

  constructor(client: Client, journal: Journal, limits: Limits, agreed?: MigrateResult) {
    this.#client = client;
    this.#journal = journal;
    this.#limits = limits;
    this.#agreed = agreed;
  }

  /** Looks again before each step, as without the lock others may be at work. */
  async run(migrations: readonly Migration[], to: string | undefined): Promise<MigrateResult> {
    const applied: string[] = [];
    const reverted: string[] = [];
    for (;;) {
      const seen = await this.#journal.read(this.#limits);
      const plan = planOf(migrations, seen ?? [], to);
      const { up: [next], down: [last] } = plan;
      const step = next ?? last;
      if (step === undefined) return { applied, reverted };
      if ([...applied, ...reverted].includes(step.name)) throw undone(step);
      const noted = step === next;
      const agreed = this.#agreed?.[noted ? "applied" : "reverted"];
      if (agreed?.includes(step.name) === false) throw unexpected(step, noted);
      const run = this.#runFirst(plan, seen);
      const done = await run.catch((error) => this.#isDone(error, step, noted));
      if (done) (noted ? applied : reverted).push(step.name);
    }
  }

  /**
   * What a statement answers is nobody's, so it may be what no value can hold: the journal tells whether it was applied.
   *
   * @throws {unknown} The error, unless it came after the fact.
   */
  async #isDone(error: unknown, { name }: Migration, noted: boolean): Promise<true> {
    if (!(error instanceof DataError || error instanceof OutcomeUnknownError)) throw error;
    const rows = await this.#journal.read(this.#limits).catch(() => undefined);
    if (rows?.some((row) => row.name === name) === noted) return true;
    throw error;
  }

  async #runFirst(
    { up: [next], down: [last] }: Plan,
    seen: readonly Applied[] | undefined,
  ): Promise<boolean> {
    if (next !== undefined) return await this.#apply(next, seen);
    return last !== undefined && await this.#revert(last, seen ?? []);
  }

  #apply(migration: Migration, seen: readonly Applied[] | undefined): Promise<boolean> {
    const before = this.#journal.entering(migration, seen);
    return this.#send(migration.name, migration.sql, before, before.length - 1);
  }

  #revert(migration: RevertibleMigration, seen: readonly Applied[]): Promise<boolean> {
    const before = this.#journal.leaving(migration, seen);
    return this.#send(downOf(migration), migration.down, before, 0);
  }

  /**
   * Commits a script with statements in front of it.
   *
   * @param guard Which of those fails where others came first.
   * @returns Whether they did not.
   */
  async #send(
    name: string,
    text: string,
    before: readonly Statement[],
    guard: number,
  ): Promise<boolean> {
    const batch = async (statements: readonly string[]): Promise<Result[]> => {
      try {
        return await this.#client.batch([...before, ...statements], this.#limits());
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        const { statementIndex: at } = error;
        if (at === guard && isOvertaken(error)) return [];
        if (at === undefined) throw error;
        const results = error.results?.slice(before.length);
        if (results !== undefined) Object.assign(error, { results });
        const place = at < before.length ? undefined : at - before.length;
        throw Object.assign(error, { statementIndex: place });
      }
    };
    const read = async (sql: string): Promise<unknown[]> =>
      (await this.#client.query(sql, [], { ...this.#limits(), level: "weak", rows: "array" })).rows;
    const results = await named(name, () => runScript(text, batch, read));
    return results.length > 0;
  }
}

/** Refuses a script that can never be sent. */
async function checkScript(name: string, text: string): Promise<void> {
  const now = new Date();
  const batch = (statements: readonly string[]): Promise<Result[]> => {
    // What depends on the schema is not known before those in front of it are applied.
    statements.forEach((sql, statementIndex) =>
      prepare(sql, { now, statementIndex, oneRow: () => true })
    );
    return Promise.resolve([]);
  };
  await named(name, () => runScript(text, batch, () => Promise.resolve([])));
}

/** Lets an error begin with the name of the migration. */
async function named<T>(name: string, run: () => Promise<T>): Promise<T> {
  try {
    return await run();
  } catch (error) {
    if (error instanceof DatabaseError) {
      Object.assign(error, { message: `Migration ${name}: ${error.message}` });
    }
    throw error;
  }
}

function check(client: Client): void {
  checkClient(client);
  if (typeof client.begin === "function") return;
  throw new TypeError(
    "Cannot use `client` as it must be what `connect` answers: in Hono that is `c.var.db.client`",
  );
}

function undone({ name }: Migration): ProgrammingError {
  return new ProgrammingError(
    `Cannot go on as ${name} has to be done a second time: its own row was changed, by what it says itself, ` +
      "or by others that migrate the other way: leave the table of what was applied alone",
  );
}

function unexpected({ name }: Migration, noted: boolean): ProgrammingError {
  return new ProgrammingError(
    `Cannot go on as ${name} would be ${
      noted ? "applied" : "taken back"
    }, too, because of what others have done ` +
      "meanwhile: call it again, and look at what it will do",
  );
}

function downOf({ name }: Migration): string {
  return `${name}.down`;
}

function isDone({ up, down }: Plan): boolean {
  return up.length + down.length === 0;
}

function resultOf({ up, down }: Plan): MigrateResult {
  return { applied: up.map(({ name }) => name), reverted: down.map(({ name }) => name) };
}
