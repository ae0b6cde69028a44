import type { Schema } from "../../inspect/schema.ts";
import type { IntegerMode } from "../../sql/value.ts";
import { drizzleSchema } from "./drizzle_schema.ts";
import { kyselyTypes } from "./kysely_types.ts";
import { plainTypes } from "./plain_types.ts";
import { type RowShape, rowShapes } from "./row_shape.ts";

/** What types may be written for. */
export const TARGETS = ["plain", "kysely", "drizzle"] as const;

/** What types are written for. */
export type TypesTarget = (typeof TARGETS)[number];

/** How types are written. */
export interface TypesOptions {
  /** What reads and writes the rows. */
  readonly target: TypesTarget;
  /** What `integers` is set to for the client that reads them; of no meaning for Drizzle. */
  readonly integers: IntegerMode;
  /** Tables and views to leave out. */
  readonly exclude: readonly string[];
}

/** What tools for migrations keep for themselves. */
const BOOKKEEPING = [
  "rqlite_migrations",
  "kysely_migration",
  "kysely_migration_lock",
  "__drizzle_migrations",
  "_prisma_migrations",
];

/**
 * A schema as TypeScript: the types of its rows, for Kysely the interface of the database, for Drizzle tables and views.
 * The same schema makes the same text.
 */
export function schemaTypes(schema: Schema, options: TypesOptions): string {
  const left = [...BOOKKEEPING, ...options.exclude];
  const shapes = rowShapes(schema).filter(({ name }) => !left.includes(name));
  const rows = shapes.filter(({ columns }) => columns.length > 0);
  const missing = shapes.filter(({ columns }) => columns.length === 0).map(({ name }) =>
    `// The view ${JSON.stringify(name)} is left out, as it reads what is not there any more.\n`
  );
  return [header(options), ...blocksOf(rows, options), ...missing].join("\n");
}

function blocksOf(rows: readonly RowShape[], { target, integers }: TypesOptions): string[] {
  if (target === "kysely") return kyselyTypes(rows, integers);
  // It has to be a module all the same.
  if (rows.length === 0) return ["export {};\n"];
  return target === "plain" ? plainTypes(rows, integers) : drizzleSchema(rows);
}

function header({ target, integers, exclude }: TypesOptions): string {
  const mode = integers === "number" ? [] : ["--integers", integers];
  const without = exclude.flatMap((name) => {
    return ["--exclude", /^[\w-]+$/.test(name) ? name : JSON.stringify(name)];
  });
  const command = ["types", "--for", target, ...mode, ...without, "--out <this file>"].join(" ");
  return `// Made of the schema of a database by @tangled/rqlite/cli; what is changed here is lost. To make it again:
//   ${command}
// deno-fmt-ignore-file
// deno-lint-ignore-file
`;
}
