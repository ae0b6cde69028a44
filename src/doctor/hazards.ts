import { findLocal } from "../schema/local_columns.ts";
import { usesNode } from "../schema/node_state.ts";
import { readObjects, type SchemaObject } from "../schema/schema_objects.ts";
import { readTrigger } from "../schema/trigger.ts";
import type { NodeStatus } from "./replica.ts";

/** What may make nodes differ. */
export type HazardKind =
  | "default"
  | "check"
  | "trigger"
  | "view"
  | "sqlite"
  | "rqlite"
  | "pragma"
  | "option"
  | "time zone"
  | "rowid"
  | "unreachable";

/**
 * Something that may make nodes differ, or be why they do.
 *
 * @example
 * ```ts
 * import { connect } from "@tangled/rqlite";
 * import { verifyReplicas } from "@tangled/rqlite/doctor";
 * import { embedded } from "@tangled/rqlite/embedded";
 *
 * const db = connect(embedded());
 * await db.execute("CREATE VIEW today AS SELECT date('now') AS day");
 * const { hazards } = await verifyReplicas(db);
 * console.log(hazards.map(({ kind, name }) => `${kind} ${name}`)); // [ "view today" ]
 * await db.close();
 * ```
 */
export interface Hazard {
  /** What it is. */
  readonly kind: HazardKind;
  /** Which one: the object of the schema, such as `users.created_at`, or what each node has. */
  readonly name: string;
  /** What to do about it. */
  readonly advice: string;
}

const FROZEN =
  "this client writes the value into its INSERTs; triggers and other programs have to give it";

const ADVICE: Readonly<Record<HazardKind, string>> = {
  default:
    `Each node evaluates this default for itself where a write leaves the column out: ${FROZEN}`,
  check:
    "Each node evaluates this CHECK for itself, and may refuse a row that others take: check what the row holds alone",
  trigger:
    "Each node evaluates this trigger for itself: have the statement that fires it give the value",
  view: "Each node evaluates this view for itself at each read: let no write read it",
  sqlite:
    "Text that is made of a REAL, and new functions, differ between versions of SQLite: run one version, " +
    "and mix them only while the cluster is upgraded",
  rqlite: "Versions of rqlite rewrite statements of other clients differently: run one version",
  pragma:
    "The same write does different things where this differs: start all nodes with the same flags, and send no PRAGMA",
  option: "SQLite was built differently: run the same rqlited on all nodes",
  "time zone":
    "By 'localtime' and 'utc' each node gets another time: set the same TZ for all nodes",
  rowid:
    "The rows are equal, their rowids are not, as after a VACUUM of one node: give the table an INTEGER PRIMARY KEY, " +
    "or use its rowids nowhere",
  unreachable: "It was not compared: repeat this when it is back",
};

/** A hazard of a kind; `detail` stands in front of what is advised. */
export function hazard(kind: HazardKind, name: string, detail?: string): Hazard {
  return { kind, name, advice: (detail === undefined ? "" : `${detail}. `) + ADVICE[kind] };
}

/**
 * What each node evaluates for itself. Of generated columns and indexes SQLite takes nothing of that.
 *
 * @param rows The rows of `FACTS_QUERY` in array form.
 * @param chosen Whether a table, a view or the table of a trigger counts.
 */
export function hazardsInSchema(
  rows: readonly (readonly unknown[])[],
  chosen: (name: string) => boolean,
): Hazard[] {
  const schema = readObjects(rows);
  const { volatile } = findLocal(schema);
  const objects = [...schema.objects].filter(([, { name }]) => chosen(name));
  const triggers = rows.filter(([type, , table]) => type === "trigger" && chosen(String(table)));
  return [
    ...objects.flatMap(([, object]) => hazardsInTable(object)),
    ...triggers.filter(([, , table, sql]) => usesNode(readTrigger(String(sql), String(table)).body))
      .map(([, name]) => hazard("trigger", String(name))),
    ...objects.filter(([key]) => volatile.has(key)).map(([, { name }]) => hazard("view", name)),
  ];
}

function hazardsInTable({ name, columns, volatileCheck }: SchemaObject): Hazard[] {
  const defaults = columns.filter(({ volatileDefault }) => volatileDefault)
    .map((column) => hazard("default", `${name}.${column.name}`));
  return volatileCheck ? [...defaults, hazard("check", name)] : defaults;
}

/** What of SQLite's own build decides about what a write does. */
const OPTIONS =
  /^(?:CASE_SENSITIVE_LIKE|DEFAULT_FOREIGN_KEYS|DEFAULT_RECURSIVE_TRIGGERS|ENABLE_ICU)/;

/** What PRAGMAs tell that changes no row. */
const HARMLESS = ["busy_timeout", "journal_mode", "synchronous", "wal_autocheckpoint"];

/**
 * In what the nodes themselves differ.
 *
 * @param names Of the nodes.
 * @param statuses What each tells.
 * @param zones What each makes of two times by 'localtime'.
 */
export function hazardsInNodes(
  names: readonly string[],
  statuses: readonly NodeStatus[],
  zones: readonly unknown[],
): Hazard[] {
  const pragmas = new Set(statuses.flatMap(({ pragmas }) => Object.keys(pragmas)));
  const told: [HazardKind, string, readonly unknown[]][] = [
    ["sqlite", "", statuses.map(({ sqlite }) => sqlite)],
    ["rqlite", "", statuses.map(({ version }) => version)],
    [
      "option",
      "",
      statuses.map(({ compileOptions }) =>
        compileOptions.filter((one) => OPTIONS.test(one)).sort().join(" ")
      ),
    ],
    ["time zone", "", zones],
    ...[...pragmas].filter((name) => !HARMLESS.includes(name)).map((
      name,
    ): [HazardKind, string, readonly unknown[]] => [
      "pragma",
      `${name} `,
      statuses.map(({ pragmas }) => pragmas[name]),
    ]),
  ];
  return told.filter(([, , values]) => values.some((value) => value !== values[0]))
    .map(([kind, of, values]) =>
      hazard(kind, of + values.map((value, i) => `${value ?? "?"} on ${names[i]}`).join(", "))
    );
}
