import type { Executor, QueryOptions } from "../../calls/executor.ts";
import type { Column, Schema } from "../../inspect/schema.ts";
import { identifier } from "../../sql/quoting.ts";
import { affinity, isDate } from "../../wire/affinity.ts";

/**
 * The same schema, its views with the types that the server goes by. SQLite gives a column of a view the type of what it is
 * made of even where the server does not see that, as behind a UNION, and calls one without a type BLOB.
 */
export async function withServedTypes(
  client: Pick<Executor, "batch">,
  schema: Schema,
  options: Pick<QueryOptions, "signal" | "timeout" | "level">,
): Promise<Schema> {
  const known = schema.views.filter(({ columns }) => columns.length > 0);
  if (known.length === 0) return schema;
  const reads = known.map(({ name }) => `SELECT * FROM ${identifier(name)} LIMIT 0`);
  const results = await client.batch(reads, options);
  const views = schema.views.map((view) => {
    const types = results[known.indexOf(view)]?.types;
    if (types === undefined) return view;
    return { ...view, columns: view.columns.map((column, i) => served(column, types[i] ?? "")) };
  });
  return { ...schema, views };
}

function served(column: Column, type: string): Column {
  if (isOfTheServer(type)) return { ...column, type };
  const known = column.type.toLowerCase();
  if (known === type) return column;
  if (isOfTheServer(known)) return { ...column, type: "" };
  // Nobody tells an INTEGER from a REAL there.
  return /integer|real/.test(affinity(known)) ? { ...column, type: "NUMERIC" } : column;
}

/** Whether values are what they are by a type that the server sees. */
function isOfTheServer(type: string): boolean {
  return type === "boolean" || isDate(type) || (type !== "" && affinity(type) === "blob");
}
