/** Opens files as a user who owns nothing, and tells what came of it. */

import process from "node:process";
import { embedded } from "../../src/embedded/mod.ts";

process.setuid?.(65534);
for (const path of process.argv.slice(2)) {
  let told = "opened";
  try {
    embedded(path).close();
  } catch (error) {
    told = String(error);
  }
  process.stdout.write(`${told}\n`);
}
