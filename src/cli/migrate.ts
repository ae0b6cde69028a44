import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { bareName, numberOf } from "../migrate/files.ts";
import { migrateAgreed, type MigrateResult } from "../migrate/migrate.ts";
import { STATUS } from "../migrate/options.ts";
import { migrate, type MigrateOptions, type MigrationStatus, status } from "../migrate/mod.ts";
import { command, type Options, type Session } from "./command.ts";
import { EXIT, isAbort, misused, Stopped, UsageError } from "./exit.ts";
import { formatRows } from "./format_rows.ts";

const FOLDER = {
  folder: { type: "string", value: "FOLDER", help: "of the files; migrations if it is not given" },
} as const satisfies Options;

const WHERE = {
  ...FOLDER,
  table: { type: "string", value: "NAME", help: "which notes what was applied" },
} as const satisfies Options;

const PLANNED = {
  ...WHERE,
  "dry-run": { type: "boolean", help: "tells what would be done, and writes nothing" },
} as const satisfies Options;

const DETAILS = "--timeout is of all of it here, and 60 if it is not given.";

/** How long the cluster is asked what was applied, in milliseconds. */
const LIMIT = 5000;

/** `migrate up`: what was not applied yet. */
export const migrateUp = command({
  name: "migrate up",
  summary: "applies the numbered files of a folder that were not applied yet, each once",
  operands: "",
  count: [0, 0],
  options: {
    ...PLANNED,
    to: { type: "string", value: "NAME", help: "the last one to apply" },
  },
  details: DETAILS,
  async run(session) {
    const { values: { to } } = session;
    const plan = await planOf(session, to);
    if (plan.reverted.length > 0) {
      throw new UsageError(
        `Cannot migrate up to ${to} as ${
          plan.reverted.join(", ")
        } would be taken back: write migrate down`,
      );
    }
    return await perform(session, to, plan);
  },
});

/** `migrate down`: takes back. */
export const migrateDown = command({
  name: "migrate down",
  summary: "takes back the migration that was applied last, by its file .down.sql",
  operands: "",
  count: [0, 0],
  options: {
    ...PLANNED,
    to: {
      type: "string",
      value: "NAME",
      help: "the one that stays the last, or none to take back all",
    },
    yes: { type: "boolean", short: "y", help: "does not ask" },
  },
  details: DETAILS,
  async run(session) {
    const { values, input, place } = session;
    const to = values.to ?? before(await statusIn(session));
    const plan = await planOf(session, to);
    if (plan.applied.length > 0) {
      throw new UsageError(
        `Cannot migrate down to ${to} as ${
          plan.applied.join(", ")
        } would be applied: write migrate up`,
      );
    }
    const names = plan.reverted.join(", ");
    if (names !== "" && !values["dry-run"] && !values.yes) {
      if (!input.isTerminal) {
        throw new UsageError(`Cannot ask whether ${names} may be taken back: say it with --yes`);
      }
      if (!await input.confirm(`${names} will be taken back at ${place}`)) return EXIT.failed;
    }
    return await perform(session, to, plan);
  },
});

/** `migrate status`: how each of them stands. */
export const migrateStatus = command({
  name: "migrate status",
  summary: "tells which migrations were applied, and what is wrong with them",
  operands: "",
  count: [0, 0],
  options: WHERE,
  details:
    "The exit code is 1 where one is edited, missing or late, so that nothing can be applied.",
  async run(session) {
    const { output, progress } = session;
    const all = await statusIn(session);
    await progress.end();
    const rows = all.map((
      { name, state, appliedAt, down },
    ) => [name, state, appliedAt?.toISOString() ?? null, down ? "yes" : "no"]);
    const table = { columns: ["migration", "state", "applied", "down"], rows };
    await output.write(
      output.json ? `${JSON.stringify(all)}\n` : formatRows(table, "table", output.paint),
    );
    const fine = all.every(({ state }) => state === "applied" || state === "pending");
    return fine ? EXIT.done : EXIT.failed;
  },
});

