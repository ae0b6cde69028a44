/**
 * Lets Bun and Node find by name what Deno finds in `deno.json`: the packages of the workspace, and for each of them the
 * version that it is made for. Deno links one version of a package only, and none of the workspace.
 */

import { join } from "node:path";
import { type Package, packages } from "./packages.ts";
import { ROOT } from "./paths.ts";

/** Points a link somewhere, whatever it pointed to before. */
function link(path: string, target: string): void {
  Deno.mkdirSync(path.replace(/\/[^/]*$/, ""), { recursive: true });
  try {
    if (Deno.readLinkSync(path) === target) return;
    Deno.removeSync(path);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  Deno.symlinkSync(target, path);
}

/** Links what a manifest imports into the folder next to it. */
function linkImports({ folder, imports = {} }: Package, versions: Versions): void {
  for (const [alias, specifier] of Object.entries(imports)) {
    const [, name, range] = /^npm:(@?[^@]+)@(.+)$/.exec(specifier) ?? [];
    if (name === undefined || range === undefined) continue;
    const version = versions[`npm:${name}@${range}`] ?? versions[`npm:${name}@${shortened(range)}`];
    if (version === undefined) throw new Error(`deno.lock does not know ${specifier}`);
    // What stands behind an underscore says which peers it was installed with.
    const stored = `${name.replace("/", "+")}@${version.replace(/_.*/, "")}`;
    link(
      join(ROOT, folder, "node_modules", alias),
      `${ROOT}node_modules/.deno/${stored}/node_modules/${name}`,
    );
  }
}

type Versions = Readonly<Record<string, string>>;

/** The lock writes `^0.45.0` as `0.45`. */
function shortened(range: string): string {
  return range.replace(/^\^/, "").replace(/(\.0)+$/, "");
}

/** A folder of a package's name that holds links to its files, so that they are the very modules that tests import. */
function linkPackage({ folder, name, exports }: Package): void {
  const home = `${ROOT}node_modules/${name}`;
  Deno.mkdirSync(home, { recursive: true });
  Deno.writeTextFileSync(
    `${home}/package.json`,
    JSON.stringify({ name, type: "module", exports }, null, 2),
  );
  for (const file of new Set(Object.values(exports).map((path) => path.split("/")[1]!))) {
    link(`${home}/${file}`, join(ROOT, folder, file));
  }
}

/** Makes all links; those that are right stay. */
export function linkWorkspace(): void {
  const lock = Deno.readTextFileSync(`${ROOT}deno.lock`);
  const { specifiers } = JSON.parse(lock) as { specifiers: Versions };
  for (const one of packages()) {
    linkImports(one, specifiers);
    linkPackage(one);
  }
}

if (import.meta.main) linkWorkspace();
