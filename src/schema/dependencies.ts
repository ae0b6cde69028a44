import { acts, ANY } from "./local_columns.ts";
import { namesIn } from "./node_state.ts";
import type { SchemaObjects } from "./schema_objects.ts";

/** By table or view, what it leads to; all in lower case. */
export type Graph = ReadonlyMap<string, ReadonlySet<string>>;

/** From each table or view to the tables and views that it is made of. */
export function readGraph({ objects }: SchemaObjects): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [name, { kind, text }] of objects) {
    const beneath = new Set<string>();
    graph.set(name, beneath);
    if (kind === "table") continue;
    const named = text === undefined ? objects.keys() : namesIn(text);
    for (const other of named) if (objects.has(other)) beneath.add(other);
    if (kind === "virtual") addShadows(objects, name, beneath);
    beneath.delete(name);
  }
  return graph;
}

/** From each table or view to the tables that are written next when it is. */
export function writeGraph({ objects, triggers }: SchemaObjects): Graph {
  const graph = new Map<string, Set<string>>();
  for (const [name, { kind, unclear }] of objects) {
    const targets = new Set<string>(unclear && kind === "table" ? [ANY] : []);
    graph.set(name, targets);
    if (kind === "virtual") addShadows(objects, name, targets);
  }
  for (const { subject, effects } of triggers) {
    const targets = graph.get(subject);
    if (effects === undefined) targets?.add(ANY);
    else for (const { table } of effects) targets?.add(table);
  }
  for (const [name, { foreignKeys }] of objects) {
    for (const [parent, , , onUpdate, onDelete] of foreignKeys) {
      if (acts(onUpdate) || acts(onDelete)) graph.get(parent.toLowerCase())?.add(name);
    }
  }
  return graph;
}

/** A virtual table keeps its rows in tables named after it. */
function addShadows(
  objects: SchemaObjects["objects"],
  name: string,
  into: Set<string>,
): void {
  for (const other of objects.keys()) if (other.startsWith(`${name}_`)) into.add(other);
}

/** All that can be reached in one step or more; the start only if a way leads back to it. */
export function reachable(graph: Graph, start: string): Set<string> {
  const found = new Set<string>();
  const open = [start];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    for (const next of graph.get(name) ?? []) {
      if (found.has(next)) continue;
      found.add(next);
      open.push(next);
    }
  }
  return found;
}
