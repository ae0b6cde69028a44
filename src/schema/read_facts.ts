import type { TokenView } from "../sql/token_view.ts";
import { type Graph, reachable, readGraph, writeGraph } from "./dependencies.ts";
import type { Bonds, Facts, TableFacts } from "./facts.ts";
import { ANY, findLocal, type LocalColumns } from "./local_columns.ts";
import { namesIn } from "./node_state.ts";
import { readObjects, type SchemaObject, type SchemaObjects } from "./schema_objects.ts";

/**
 * The facts about a schema. What cannot be read is taken for the worst: its columns are local, and a write to it may
 * write any table. Nothing is thrown.
 *
 * @param rows The rows of `FACTS_QUERY` in array form.
 * @param version The text of `SCHEMA_VERSION` that was read with them.
 *
 * @example
 * ```ts ignore
 * const facts = readFacts(rows, "12.3.456");
 * facts.table("Users")?.local; // Set { "created_at" }
 * ```
 */
export function readFacts(rows: readonly (readonly unknown[])[], version: string): Facts {
  const schema = readObjects(rows);
  const reader: Reader = {
    schema,
    local: findLocal(schema),
    reads: readGraph(schema),
    writes: writeGraph(schema),
    targets: new Set(
      schema.triggers.flatMap(({ effects }) => effects?.map(({ table }) => table) ?? [ANY]),
    ),
  };
  const tables = new Map<string, TableFacts>();
  for (const [name, object] of schema.objects) tables.set(name, factsOf(reader, name, object));
  return { version, table: (name) => tables.get(name.toLowerCase()) };
}

interface Reader {
  readonly schema: SchemaObjects;
  readonly local: LocalColumns;
  readonly reads: Graph;
  readonly writes: Graph;
  /** What any trigger writes. */
  readonly targets: ReadonlySet<string>;
}

function factsOf(reader: Reader, name: string, object: SchemaObject): TableFacts {
  const { local, writes, targets } = reader;
  const { kind, sql, columns, rowid, withoutRowid, volatileCheck } = object;
  const next = reachable(writes, name);
  return {
    name: object.name,
    kind,
    sql,
    columns,
    rowid,
    withoutRowid,
    key: keyOf(object),
    ...uniqueSetsOf(object),
    local: local.columns.get(name) ?? new Set(),
    localUnique: isLocalUnique(object, local.columns.get(name)),
    volatile: local.volatile.has(name),
    reads: readsOf(reader, name, object),
    writes: new Set([name, ...next]),
    interposed: interposedOf(reader, name),
    volatileCheck,
    keepsRows: keepsRows(reader, new Set([name, ...next])),
    triggered: targets.has(name) || targets.has(ANY) || next.has(name) || next.has(ANY),
    bonds: bondsOf(reader, name, object),
  };
}

function bondsOf(
  { schema: { objects, triggers } }: Reader,
  name: string,
  { foreignKeys, indexes }: SchemaObject,
): Bonds {
  const own = triggers.filter(({ subject }) => subject === name);
  const named = own.flatMap(({ body }) => [...namesIn(body)]).filter((one) => objects.has(one));
  const children = [...objects].filter(([, { foreignKeys }]) =>
    foreignKeys.some(([parent]) => parent.toLowerCase() === name)
  );
  const uniques = indexes.filter(([origin, unique]) => unique === 1 && origin !== "pk")
    .map(([, , , names]) => names);
  return {
    triggers: own.length === 0 ? undefined : new Set(named),
    parents: new Set(foreignKeys.map(([parent]) => parent.toLowerCase())),
    children: new Set(children.map(([child]) => child)),
    uniques: uniques.every((set): set is readonly string[] => !set.includes(null))
      ? uniques.map((set) => set.map((name) => name.toLowerCase()))
      : undefined,
  };
}

function interposedOf({ schema }: Reader, name: string): Set<string> | undefined {
  const triggers = schema.triggers.filter(({ subject, before, raises, effects, body }) => {
    const ignores = raises && body.find("IGNORE") >= 0;
    // A trigger that only checks changes nothing.
    return subject === name && (ignores || effects === undefined || (before && effects.length > 0));
  });
  if (triggers.length === 0) return undefined;
  return new Set(
    triggers.flatMap(({ body }) => [...namesIn(body)].filter((other) => schema.objects.has(other))),
  );
}

/** Any FAIL in what a write to the first of the tables may come to. */
function keepsRows({ schema }: Reader, written: ReadonlySet<string>): boolean {
  const fails = (text: TokenView | undefined) => text === undefined || text.find("FAIL") >= 0;
  return written.has(ANY) ||
    [...written].some((name) => fails(schema.objects.get(name)?.text)) ||
    schema.triggers.some(({ subject, body }) => written.has(subject) && fails(body));
}

function readsOf({ schema, reads }: Reader, name: string, { kind }: SchemaObject): Set<string> {
  const beneath = [...reachable(reads, name)].filter((other) =>
    schema.objects.get(other)?.kind !== "view"
  );
  return new Set(kind === "view" ? beneath : [name, ...beneath]);
}

function keyOf({ columns }: SchemaObject): string[] {
  return columns.filter(({ key }) => key > 0).sort((a, b) => a.key - b.key)
    .map(({ name }) => name);
}

/** What an index over an expression, or over some of the rows, depends on is not looked into. */
function isLocalUnique({ indexes }: SchemaObject, local: ReadonlySet<string> | undefined): boolean {
  if (local === undefined || local.size === 0) return false;
  return indexes.some(([, unique, partial, names]) =>
    unique === 1 &&
    (partial === 1 ||
      names.some((name) => name === null || local.has(ANY) || local.has(name.toLowerCase())))
  );
}

/** NULLs are never equal, so that rows with one in a unique index are not told apart by it. */
function uniqueSetsOf(object: SchemaObject): Pick<TableFacts, "candidateKeys" | "uniqueSets"> {
  const { columns, rowid, withoutRowid, indexes } = object;
  const filled = new Set(
    columns.filter(({ name, notNull, key }) =>
      notNull || name === rowid || (withoutRowid && key > 0)
    ).map(({ name }) => name.toLowerCase()),
  );
  const sets = indexes.filter(([, unique, partial]) => unique === 1 && partial === 0)
    .map(([, , , names]) => names.map((name) => name?.toLowerCase() ?? ""));
  const found = new Map<string, string[]>();
  const key = keyOf(object).map((name) => name.toLowerCase());
  for (const set of [key, ...sets]) {
    const fits = set.length > 0 && !set.includes("");
    if (fits && !found.has(JSON.stringify(set))) found.set(JSON.stringify(set), set);
  }
  const uniqueSets = [...found.values()];
  const candidateKeys = uniqueSets.filter((set) => set.every((name) => filled.has(name)));
  return { candidateKeys, uniqueSets };
}
