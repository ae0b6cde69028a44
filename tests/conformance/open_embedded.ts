import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import type { Target } from "./target.ts";

/** The engine in memory or in a file. */
export function openEmbedded(path: string, foreignKeys: boolean): Target {
  const engine = embedded(path, { foreignKeys });
  const url = "http://embedded:4001";
  return {
    db: connect(url, { fetch: engine.fetch, close: engine.close }),
    url,
    fetch: engine.fetch,
    linearizable: true,
    close: () => Promise.resolve(engine.close()),
  };
}