/** `migrate new`: an empty file with the next number. */
export const migrateNew = command({
  name: "migrate new",
  summary: "makes an empty file with the next number; needs no server",
  operands: "NAME",
  count: [1, 1],
  options: { ...FOLDER, down: { type: "boolean", help: "also the file that takes it back" } },
  async run({ operands: [name = ""], values: { folder = "migrations", down }, output }) {
    const word = name.toLowerCase().replaceAll(/[^\p{L}\p{N}]+/gu, "_").replaceAll(/^_+|_+$/g, "");
    if (word === "") {
      throw new UsageError(`Cannot name a migration ${name}: write letters or digits`);
    }
    await mkdir(folder, { recursive: true });
    const numbers = (await readdir(folder)).flatMap((file) => numberOf(bareName(file)) ?? []);
    const next = numbers.reduce((most, number) => number > most ? number : most, 0n) + 1n;
    const begin = join(folder, `${`${next}`.padStart(4, "0")}_${word}`);
    const files = down ? [`${begin}.sql`, `${begin}.down.sql`] : [`${begin}.sql`];
    // Another process may make one of the same name in this moment.
    for (const file of files) await writeFile(file, "", { flag: "wx" });
    if (output.json) await output.line(JSON.stringify({ files }));
    for (const file of files) await output.done(file);
  },
});

type Migrating = Pick<
  Session<typeof PLANNED>,
  "values" | "connect" | "progress" | "signal" | "timeout"
>;

function optionsOf(
  { values: { folder = "migrations", table }, signal, timeout }: Migrating,
): MigrateOptions {
  try {
    if (table !== undefined) STATUS.table(table, "table");
  } catch (error) {
    throw misused(error);
  }
  return { folder, table, signal, timeout };
}

async function statusIn(session: Migrating): Promise<MigrationStatus[]> {
  const db = await session.connect();
  session.progress.tell("looking");
  return await status(db, optionsOf(session));
}

/** The one in front of that which was applied last. */
function before(all: readonly MigrationStatus[]): string {
  const applied = all.filter(({ appliedAt }) => appliedAt !== undefined);
  if (applied.length === 0) {
    throw new UsageError("Cannot take anything back as nothing was applied");
  }
  return applied.at(-2)?.name ?? "none";
}

async function planOf(session: Migrating, to: string | undefined) {
  const db = await session.connect();
  session.progress.tell("looking");
  return await migrate(db, { ...optionsOf(session), to, dryRun: true });
}

/** Does what was planned and nothing else, unless it is to be told only. */
async function perform(
  session: Session<typeof PLANNED>,
  to: string | undefined,
  plan: MigrateResult,
): Promise<void> {
  const { values, output, progress } = session;
  const db = await session.connect();
  const dryRun = values["dry-run"] ?? false;
  progress.tell(`migrating, ${plan.applied.length + plan.reverted.length} to do`);
  const options = { ...optionsOf(session), to, dryRun };
  const done = await migrateAgreed(db, options, plan).catch((error) => interrupted(session, error));
  await progress.end();
  if (output.json) return await output.line(JSON.stringify(done));
  for (const name of done.applied) await output.done(`${name} ${dryRun ? "to apply" : "applied"}`);
  for (const name of done.reverted) {
    await output.done(`${name} ${dryRun ? "to take back" : "taken back"}`);
  }
  if (done.applied.length + done.reverted.length === 0) await output.done("nothing to do");
}

/** Tells what was done until it was interrupted. @throws {unknown} The error, or what is known. */
async function interrupted(session: Migrating, error: unknown): Promise<never> {
  if (!isAbort(error, session.signal)) throw error;
  const db = await session.connect();
  const { folder, table } = optionsOf(session);
  const all = await status(db, { folder, table, timeout: LIMIT }).catch(() => undefined);
  const applied = all?.filter(({ appliedAt }) => appliedAt !== undefined).length;
  throw new Stopped(
    error,
    (all === undefined ? "" : `${applied} of ${all.length} migrations are applied; `) +
      "one that was under way is applied as a whole or not at all: migrate status tells",
  );
}
