/** Where the examples run. */

import { parseArgs } from "node:util";
import type { ConnectOptions } from "../mod.ts";
import { embedded } from "../src/embedded/mod.ts";

/**
 * What to hand to `connect`: the server that `--url` names, or else one database in this process, which all connections
 * of the program share.
 */
export function target(): string | ConnectOptions {
  const { values } = parseArgs({ options: { url: { type: "string" } } });
  return values.url ?? { fetch: embedded().fetch };
}
