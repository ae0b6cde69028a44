import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { fileURLToPath, pathToFileURL } from "node:url";

const ROOT = fileURLToPath(new URL("../../", import.meta.url));

/** The package a second time, as if a program had loaded it from npm and from JSR. */
export interface PackageCopy {
  /** @param path Of a module, from the root on. */
  load<M>(path: string): Promise<M>;
  /** Takes a file away, as an upload that was cut off does. @param path From the root on. */
  drop(path: string): void;
  /** Writes another text in place of one in a file. */
  change(path: string, text: string, other: string): void;
  /** Removes the files; what was loaded stays. */
  remove(): void;
}

/** Copies the sources: a query behind the address would make a copy of one module only, on some engines of none. */
export function copyPackage(): PackageCopy {
  mkdirSync(`${ROOT}out`, { recursive: true });
  // Within the root, where the names of other packages mean the same.
  const folder = mkdtempSync(`${ROOT}out/copy-`);
  for (const path of ["mod.ts", "src", "packages/kysely", "packages/drizzle"]) {
    const filter = (source: string): boolean => !source.includes("node_modules");
    cpSync(`${ROOT}${path}`, `${folder}/${path}`, { recursive: true, filter });
  }
  pointDrivers(folder);
  return {
    load: (path) => import(pathToFileURL(`${folder}/${path}`).href),
    drop: (path) => rmSync(`${folder}/${path}`),
    change(path, text, other) {
      const source = readFileSync(`${folder}/${path}`, "utf8");
      if (!source.includes(text)) throw new Error(`${path} does not hold ${text}`);
      writeFileSync(`${folder}/${path}`, source.replace(text, other));
    },
    remove: () => rmSync(folder, { recursive: true }),
  };
}

/** The drivers of the copy are to use its client, not the one that the name stands for. */
function pointDrivers(folder: string): void {
  const { exports } = JSON.parse(readFileSync(`${ROOT}deno.json`, "utf8"));
  for (const path of readdirSync(`${folder}/packages`, { recursive: true, encoding: "utf8" })) {
    if (!path.endsWith(".ts")) continue;
    const file = `${folder}/packages/${path}`;
    const text = readFileSync(file, "utf8").replace(
      /(?<=from ")@tangled\/rqlite(\/[\w/]+)?(?=")/g,
      (_, entry = "") => pathToFileURL(`${folder}/${exports[`.${entry}`]}`).href,
    );
    writeFileSync(file, text);
  }
}
