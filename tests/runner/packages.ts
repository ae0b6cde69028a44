/** The packages of the repository: the root and the members of its workspace. */

import { ROOT } from "./paths.ts";

/** What a `deno.json` says of its package. */
export interface PackageManifest {
  readonly name: string;
  readonly version: string;
  readonly exports: Readonly<Record<string, string>>;
  readonly imports?: Readonly<Record<string, string>>;
  readonly workspace?: readonly string[];
}

/** A package and where it is. */
export interface Package extends PackageManifest {
  /** Relative to the root, which is itself `.`. */
  readonly folder: string;
}

function readManifest(folder: string): PackageManifest {
  return JSON.parse(Deno.readTextFileSync(`${ROOT}${folder}/deno.json`)) as PackageManifest;
}

/** All packages, the root first. */
export function packages(): Package[] {
  const root = readManifest(".");
  const members = (root.workspace ?? []).map((member) => member.replace(/^\.\//, ""));
  return [
    { ...root, folder: "." },
    ...members.map((folder) => ({ ...readManifest(folder), folder })),
  ];
}
