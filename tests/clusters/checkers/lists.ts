import { countOf, maybeDone, type Op } from "../history.ts";

/** What a transaction did to lists, in its order. A value is appended once in a history. */
export type ListStep =
  | { readonly append: number; readonly key: string }
  | { readonly read: readonly number[]; readonly key: string };

/** By key, what is there in the end. */
export type Lists = ReadonlyMap<string, readonly number[]>;

/** Which kind of dependency it is: on a write by a write, on a write by a read, of a write on a read that saw less. */
type Kind = "ww" | "wr" | "rw";

/**
 * Are transactions that append to lists and read them serializable? Who saw whose append gives the order in which they must
 * have run (Adya's dependencies); what is lost or doubled, reads that are no prefix of what is there in the end, and cycles
 * of dependencies have no such order.
 *
 * @returns A sentence for each anomaly: G0 is a cycle of writes alone, G1c one of writes and reads of them, G2-item one with
 * a read that missed a write.
 */
export function checkLists(ops: readonly Op<readonly ListStep[]>[], final: Lists): string[] {
  const writers = writersOf(ops);
  const problems = [...checkAppends(ops, final), ...checkReads(ops, final, writers)];
  // Dependencies mean nothing where the lists themselves are wrong.
  if (problems.length > 0) return problems;
  return cyclesOf(maybeDone(ops), final, writers);
}

function writersOf(ops: readonly Op<readonly ListStep[]>[]): Map<number, Op<readonly ListStep[]>> {
  return new Map(
    ops.flatMap((op) => op.did.flatMap((step) => "append" in step ? [[step.append, op]] : [])),
  );
}

function checkAppends(ops: readonly Op<readonly ListStep[]>[], final: Lists): string[] {
  const counts = new Map([...final].map(([key, values]) => [key, countOf(values)]));
  return ops.flatMap(({ ended, did }) => {
    const appends = did.flatMap((step) => "append" in step ? [step] : []);
    const found = appends.map(({ key, append }) => counts.get(key)?.get(append) ?? 0);
    return appends.flatMap(({ key, append }, i) => {
      const what = `list ${key}: ${append}`;
      const times = found[i]!;
      if (times > 1) return [`${what} is there ${times} times`];
      if (ended === "done" && times === 0) return [`${what} was acknowledged and is lost`];
      if (ended === "not done" && times === 1) {
        return [`${what} is there though it was not applied`];
      }
      if (times !== found[0]) return [`${what} is only a half of its transaction`];
      return [];
    });
  });
}

function checkReads(
  ops: readonly Op<readonly ListStep[]>[],
  final: Lists,
  writers: ReadonlyMap<number, Op<readonly ListStep[]>>,
): string[] {
  return ops.filter(({ ended }) => ended === "done").flatMap(({ did }) =>
    did.flatMap((step) => {
      if (!("read" in step)) return [];
      const { key, read } = step;
      const unknown = read.find((value) => !writers.has(value));
      if (unknown !== undefined) return [`list ${key}: read ${unknown}, which nobody appended`];
      const aborted = read.find((value) => writers.get(value)!.ended === "not done");
      if (aborted !== undefined) {
        return [`list ${key}: read ${aborted}, which was not applied (G1a)`];
      }
      const there = final.get(key) ?? [];
      return read.every((value, i) => value === there[i])
        ? []
        : [`list ${key}: read ${read}, which is no beginning of ${there}`];
    })
  );
}

