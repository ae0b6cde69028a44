import { fileURLToPath } from "node:url";

/** A path next to this file, as the system writes it. */
export function fromFileUrl(relative: string): string {
  return fileURLToPath(new URL(relative, import.meta.url));
}

/** The folder of deno.json. */
export const ROOT: string = fromFileUrl("../../");

/** The files under `folder` that end in `ending`, relative to the root, in a fixed order. */
export function filesUnder(folder: string, ending: string): string[] {
  const skipped = ["node_modules", "fixtures", "runtimes", "auth", "auth_v1"];
  const found: string[] = [];
  for (const entry of Deno.readDirSync(ROOT + folder)) {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory && !skipped.includes(entry.name)) found.push(...filesUnder(path, ending));
    else if (entry.isFile && entry.name.endsWith(ending)) found.push(path);
  }
  return found.sort();
}
