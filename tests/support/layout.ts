import { posix } from "node:path";
import { type Import, importsOf, runtimeNames } from "./source.ts";

/** Which parts of `src/` a part may import besides itself. */
export type Layers = Readonly<Record<string, readonly string[]>>;

/** Module texts by path from the root, such as `src/wire/json.ts`. */
export type Sources = ReadonlyMap<string, string>;

/** The part a module belongs to: a folder of `src/`, a file directly in it, `mod.ts`, or a package of its own. */
function partOf(path: string): string {
  if (path.startsWith("packages/")) return path.split("/", 2).join("/");
  return path.startsWith("src/") ? path.split("/")[1] ?? path : path;
}

interface Edge extends Import {
  readonly from: string;
  /** A path from the root; `undefined` where the import leaves the package. */
  readonly to: string | undefined;
}

function edgesOf(sources: Sources): Edge[] {
  return [...sources].flatMap(([from, text]) =>
    importsOf(text).map((one) => {
      const inside = one.specifier.startsWith(".");
      const to = inside ? posix.join(posix.dirname(from), one.specifier) : undefined;
      return { ...one, from, to };
    })
  );
}

/** Every import in a direction the layers do not have, every import of nothing, in words. */
export function forbiddenImports(sources: Sources, layers: Layers): string[] {
  const problems: string[] = [];
  for (const path of sources.keys()) {
    const part = partOf(path);
    if (!Object.hasOwn(layers, part)) {
      problems.push(`${path}: no rule says what ${part} may import`);
    }
  }
  for (const { from, to, specifier } of edgesOf(sources)) {
    if (to === undefined) continue;
    const allowed = [partOf(from), ...layers[partOf(from)] ?? []];
    if (!sources.has(to)) problems.push(`${from} imports ${specifier}, which does not exist`);
    else if (!allowed.includes(partOf(to))) problems.push(`${from} must not import ${to}`);
  }
  return problems;
}

/**
 * Every cycle of imports, as `a.ts > b.ts > a.ts`; one for each way back.
 *
 * @param types Imports of types count, too, and not only those that exist at run time.
 */
export function cycles(sources: Sources, types = false): string[] {
  const edges = edgesOf(sources).filter((edge) => types || !edge.typeOnly);
  const found: string[] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]) => {
    if (trail.includes(path)) {
      found.push([...trail.slice(trail.indexOf(path)), path].join(" > "));
      return;
    }
    if (done.has(path)) return;
    for (const { from, to } of edges) if (from === path && to) visit(to, [...trail, path]);
    done.add(path);
  };
  for (const path of sources.keys()) visit(path, []);
  return found;
}

/**
 * Every name of a runtime and every module from outside the package, in words. Parts in `bound` may
 * use `node:` modules and runtime names; those in `packages` the packages that are named there.
 */
export function foreignNames(
  sources: Sources,
  bound: readonly string[],
  packages: Readonly<Record<string, readonly string[]>>,
): string[] {
  const problems: string[] = [];
  for (const [path, text] of sources) {
    const free = bound.includes(partOf(path));
    if (!free) problems.push(...runtimeNames(text).map((name) => `${path} uses ${name}`));
    for (const { specifier } of importsOf(text)) {
      const own = packages[partOf(path)] ?? [];
      const fine = specifier.startsWith(".") || (free && specifier.startsWith("node:")) ||
        own.some((name) => specifier === name || specifier.startsWith(`${name}/`));
      if (!fine) problems.push(`${path} imports ${specifier}`);
    }
  }
  return problems;
}
