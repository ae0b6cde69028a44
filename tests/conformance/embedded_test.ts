import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "../../mod.ts";
import { embedded } from "../../src/embedded/mod.ts";
import { executorSuite } from "./executor_suite.ts";
import type { Open, Target } from "./target.ts";

function openEmbedded(path: string, foreignKeys: boolean): Target {
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

const openInFile: Open = ({ foreignKeys }) => {
  const folder = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "conformance-"));
  const target = openEmbedded(join(folder, "app.db"), foreignKeys);
  const close = async (): Promise<void> => {
    await target.close();
    rmSync(folder, { recursive: true, force: true });
  };
  return Promise.resolve({ ...target, close });
};

executorSuite(
  "embedded() in memory",
  ({ foreignKeys }) => Promise.resolve(openEmbedded(":memory:", foreignKeys)),
);
executorSuite("embedded() in a file", openInFile);
