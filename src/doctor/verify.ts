import { Backend } from "../calls/backend.ts";
import { CALL } from "../calls/checks.ts";
import type { CallOptions } from "../calls/executor.ts";
import { hostOf } from "../calls/host.ts";
import type { Client } from "../client/client.ts";
import { NotSupportedError, OperationalError, ProgrammingError } from "../errors.ts";
import { type Checks, isFunction, isTables, readOptions, refusing } from "../options.ts";
import { FACTS_QUERY, readObjects, type SchemaObject } from "../schema/schema_objects.ts";
import { prepareRead } from "../sql/prepare.ts";
import type { Row } from "../sql/value.ts";
import { alsoEndedBy } from "../time/also_ended_by.ts";
import { Deadline } from "../time/deadline.ts";
import { valueOf } from "./cells.ts";
import { compare, type ComparisonOptions, type Finding } from "./compare.ts";
import {
  comparedSchema,
  comparedSequences,
  type ComparedTable,
  comparedTable,
} from "./compared_table.ts";
import { type Hazard, hazard, hazardsInNodes, hazardsInSchema } from "./hazards.ts";
import { cellsOf } from "./page.ts";
import { Pauses } from "./pauses.ts";
import { type Asking, type Replica, SchemaChanged } from "./replica.ts";
import { Replicas } from "./replicas.ts";

/** What {@linkcode verifyReplicas} takes. */
export interface VerifyOptions extends CallOptions {
  /** Compares these tables only, and their part of the schema. @default all tables */
  tables?: readonly string[] | undefined;
  /** Told how many rows of a table were compared so far. What it throws ends the comparison. */
  onProgress?: ((table: string, rows: number) => void) | undefined;
}

/** A table that is not the same on all nodes. */
export interface Difference {
  /** Its name; `sqlite_schema` where the schema itself differs. */
  readonly table: string;
  /** How many rows differ. */
  readonly rows: number;
  /** One of them, as the first node has it that has it; integers beyond 2^53 are `bigint`. */
  readonly example?: Row;
  /** The same row as each node has it; `undefined` where it is missing. */
  readonly versions: readonly { readonly node: string; readonly row: Row | undefined }[];
}

/** What {@linkcode verifyReplicas} answers. */
export interface Verification {
  /** Whether all nodes are equal. */
  readonly equal: boolean;
  /** The addresses of the nodes that were compared. */
  readonly nodes: readonly string[];
  /** Where they are not. */
  readonly differences: readonly Difference[];
  /** Why they may differ, or may come to. */
  readonly hazards: readonly Hazard[];
}

const VERIFY: Checks<VerifyOptions> = {
  ...CALL,
  integers: refusing("here, as those beyond 2^53 are bigint: leave it out"),
  tables: isTables,
  onProgress: isFunction,
};

/** Where the schema changes while it is compared, so often it is read again. */
const MOST_SCHEMAS = 5;
const CHANGING = "Cannot tell whether the nodes are equal: the schema changes all the time";

const FACTS = prepareRead(FACTS_QUERY);
const COUNTS = prepareRead("SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'");
const ZONE = prepareRead(
  "SELECT datetime('2024-01-15 12:00', 'localtime') || ' and ' || datetime('2024-07-15 12:00', 'localtime')",
);

/**
 * Compares all nodes of a cluster row by row, read replicas included, and tells why they may differ. It asks each node for
 * what it has itself, writes nothing, holds no more than a thousand rows of each node at a time, and stops no writer:
 * rows that differ are looked at again until every node has passed the same position of the log.
 *
 * Compared are the type and the exact content of every value of every table, the schema, `sqlite_sequence` and the tables
 * that this client keeps, `_rqlite_…`; not what each node keeps for itself, such as statistics. A table that some nodes
 * lack, or have otherwise, is told by its row of `sqlite_schema`. Each row is compared at a position of its own, so what
 * diverges meanwhile may be found by the next call only.
 *
 * The nodes are asked at the addresses that the cluster advertises, after `mapNode`, with the credentials of the client,
 * which need the permissions `status` and `query`.
 *
 * @param client What `connect` answers.
 * @param options `timeout` is that of the whole comparison, in milliseconds; 100,000 rows take a few seconds.
 * @throws {OperationalError} If a node cannot be asked and the others are equal: it is named, as are all. Where the others
 * differ, that is answered, and the node is among the hazards.
 * @throws {TimeoutError} If it cannot be told in time, as rows that differ change all the time or a node stays behind.
 * @throws {OperationalError} With the code `ERR_TOO_LARGE` if a row is longer than `maxResponseSize`, at two digits a byte,
 * or that is less than 5 MB.
 * @throws {ProgrammingError} If none of the nodes has one of `tables`.
 * @throws {NotSupportedError} If a table cannot be compared, so that `tables` has to name the others: its columns hide every
 * name of the rowid, they are nearly 2,000, or another table has its name but for the case of a letter beyond ASCII.
 * @throws What `onProgress` throws.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { verifyReplicas } from "@tangled/rqlite/doctor";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded()); // or connect("http://localhost:4001")
 * await db.execute("CREATE TABLE users(id INTEGER PRIMARY KEY, since TEXT DEFAULT CURRENT_TIMESTAMP)");
 * const { equal, nodes, differences, hazards } = await verifyReplicas(db, { timeout: 600_000 });
 * console.log(equal, nodes.length, differences); // true 1 []
 * console.log(hazards[0]?.kind, hazards[0]?.name); // default users.since
 * await db.close();
 * ```
 */
