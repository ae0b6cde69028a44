import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The package a second time, as if a program had loaded it from npm and from JSR. */
export interface PackageCopy {
  /** @param path Of a module, from the root on. */
  load<M>(path: string): Promise<M>;
  /** Removes the files; what was loaded stays. */
  remove(): void;
}

/** Copies the sources: a query behind the address would make a copy of one module only, on some engines of none. */
export function copyPackage(): PackageCopy {
  mkdirSync(`${ROOT}out`, { recursive: true });
  // Within the root, where the names of other packages mean the same.
  const folder = mkdtempSync(`${ROOT}out/copy-`);
  for (const path of ["mod.ts", "src"]) {
    cpSync(`${ROOT}${path}`, `${folder}/${path}`, { recursive: true });
  }
  return {
    load: (path) => import(pathToFileURL(`${folder}/${path}`).href),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
