import type { Kysely } from "kysely";
import type { Migration, MigrationResultSet, MigratorProps } from "kysely/migration";

/** The migrator of Kysely: since 0.29 it is in a module of its own. */
const { Migrator } = await import("kysely/migration").catch(() =>
  import("kysely")
) as typeof import("kysely/migration");

/** Migrates to the newest of these. */
export function migrate<T>(
  db: Kysely<T>,
  migrations: Record<string, Migration>,
  options: Partial<MigratorProps> = {},
): Promise<MigrationResultSet> {
  return migratorOf(db, migrations, options).migrateToLatest();
}

/** Kysely's migrator of these migrations. */
export function migratorOf<T>(
  db: Kysely<T>,
  migrations: Record<string, Migration>,
  options: Partial<MigratorProps> = {},
): InstanceType<typeof Migrator> {
  const provider = { getMigrations: () => Promise.resolve(migrations) };
  return new Migrator({ db, provider, ...options });
}