export async function verifyReplicas(
  client: Client,
  options?: VerifyOptions,
): Promise<Verification> {
  const host = hostOf(client);
  if (host === undefined) {
    throw new TypeError("Cannot use `client` as it must be what `connect` answers");
  }
  const { tables, onProgress, ...call } = readOptions(options, VERIFY);
  const connection = host.backendBy(Backend);
  const settings = {
    ...host.settings(call),
    level: "none",
    freshness: undefined,
    freshnessStrict: false,
    rows: "array",
    integers: "auto",
  } as const;
  const ending = new AbortController();
  const deadline = alsoEndedBy(new Deadline(settings.timeout, settings.signal), ending.signal);
  try {
    const asking: Asking = { connection, settings, deadline };
    const replicas = await Replicas.find(asking);
    return await new Verifier(replicas, deadline, tables, onProgress).run();
  } finally {
    // Where one node has failed, the others may still be asked.
    ending.abort();
  }
}

/** A table and what was found of it. */
type Found = readonly [ComparedTable, Finding];

/** What was found of all tables, and the schema of the first node as the rows of `FACTS_QUERY`. */
interface Compared {
  readonly found: readonly Found[];
  readonly schema: readonly (readonly unknown[])[];
}

/** The schema of one node. */
interface NodeSchema {
  /** The rows of `FACTS_QUERY`. */
  readonly rows: readonly (readonly unknown[])[];
  /** Its tables and views, by their names in lower case. */
  readonly objects: ReadonlyMap<string, SchemaObject>;
  /** Whether it counts anything by AUTOINCREMENT. */
  readonly counts: boolean;
}

class Verifier {
  readonly #replicas: Replicas;
  readonly #deadline: Deadline;
  readonly #tables: readonly string[] | undefined;
  readonly #onProgress: ComparisonOptions["onProgress"];

  constructor(
    replicas: Replicas,
    deadline: Deadline,
    tables: readonly string[] | undefined,
    onProgress: ComparisonOptions["onProgress"],
  ) {
    this.#replicas = replicas;
    this.#deadline = deadline;
    this.#tables = tables;
    this.#onProgress = onProgress;
  }

