import { digestOf } from "../commit/hash.ts";
import { NotSupportedError, ProgrammingError } from "../errors.ts";
import type { MigrationSource, StatusOptions } from "./options.ts";

/** A migration as it is in the folder or in the list. */
export interface Migration {
  /** Its file's name without `.sql`. */
  readonly name: string;
  /** By which they are ordered. */
  readonly number: bigint;
  /** What is run. */
  readonly sql: string;
  /** What takes it back. */
  readonly down: string | undefined;
  /** Of `sql`. */
  readonly checksum: string;
}

const NAME = /^(\d+)(?:[_-].*)?$/s;
const SQL = ".sql";
const DOWN = ".down";

/** The name of a migration without what files have behind it. */
export function bareName(name: string): string {
  return name.endsWith(SQL) ? name.slice(0, -SQL.length) : name;
}

/** The number that a name begins with; `undefined` of what is no name of a migration. */
export function numberOf(name: string): bigint | undefined {
  const [, digits] = NAME.exec(name) ?? [];
  return digits === undefined ? undefined : BigInt(digits);
}

/**
 * The migrations that are there, in the order of their numbers.
 *
 * @throws {TypeError} If not one of `folder` and `migrations` was given.
 * @throws {ProgrammingError} If one cannot be read, has no number or that of another.
 * @throws {NotSupportedError} If there is no file system for `folder`, or no WebCrypto.
 */
export async function readMigrations(
  { folder, migrations }: Pick<StatusOptions, "folder" | "migrations">,
): Promise<Migration[]> {
  const sources = await sourcesOf(folder, migrations);
  const found = await Promise.all(sources.map(migrationOf));
  found.sort(byNumber);
  for (const [i, { name, number }] of found.entries()) {
    const next = found[i + 1];
    if (next?.number !== number) continue;
    throw new ProgrammingError(
      `Cannot migrate as ${name} and ${next.name} have the same number, and so no order: ` +
        "give one of them another",
    );
  }
  return found;
}

/** The order of the numbers of migrations. */
export function byNumber(a: { readonly number: bigint }, b: { readonly number: bigint }): number {
  return a.number < b.number ? -1 : a.number > b.number ? 1 : 0;
}

async function sourcesOf(
  folder: string | URL | undefined,
  migrations: readonly MigrationSource[] | undefined,
): Promise<readonly MigrationSource[]> {
  if (folder === undefined) {
    if (migrations !== undefined) return migrations;
  } else if (migrations === undefined) return await sourcesIn(folder);
  const what = folder === undefined ? "without `folder` or `migrations`" : "with both of them";
  throw new TypeError(`Cannot migrate ${what}: give one of them`);
}

async function sourcesIn(folder: string | URL): Promise<MigrationSource[]> {
  const { readFolder } = await import("../node/folder.ts");
  const files = await readFolder(folder, (file) => {
    const bare = bareName(file);
    const up = bare.endsWith(DOWN) ? bare.slice(0, -DOWN.length) : bare;
    if (bare === file || numberOf(up) === undefined) throw noMigration(file);
  });
  const texts = new Map([...files].map(([file, text]) => [bareName(file), text]));
  for (const name of texts.keys()) {
    const up = name.slice(0, -DOWN.length);
    if (!name.endsWith(DOWN) || texts.has(up)) continue;
    throw new ProgrammingError(
      `Cannot migrate as there is no ${up}${SQL} that ${name}${SQL} could take back`,
    );
  }
  return [...texts].filter(([name]) => !name.endsWith(DOWN))
    .map(([name, sql]) => ({ name, sql, down: texts.get(name + DOWN) }));
}

async function migrationOf(source: MigrationSource): Promise<Migration> {
  const name = bareName(source.name);
  const number = numberOf(name);
  if (number === undefined || name.endsWith(DOWN)) throw noMigration(source.name);
  const { subtle } = crypto as { subtle?: SubtleCrypto };
  if (subtle === undefined) {
    throw new NotSupportedError(
      "Cannot migrate as there is no WebCrypto for checksums: browsers have it behind https: and on localhost only",
    );
  }
  const sql = withoutReturns(source.sql);
  const down = source.down === undefined ? undefined : withoutReturns(source.down);
  return { name, number, sql, down, checksum: await digestOf(sql) };
}

/** Git and editors end lines otherwise on Windows: what is run, and its checksum, shall be the same everywhere. */
function withoutReturns(text: string): string {
  return text.replace(/^\ufeff/, "").replaceAll("\r\n", "\n");
}

function noMigration(name: string): ProgrammingError {
  return new ProgrammingError(
    `Cannot migrate as ${name} is no migration: name it with a number in front, such as 0001_users.sql, or put it elsewhere`,
  );
}