function cyclesOf(
  ops: readonly Op<readonly ListStep[]>[],
  final: Lists,
  writers: ReadonlyMap<number, Op<readonly ListStep[]>>,
): string[] {
  const graph = new Graph(ops.length);
  const numbers = new Map(ops.map((op, i) => [op, i]));
  const writer = (value: number | undefined) =>
    value === undefined ? undefined : numbers.get(writers.get(value)!);
  for (const order of final.values()) {
    for (const [i, value] of order.entries()) graph.add(writer(value), writer(order[i + 1]), "ww");
  }
  for (const [number, { did, ended }] of ops.entries()) {
    if (ended !== "done") continue;
    for (const step of did) {
      if (!("read" in step)) continue;
      graph.add(writer(step.read.at(-1)), number, "wr");
      graph.add(number, writer((final.get(step.key) ?? [])[step.read.length]), "rw");
    }
  }
  const names: readonly [string, readonly Kind[]][] = [
    ["G0", ["ww"]],
    ["G1c", ["ww", "wr"]],
    ["G2-item", ["ww", "wr", "rw"]],
  ];
  for (const [name, kinds] of names) {
    const cycles = graph.cycles(kinds);
    if (cycles.length === 0) continue;
    return cycles.map((cycle) => `${name}: ${cycle.map((i) => shown(ops[i]!)).join(" → ")}`);
  }
  return [];
}

function shown({ caller, did }: Op<readonly ListStep[]>): string {
  const steps = did.map((step) =>
    "append" in step ? `append ${step.append} to ${step.key}` : `read ${step.key}: [${step.read}]`
  );
  return `${caller} (${steps.join(", ")})`;
}

class Graph {
  readonly #edges: readonly Map<number, Set<Kind>>[];

  constructor(size: number) {
    this.#edges = Array.from({ length: size }, () => new Map());
  }

  add(from: number | undefined, to: number | undefined, kind: Kind): void {
    if (from === undefined || to === undefined || from === to) return;
    const kinds = this.#edges[from]!.get(to) ?? new Set();
    this.#edges[from]!.set(to, kinds.add(kind));
  }

  #next(node: number, kinds: readonly Kind[]): number[] {
    return [...this.#edges[node]!].filter(([, of]) => kinds.some((kind) => of.has(kind)))
      .map(([to]) => to);
  }

  /** One cycle, the shortest, of each set of nodes that reach each other. */
  cycles(kinds: readonly Kind[]): number[][] {
    const next = this.#edges.map((_, node) => this.#next(node, kinds));
    return components(next).map((nodes) => shortestCycle(next, new Set(nodes)));
  }
}

/** Tarjan's: the sets of more than one node that reach each other; without recursion, as histories are long. */
function components(next: readonly (readonly number[])[]): number[][] {
  const index = next.map(() => -1);
  const low = next.map(() => 0);
  const on = next.map(() => false);
  const stack: number[] = [];
  const found: number[][] = [];
  let counter = 0;
  for (const root of next.keys()) {
    if (index[root] !== -1) continue;
    const open: { readonly node: number; edge: number }[] = [];
    const enter = (node: number): void => {
      index[node] = low[node] = counter++;
      stack.push(node);
      on[node] = true;
      open.push({ node, edge: 0 });
    };
    enter(root);
    while (open.length > 0) {
      const top = open.at(-1)!;
      const { node } = top;
      const to = next[node]![top.edge++];
      if (to !== undefined) {
        if (index[to] === -1) enter(to);
        else if (on[to]) low[node] = Math.min(low[node]!, index[to]!);
        continue;
      }
      open.pop();
      const parent = open.at(-1);
      if (parent !== undefined) low[parent.node] = Math.min(low[parent.node]!, low[node]!);
      if (low[node] !== index[node]) continue;
      const members = stack.splice(stack.indexOf(node));
      for (const member of members) on[member] = false;
      if (members.length > 1) found.push(members);
    }
  }
  return found;
}

/** Breadth first from one node back to it, within a set. */
function shortestCycle(next: readonly (readonly number[])[], within: Set<number>): number[] {
  const [start] = within as Iterable<number> as [number];
  const from = new Map<number, number>();
  const queue = [start];
  for (const node of queue) {
    for (const to of next[node]!) {
      if (!within.has(to) || from.has(to)) continue;
      from.set(to, node);
      if (to !== start) {
        queue.push(to);
        continue;
      }
      const path = [start];
      for (let at = node; at !== start; at = from.get(at)!) path.unshift(at);
      return [start, ...path];
    }
  }
  return [];
}