  async run(): Promise<Verification> {
    const { nodes, statuses, missing } = this.#replicas;
    if (nodes.length < 1 + Math.min(missing.length, 1)) throw unreachable(this.#replicas);
    if (nodes.length > 1) await this.#replicas.mark();
    const { found, schema } = await this.#compared();
    const names = nodes.map(({ name }) => name);
    const differences = found.filter(([, { rows }]) => rows > 0)
      .map((one) => differenceOf(one, names));
    if (missing.length > 0 && differences.length === 0) throw unreachable(this.#replicas);
    const zones = await Promise.all(nodes.map(async (node) => {
      const [rows] = await node.read([ZONE]);
      return rows?.[0]?.[0];
    }));
    const hazards = [
      ...missing.map(({ name, why }) => hazard("unreachable", name, why)),
      ...hazardsInNodes(names, statuses, zones),
      ...found.filter(([, { renumbered }]) => renumbered).map(([{ name }]) =>
        hazard("rowid", name)
      ),
      ...hazardsInSchema(schema, (name) => this.#chosen(name)),
    ];
    return { equal: differences.length === 0, nodes: names, differences, hazards };
  }

  /** Compares everything; begins again where a table changes meanwhile. */
  async #compared(): Promise<Compared> {
    const pauses = new Pauses(this.#deadline);
    for (let attempt = 1;; attempt++) {
      try {
        return await this.#compareAll();
      } catch (error) {
        if (!(error instanceof SchemaChanged) || attempt === MOST_SCHEMAS) throw error;
        await pauses.wait(() => error.message);
      }
    }
  }

  async #compareAll(): Promise<Compared> {
    const found: Found[] = [];
    const look = async (table: ComparedTable, counts: boolean) => {
      if (this.#replicas.nodes.length < 2) return;
      found.push([table, await compare(table, this.#options(counts))]);
    };
    await look(comparedSchema(this.#tables), false);
    const schemas = await Promise.all(this.#replicas.nodes.map((node) => this.#schemaOf(node)));
    this.#checkTables(schemas.map(({ objects }) => objects));
    for (const { rows, objects } of schemas) this.#checkNames(rows, objects);
    const [first = new Map<string, ComparedTable>(), ...others] = schemas.map(({ objects }) =>
      this.#comparedTables(objects)
    );
    const shared = [...first.values()].filter((table) =>
      others.every((theirs) => JSON.stringify(theirs.get(table.name)) === JSON.stringify(table))
    );
    const alike = others.every(({ size }) => size === first.size) && shared.length === first.size;
    if (!alike && found.every(([, { rows }]) => rows === 0)) throw new SchemaChanged(CHANGING);
    const counts = schemas.every((schema) => schema.counts);
    const tables = counts ? [...shared, comparedSequences(this.#tables)] : shared;
    for (const table of tables) await look(table, counts);
    return { found, schema: schemas[0]?.rows ?? [] };
  }

  async #schemaOf(node: Replica): Promise<NodeSchema> {
    const [rows = [], count] = await node.read([FACTS, COUNTS]);
    return { rows, objects: readObjects(rows).objects, counts: Number(count?.[0]?.[0]) > 0 };
  }

  #options(counts: boolean): ComparisonOptions {
    return {
      replicas: this.#replicas,
      deadline: this.#deadline,
      counts,
      onProgress: this.#onProgress,
    };
  }

  #comparedTables(objects: ReadonlyMap<string, SchemaObject>): Map<string, ComparedTable> {
    const tables = [...objects.values()].filter(({ kind, name }) =>
      kind === "table" && this.#chosen(name)
    );
    return new Map(tables.map((object) => [object.name, comparedTable(object)]));
  }

  #chosen(name: string): boolean {
    const names = this.#tables?.map((table) => table.toLowerCase());
    return names === undefined || names.includes(name.toLowerCase());
  }

  /** Tables are known by names in lower case, which is the same for some that SQLite tells apart. */
  #checkNames(
    rows: readonly (readonly unknown[])[],
    objects: ReadonlyMap<string, SchemaObject>,
  ): void {
    for (const [type, name] of rows) {
      const known = type === "trigger" ? name : objects.get(String(name).toLowerCase())?.name;
      if (known === name || !this.#chosen(String(name))) continue;
      const names = [name, known].map((one) => JSON.stringify(one)).join(" and ");
      throw new NotSupportedError(
        `Cannot compare the tables ${names}, as only the case of a letter beyond ASCII tells them apart: ` +
          "rename one, or name the tables to compare",
      );
    }
  }

  #checkTables(all: readonly ReadonlyMap<string, SchemaObject>[]): void {
    const unknown = this.#tables?.find((name) =>
      all.every((objects) => !objects.has(name.toLowerCase()))
    );
    if (unknown === undefined) return;
    throw new ProgrammingError(
      `Cannot compare the table ${JSON.stringify(unknown)} as no node has it`,
    );
  }
}

function differenceOf(
  [{ name, columns }, { rows, example = [] }]: Found,
  nodes: readonly string[],
): Difference {
  const versions = nodes.map((node, i) => ({ node, row: rowOf(columns, example[i]) }));
  const first = versions.find(({ row }) => row !== undefined)?.row;
  return { table: name, rows, ...(first && { example: first }), versions };
}

function rowOf(columns: readonly string[], cells: string | undefined): Row | undefined {
  if (cells === undefined) return undefined;
  const values = cellsOf(cells).map(valueOf);
  return Object.fromEntries(columns.map((column, i) => [column, values[i] ?? null]));
}

function unreachable({ nodes, missing }: Replicas): OperationalError {
  const which = missing.map(({ name, why }) => `${name}: ${why}`).join("; ");
  const [first] = missing;
  const rest = nodes.length < 2 ? "" : `, though the other ${nodes.length} are`;
  return new OperationalError(
    `Cannot tell whether all nodes are equal${rest}: not asked were ${which}. ` +
      "Where they are behind other addresses than the cluster advertises, `mapNode` tells where",
    { ...(first && { node: first.name }), retryable: true },
  );
}
